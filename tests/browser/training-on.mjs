// After a training: a mistake's label is corrected and the model trains on; a training is stopped, dropped, and what is amiss is said. Removed
// rows leave the other mistakes as they are.
// The whole way also with a ready set, and with the head of the open model alone.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scenario, temporaryFolder } from "./harness.mjs";
import { TYPED } from "./topics.mjs";

/** A few of the rows have another's label: mistakes to find. */
const ROWS = TYPED.map((row, index) => (index % 10 === 3 ? { ...row, label: index < 20 ? "sport" : "food" } : row));

await scenario(async ({ page }) => {
  const { tab } = page;
  const button = (name) => tab.getByRole("button", { name, exact: true });
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  await tab.getByRole("link", { name: "Fine-tune" }).click();

  await button("Train").click();
  console.log(await page.trainingSays(/too few rows/));
  await paste(tab, "One text,good\nAnother text,good\nOne text,good\nOne text,bad");
  const findings = tab.getByRole("list", { name: "What to look at" }).getByRole("listitem");
  await page.until("the rows are looked over", 10_000, async () => (await findings.count()) >= 4);
  const found = (await findings.allInnerTexts()).join(" | ");
  for (const pattern of [/“bad” has few rows \(1\)/, /One row stands there twice/, /two different labels: 1, such as “One text”/]) assert.match(found, pattern);
  await button("Remove all rows").click();

  const file = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(file, ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await tab.locator("#rows-file").setInputFiles(file);
  await page.lineSays("rows-said", /^60 rows/);
  await button("Train").click();
  await page.trainingSays(/What learns: the whole model\. The head is new.*Learning rate 0\.001/);
  console.log(await page.trainingSays(/^Done/));
  const mistakes = tab.getByRole("list", { name: "Mistakes" }).getByRole("listitem");
  const before = await mistakes.count();
  assert(before > 0, "the wrong labels are found");
  await correct(tab, mistakes);
  assert.equal(await mistakes.count(), 0, "what was corrected is no mistake any more");
  await button("Train on from the new model").click();
  await page.trainingSays(/The head knows these labels/);
  const after = await page.trainingSays(/^Done/);
  console.log(`${before} mistakes corrected; ${after}`);
  assert.match(after, /9\d% after|100% after/);

  await tab.getByLabel("Epochs").fill("100");
  await button("Train on from the new model").click();
  await page.trainingSays(/The head knows these labels/);
  await button("Back to the start").click();
  await page.trainingSays(/Back at the start/);
  assert(await button("Save the model").isVisible(), "the model from before is lost");
  await page.says(/^my-model /);

  await tab.getByLabel("What is trained").selectOption("head");
  await button("Train").click();
  await page.trainingSays(/What learns: the head only/);
  await page.until("a step is taken", 60_000, async () => (await tab.locator("#figure-step").innerText()).includes("of"));
  await button("Stop and keep").click();
  assert(await button("Pause").isDisabled(), "what is about to end is not paused");
  console.log(await page.trainingSays(/^Done: \d+ steps/));
  await button("Back to the start").click();
  await page.trainingSays(/Back at the start/);
  await tab.getByText("After a training, its accuracy").waitFor();

  await tab.getByLabel("Epochs").fill("3");
  await tab.getByLabel("Learning rate").fill("7");
  await button("Train").click();
  console.log(await page.trainingSays(/learning_rate = 7: expected 0 to 1\. Your rows are still here/));
  for (const [name, wrong] of [["Learning rate", "abc"], ["Epochs", "-3"], ["Epochs", "2.5"]]) {
    await tab.getByLabel(name).fill(wrong);
    await button("Train").click();
    assert(await tab.getByLabel(name).evaluate((input) => input.matches(":focus:invalid")), `${name} ${wrong}`);
    assert(await button("Train").isEnabled());
    await tab.getByLabel(name).fill(name === "Epochs" ? "3" : "0,00001"); // too little to learn anything
  }
  await tab.getByLabel("Start from", { exact: true }).selectOption("bert-tiny");
  await button("Train").click();
  await page.trainingSays(/^Done/);
  await removeOne(tab);
  await button("Remove all rows").click();
  await page.lineSays("mistakes-said", /were changed or removed/);
});

/** A mistake that is corrected by key, and a row that is removed, leave the other mistakes, and the focus where the work goes on. */
async function removeOne(tab) {
  const texts = () => tab.locator("#mistakes .text").allInnerTexts();
  const choice = tab.locator("#mistakes select").first();
  await choice.press((await choice.evaluate((it) => it.selectedIndex)) > 0 ? "ArrowUp" : "ArrowDown");
  assert(await tab.evaluate(() => document.activeElement.matches("#mistakes li, #mistakes select, #train-on")), "the focus is lost");
  for (let page = 0; page < 2; page += 1) await tab.getByRole("button", { name: "Previous", exact: true }).click();
  const [first, before] = [await tab.getByLabel("Text of row 1", { exact: true }).inputValue(), await texts()];
  assert(before.length > 1, `few mistakes: ${before}`);
  const remove = tab.getByRole("button", { name: "Remove row 1", exact: true });
  await remove.click();
  assert.deepEqual(await texts(), before.filter((text) => text !== first), "mistakes of other rows");
  assert(await remove.evaluate((it) => it === document.activeElement), "the focus is lost");
}

async function paste(tab, text) {
  await tab.locator("summary", { hasText: "Paste rows" }).click();
  await tab.locator("#paste").fill(text);
  await tab.getByRole("button", { name: "Add these rows" }).click();
}

/** Gives each mistake the label that the model found, as long as there are any. */
async function correct(tab, mistakes) {
  while ((await mistakes.count()) > 0) {
    const mistake = mistakes.first();
    const [, label] = /“(.+)”/.exec(await mistake.locator(".verdict").innerText());
    await mistake.getByRole("combobox").selectOption(label);
  }
}
