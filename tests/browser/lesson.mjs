// The lesson from a cold page on the CPU engine, step by step, with a time for each: its numbers are those of `emberlab lesson`, its switches
// and its curve work by keyboard, and it speaks both languages.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { look } from "./axe.mjs";
import { scenario, temporaryFolder } from "./harness.mjs";
import { emberlab } from "./native.mjs";

const OTHERS = [
  ["he got the bigger room AGAIN", "anger"],
  ["heard footsteps behind me in the car park and my heart nearly stopped", "fear"],
  ["i feel alive again since i left that awful office", "joy"],
];
const STEPS = ["data", "tokens", "mask", "batch", "logits", "softmax", "loss", "backward", "step", "zero", "schedule", "argmax"];
const TOLERANCE = 1e-3;

await scenario(
  async ({ page, site }) => {
    const { tab } = page;
    const began = Date.now();
    const next = tab.getByRole("button", { name: /^Next:/ });
    await tab.locator("#lesson-data table").waitFor();
    await page.until("the engine has computed", 60_000, async () => (await next.count()) > 0 && (await next.isEnabled()));
    const times = [["data (cold page, engine and model loaded)", Date.now() - began]];
    for (const id of STEPS.slice(1)) {
      const clicked = Date.now();
      await next.press("Enter");
      await tab.locator(`#lesson-${id} h3`).waitFor();
      assert.equal(await tab.evaluate(() => document.activeElement.id), `step-${id}`, "the new step has the focus");
      times.push([id, Date.now() - clicked]);
    }
    assert.equal(await tab.locator("#step-mask").innerText(), "3. Attention mask and padding");
    console.log(times.map(([id, time]) => `${id}: ${time} ms`).join("\n"));
    await agrees(page, ["I could not stop smiling all day", "joy"], []);
    await ownSentence(page);
    await zeroGrad(page);
    await schedule(page);
    await code(tab);
    await look(tab, "lesson-en");
    await wrongColumn(page);
    assert(site.requests.every(({ path }) => !path.includes("engine-webgpu")));
  },
  { query: "#lesson" },
);

/** Runs `emberlab lesson` on the same rows. */
function native(row, more) {
  const file = join(temporaryFolder(), "rows.csv");
  const cell = (text) => `"${text.replaceAll('"', '""')}"`;
  writeFileSync(file, [["text", "label"], row, ...OTHERS].map((cells) => cells.map(cell).join(",")).join("\n"));
  return JSON.parse(emberlab("lesson", "--data", file, "--device", "cpu", ...more));
}

/** The numbers in the cells of a step's table, row by row. */
async function cells(page, id, table = 0) {
  const rows = await page.tab.locator(`#lesson-${id} table`).nth(table).locator("tbody tr").all();
  return Promise.all(rows.map(async (row) => (await row.locator("td").allInnerTexts()).map((text) => Number(text.replace("−", "-")))));
}

function close(found, expected, what, tolerance = TOLERANCE) {
  const distance = Math.max(...found.flat().map((value, index) => Math.abs(value - expected.flat()[index])));
  assert(found.flat().length === expected.flat().length && distance <= tolerance, `${what}: ${JSON.stringify(found)}, natively ${JSON.stringify(expected)}`);
}

async function agrees(page, row, more) {
  const { tab } = page;
  const lesson = native(row, more);
  const rows = lesson.rows;
  const settled = async () => {
    const shown = await cells(page, "zero");
    return shown.length === lesson.steps.length && shown.every(([loss, norm], index) => Math.abs(loss - lesson.steps[index].loss) <= TOLERANCE && Math.abs(norm - lesson.steps[index].gradient_norm) <= 10 * TOLERANCE);
  };
  await page.until("the steps are those of the native run", 20_000, settled);
  assert.deepEqual(await tab.locator("#lesson-tokens b").allInnerTexts(), rows[0].tokens.filter((_, index) => rows[0].attention_mask[index]));
  close(await cells(page, "batch"), rows.map(({ input_ids: ids }) => ids), "ids");
  close(await cells(page, "mask", 1), rows.map(({ attention_mask: mask }) => mask), "masks");
  close(await cells(page, "logits"), rows.map(({ before }) => before.logits), "logits");
  close(await cells(page, "softmax"), rows.map(({ before }) => before.probabilities), "probabilities");
  close(await cells(page, "loss"), rows.map(({ before, loss }) => [...before.probabilities, loss]), "losses");
  const shown = await tab.locator("#lesson-backward .gradients li").evaluateAll((items) => items.map((item) => [...item.children].slice(0, 2).map(({ textContent }) => textContent)));
  assert.deepEqual(shown.map(([name]) => name), lesson.gradients.map(({ name }) => name));
  close(shown.map(([, norm]) => [Number(norm)]), lesson.gradients.map(({ norm }) => [norm]), "gradients");
  for (const [index, weight] of lesson.weights.entries()) {
    close(await cells(page, "step", index), [weight.before, weight.gradient, weight.after], weight.name);
  }
  const argmax = (await tab.locator("#lesson-argmax tbody tr").allInnerTexts()).map((line) => line.split("\t").slice(2).map((it) => it.split(" ")[0]));
  assert.deepEqual(argmax, rows.map((it) => [it.predicted, it.predicted_after].map((id) => lesson.labels[id])));
  return lesson;
}

async function ownSentence(page) {
  const { tab } = page;
  const row = ["Nobody came, and \"nobody\" wrote, she whispered.", "fear"];
  await tab.getByRole("textbox", { name: "Your sentence" }).fill(row[0]);
  await tab.getByRole("combobox", { name: "Label", exact: true }).selectOption(row[1]);
  await tab.getByRole("button", { name: "Run", exact: true }).press("Enter");
  await agrees(page, row, []);
  await tab.getByRole("textbox", { name: "Your sentence" }).fill("I could not stop smiling all day");
  await tab.getByRole("combobox", { name: "Label", exact: true }).selectOption("joy");
  await tab.getByRole("button", { name: "Run", exact: true }).press("Enter");
}

async function zeroGrad(page) {
  const box = page.tab.getByRole("checkbox", { name: "optimizer.zero_grad()" });
  await box.press("Space");
  const without = await agrees(page, ["I could not stop smiling all day", "joy"], ["--no-zero-grad"]);
  assert.equal(await page.tab.evaluate(() => document.activeElement.dataset.keep), "zero", "the switch keeps the focus");
  await box.press("Space");
  const [kept, zeroed] = [without, await agrees(page, ["I could not stop smiling all day", "joy"], [])].map(({ steps }) => steps.at(-1));
  console.log("the last step, zeroed:", zeroed, "not zeroed:", kept);
  assert(kept.gradient_norm > 2 * zeroed.gradient_norm, "gradients add up");
}

async function schedule(page) {
  const { tab } = page;
  const handle = tab.locator(".handle");
  await handle.focus();
  for (const key of ["ArrowUp", "ArrowUp", "ArrowRight"]) await tab.keyboard.press(key);
  assert.equal(await handle.getAttribute("aria-label"), "Peak 0.007, after 30% of the steps");
  await agrees(page, ["I could not stop smiling all day", "joy"], ["--learning-rate", "0.007", "--warmup-ratio", "0.3"]);
  assert.equal(await tab.evaluate(() => document.activeElement.className), "handle", "the point keeps the focus");
  await tab.getByRole("combobox", { name: "Fall" }).selectOption("cosine");
  const lesson = await agrees(page, ["I could not stop smiling all day", "joy"], ["--learning-rate", "0.007", "--warmup-ratio", "0.3", "--schedule", "cosine"]);
  const rates = (await tab.locator("#lesson-schedule .sum").innerText()).split(" · ").map(Number);
  close([rates], [lesson.steps.map(({ learning_rate: rate }) => rate)], "rates", 6e-6);

  await handle.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await handle.boundingBox();
  await tab.mouse.move(x + width / 2, y + height / 2);
  await tab.mouse.down();
  await tab.mouse.move(x + width / 2 + 60, y + height / 2 + 20, { steps: 5 });
  await tab.mouse.up();
  const [, rate, part] = /^Peak ([\d.]+), after (\d+)%/.exec(await handle.getAttribute("aria-label"));
  assert(Number(rate) < 0.007 && Number(part) > 30, "the point follows the mouse");
}

async function code(tab) {
  await tab.locator("#lesson-schedule").getByRole("button", { name: /schedule\.rs$/ }).press("Enter");
  const dialog = tab.getByRole("dialog");
  await dialog.waitFor();
  assert.match(await dialog.locator(".here").innerText(), /^ *\d+ +return step as f64 \/ warmup_steps as f64/);
  await tab.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  const links = await tab.locator(".code-links a").evaluateAll((links) => links.map(({ href }) => href));
  assert(links.length === STEPS.length && links.every((href) => /^https:\/\/github\.com\/(huggingface|pytorch)\/.*#L\d+$/.test(href)));
}

async function wrongColumn(page) {
  const { tab } = page;
  const refusal = tab.locator(".refusal");
  await tab.getByRole("checkbox", { name: /Call the label column/ }).press("Space");
  await page.until("the engine refuses the column", 20_000, async () => /no label column; it has: text, emotion/.test(await refusal.innerText()));
  console.log(await refusal.innerText());
  await tab.locator("#language").selectOption("de");
  await page.until("it is said in German", 20_000, async () => /keine Spalte label; es gibt: text, emotion/.test(await refusal.innerText()));
  assert.equal(await tab.locator("#step-mask").innerText(), "3. Attention-Maske und Padding");
  await look(tab, "lesson-de");
}
