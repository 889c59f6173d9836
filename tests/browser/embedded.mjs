// The page opens with the embedded model and classifies what is typed. Screenshots are kept.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario } from "./harness.mjs";
import { highest } from "./native.mjs";
import { photograph } from "./photos.mjs";

const TEXT = "I can't stop smiling, the whole house smells of cake and everyone I love is here!";

/** Milliseconds from the start of a visit to its first result; the least of a few visits, as the machine has other things to do. */
const [FIRST_RESULT, VISITS] = [3000, 3];

await scenario(async ({ page, site }) => {
  const { id2label } = JSON.parse(readFileSync(join(dist, "models/emotions/config.json"), "utf8"));
  await page.backend.selectOption("CPU");
  console.log(await page.says(/^emotions \(BERT, 4\.4 M parameters\) · CPU engine · ready/));
  assert.deepEqual(await page.shown(), {}, "nothing is classified before there is a text");

  const shown = await page.classify(TEXT);
  console.log(await page.says(/^emotions .* · CPU engine · \d+ ms for \d+ tokens/), shown);
  assert.deepEqual(Object.keys(shown).sort(), Object.values(id2label).sort());
  const sum = Object.values(shown).reduce((sum, probability) => sum + probability);
  assert(Math.abs(sum - 1) <= 0.003, `the probabilities sum to ${sum}`);
  await photograph(page.tab, "page");

  await liveWhileTyping(page);
  const visits = [];
  for (let visit = 0; visit < VISITS; visit += 1) visits.push(await firstResult(page));
  console.log("first result of a visit:", visits, "ms");
  assert(Math.min(...visits) <= FIRST_RESULT);
  assert(!site.requests.some(({ path }) => path.includes("engine-webgpu")), "what is not used is not loaded");
  await page.enter("");
  await page.says(/CPU engine · ready/);
  await page.until("an empty text has no classes", 5000, async () => Object.keys(await page.shown()).length === 0);
});

/** The text is in its box as soon as the page is there. */
async function firstResult(page) {
  const began = Date.now();
  await page.tab.reload();
  await page.text.fill(TEXT);
  await page.until("the first result is there", 30_000, async () => Object.keys(await page.shown()).length > 0);
  return Date.now() - began;
}

/** The list follows the text without a click, and each state is the one that a click would give. */
async function liveWhileTyping(page) {
  const begin = "He slammed the door and ";
  const ends = ["laughed with delight", "swore that he would make them pay for it"];
  const labels = [];
  for (const end of ends) {
    const clicked = await page.classify(begin + end);
    await page.text.fill(begin);
    await page.text.press("End");
    await page.text.pressSequentially(end, { delay: 20 });
    await page.until(`the list follows "${end}"`, 10_000, async () => JSON.stringify(await page.shown()) === JSON.stringify(clicked));
    labels.push(highest(clicked));
  }
  console.log("while typing:", labels);
  const paste = "The storm tore at the roof all night and we did not dare to go upstairs.";
  const clicked = await page.classify(paste);
  await page.text.fill("x");
  await page.text.selectText();
  await page.tab.keyboard.insertText(paste);
  await page.until("the list follows a paste", 10_000, async () => JSON.stringify(await page.shown()) === JSON.stringify(clicked));
}
