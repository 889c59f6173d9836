// A training that a reload interrupts is offered again, and goes on from the weights that were kept.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scenario, temporaryFolder } from "./harness.mjs";
import { TYPED } from "./topics.mjs";

await scenario(async ({ page }) => {
  const { tab } = page;
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  await tab.getByRole("link", { name: "Fine-tune" }).click();
  const rows = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(rows, TYPED.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await tab.locator("#rows-file").setInputFiles(rows);
  await page.lineSays("rows-said", /^60 rows/);
  const heldOut = await uses(tab);

  await tab.getByLabel("Epochs").fill("100");
  await tab.getByLabel("Batch size").fill("4");
  await tab.getByLabel("What is trained").selectOption("whole");
  await tab.getByRole("button", { name: "Train", exact: true }).click();
  await page.until("something is kept", 60_000, () =>
    tab.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      return folder.getFileHandle("training.json").then(() => true, () => false);
    }),
  );
  await tab.reload();
  await page.says(/^emotions /);
  await page.backend.selectOption("CPU");
  const offer = await page.until("it is offered to go on", 10_000, async () => {
    const offer = await tab.locator("#interrupted-said").innerText();
    return /after step (\d+) of 1200/.exec(offer);
  });
  console.log(offer.input);
  await tab.getByRole("button", { name: "Go on" }).click();
  await page.trainingSays(/What learns: the whole model\. The head knows these labels/);
  assert.deepEqual(await uses(tab), heldOut, "the same rows are held out");
  const left = Math.ceil((1200 - Number(offer[1])) / 12);
  assert.equal(await tab.getByLabel("Epochs").inputValue(), String(left), "what is left is trained, and no more");
  await page.until("a step is taken", 60_000, async () => (await tab.locator("#figure-step").innerText()).includes("of"));
  await tab.getByRole("button", { name: "Stop and keep" }).click();
  const done = await page.trainingSays(/^Done/);
  console.log(done);
  const [, before] = /(\d+)% before/.exec(done);
  assert(Number(before) >= 75, "what was learned before the reload is there");

  await tab.reload();
  await page.says(/^emotions /);
  await tab.waitForTimeout(500);
  assert(!(await tab.locator("#interrupted").isVisible()), "what is done is not offered again");
});

/** What each row in sight is used for. */
async function uses(tab) {
  await tab.locator("#rows .use", { hasText: "train" }).first().waitFor();
  return tab.locator("#rows .use").allInnerTexts();
}
