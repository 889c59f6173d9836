// Two masked language models side by side: the guesses are those of `emberlab fill-mask`, and adapting a model changes them.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { look } from "./axe.mjs";
import { root, scenario, temporaryFolder } from "./harness.mjs";
import { emberlab } from "./native.mjs";

const SENTENCES = ["The aorta carries blood away from the heart.", "A nephron filters the blood in the kidney.", "The ventricle pumps blood into the artery."];
const TEXTS = ["The [MASK] pumps blood through the body.", "A [MASK] filters the [MASK]."];
const folder = temporaryFolder();
const [before, after] = [join(root, "models/bert-tiny"), join(folder, "anatomy")];

function adapt() {
  mkdirSync(join(folder, "books"));
  for (const book of ["one", "two"]) {
    const paragraph = (number) => `${SENTENCES.join(" ")} This is written in paragraph ${number} of book ${book}, which says it once more.`;
    writeFileSync(join(folder, "books", `${book}.txt`), Array.from({ length: 40 }, (_, number) => paragraph(number)).join("\n\n"));
  }
  emberlab("corpus", join(folder, "books"), "--out", join(folder, "corpus"));
  emberlab("pretrain", "--model", before, "--corpus", join(folder, "corpus"), "--out", after, "--epochs", "4", "--learning-rate", "1e-3", "--max-length", "64", "--device", "cpu");
}

/** What the command says: for each mask the tokens and probabilities of both. */
function expected(text) {
  const lines = emberlab("fill-mask", "--model", before, "--compare", after, "--top-k", "8", "--json", "--device", "cpu", text).trim().split("\n");
  return lines.map((line) => JSON.parse(line).models.map(({ guesses }) => guesses.map(({ token_str, score }) => [token_str, score])));
}

async function shown(column) {
  const lists = await column.getByRole("list").all();
  const item = (text) => /^(\S+) ([\d.]+)%$/.exec(text.trim());
  return Promise.all(lists.map(async (list) => (await list.getByRole("listitem").allTextContents()).map((text) => item(text)).map(([, token, value]) => [token, Number(value) / 100])));
}

adapt();
await scenario(async ({ page }) => {
  const { tab } = page;
  await tab.getByRole("link", { name: "Fill the gap" }).press("Enter");
  const view = tab.locator("#view-fill-mask");
  const [one, two] = [0, 1].map((index) => view.locator(".sides > div").nth(index));
  await one.getByRole("listitem").first().waitFor();
  await view.getByText(/^Open the folder of a model after/).waitFor();
  await tab.locator("#mask-two-folder").setInputFiles(after);
  await two.getByRole("listitem").first().waitFor();
  for (const text of TEXTS) {
    await tab.locator("#mask-text").fill(text);
    const masks = text.split("[MASK]").length - 1;
    const lists = () => Promise.all([one, two].map(shown));
    const found = await page.until(`guesses for ${text}`, 30_000, async () => {
      const found = await lists();
      return found.every((side) => side.length === masks) ? found : null;
    });
    const truth = expected(text);
    for (const [mask, models] of truth.entries()) {
      for (const [side, guesses] of models.entries()) {
        assert.deepEqual(found[side][mask].map(([token]) => token), guesses.map(([token]) => token), `${text}, mask ${mask}, side ${side}`);
        for (const [rank, [, score]] of guesses.entries()) assert(Math.abs(found[side][mask][rank][1] - score) <= 1e-3, `${text}: ${score}`);
      }
      assert.notDeepEqual(models[0], models[1], "what was read changes what is guessed");
    }
  }
  await look(tab, "fill-mask");
  for (const text of ["There is no gap here.", ""]) {
    await tab.locator("#mask-text").fill(text);
    await page.until("both sides ask for a gap", 10_000, async () => (await view.getByText(/^Type \[MASK\] where a word is missing/).count()) === 2);
    assert.equal(await view.getByRole("listitem").count(), 0, "nothing is guessed");
  }
  await tab.locator("#language").selectOption("de");
  await tab.getByRole("heading", { name: /^Lücken füllen/ }).waitFor();
  await view.getByText(/^Schreibe \[MASK\] an die Stelle/).first().waitFor();
});
