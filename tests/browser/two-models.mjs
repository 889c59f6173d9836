// Two models on the same text, side by side: before and after a training, and the embedded model beside one that was opened.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario, temporaryFolder } from "./harness.mjs";
import { highest } from "./native.mjs";
import { photograph } from "./photos.mjs";
import { TYPED } from "./topics.mjs";

const folder = join(dist, "models/emotions");

await scenario(async ({ page }) => {
  const { tab } = page;
  const other = tab.getByRole("list", { name: "Probabilities of the other model" });
  const compare = tab.getByRole("combobox", { name: "Compare with" });
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  assert(!(await compare.isVisible()), "with one model there is nothing to compare");
  const emotions = await page.classify("We won the game after extra time.");

  await tab.getByRole("link", { name: "Fine-tune" }).click();
  const rows = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(rows, TYPED.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await tab.locator("#rows-file").setInputFiles(rows);
  await page.lineSays("rows-said", /^60 rows/);
  await tab.getByRole("button", { name: "Train", exact: true }).click();
  await page.trainingSays(/^Done/);
  await page.says(/^my-model .* CPU engine/);

  await tab.getByRole("link", { name: "Before and after on one text" }).click();
  await page.until("both models answer", 30_000, async () => (await other.getByRole("listitem").count()) === 3);
  assert.deepEqual(await tab.locator(".sides h3").allInnerTexts(), ["my-model", "my-model before the training"]);
  for (const [code, name] of [["de", "my-model vor dem Training"], ["en", "my-model before the training"]]) {
    await tab.locator("#language").selectOption(code);
    await tab.getByRole("heading", { name, exact: true }).waitFor();
    assert.equal(await tab.locator("#compare option:checked").textContent(), name);
  }
  const [after, before] = [await page.classify("We won the game after extra time."), await answered(page, other, 3)];
  console.log("after", after, "before", before);
  assert.equal(highest(after), "sport");
  assert(after.sport > 0.8 && Math.max(...Object.values(before)) < 0.7, "a head without training has no opinion");
  assert.deepEqual(Object.keys(before), Object.keys(after), "the same labels stand in the same rows");
  await photograph(tab, "two-models");

  await compare.selectOption("emotions");
  await page.until("the embedded model answers", 30_000, async () => (await other.getByRole("listitem").count()) === 6);
  assert.deepEqual(await answered(page, other, 6), emotions, "what it says alone");

  await page.files.setInputFiles(["config.json", "model.safetensors", "tokenizer.json"].map((name) => join(folder, name)));
  await page.says(/^your model /);
  await compare.selectOption("my-model, opened before");
  await page.until("the model from before answers", 30_000, async () => (await other.getByRole("listitem").count()) === 3);
  assert.deepEqual(await answered(page, other, 3), after);
  await compare.selectOption("no other model");
  await other.waitFor({ state: "hidden" });
  assert.deepEqual(await page.classify("We won the game after extra time."), emotions);
});

/** Label → probability, once the other list has so many. */
async function answered(page, list, count) {
  await page.until(`the other list has ${count} classes`, 30_000, async () => (await list.getByRole("listitem").count()) === count);
  return page.shown(list);
}
