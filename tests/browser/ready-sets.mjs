// The sets that come with the page: thousands of rows are there in a moment, and the page answers all the while.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, scenario } from "./harness.mjs";
import { longestTask } from "./tasks.mjs";

const LIMIT = 100;

await scenario(async ({ browser, page }) => {
  const { tab } = page;
  await page.says(/ready/);
  const longest = await longestTask(browser, tab, async () => {
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    await tab.getByRole("link", { name: "Fine-tune" }).click();
    for (const [name, labels] of [["emotions", 6], ["spam", 2]]) await load(page, name, labels);
  });
  console.log(`longest task: ${longest.toFixed(0)} ms`);
  assert(longest <= LIMIT, `the page did not answer for ${longest} ms`);
});

async function load(page, name, labels) {
  const { tab } = page;
  const rows = readFileSync(join(root, "data", name, "train.jsonl"), "utf8").trim().split("\n").length;
  await tab.getByRole("button", { name: `Ready set: ${name}` }).click();
  await page.lineSays("rows-said", new RegExp(`^${rows} rows`));
  await tab.locator("#rows .use", { hasText: /train|measure/ }).first().waitFor();
  const counts = await tab.locator("#label-counts b").allInnerTexts();
  assert.equal(counts.length, labels);
  assert.equal(counts.reduce((sum, count) => sum + Number(count), 0), rows);
  assert.equal(await tab.getByLabel("Epochs").inputValue(), "3");
  await tab.getByRole("button", { name: "Remove all rows" }).click();
}
