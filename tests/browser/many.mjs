// Many texts at once: pasted lines, and a CSV file whose answers come back as the native command gives them. Meanwhile the page answers, and
// another model that is opened ends it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario, temporaryFolder } from "./harness.mjs";
import { emberlab, hundredTexts } from "./native.mjs";

const PASTED = ["I can't wait to see them, after all these years", "", "Who is there, in the dark", "She tore up the letter, quickly"];

await scenario(async ({ page }) => {
  const { tab } = page;
  const said = (pattern) => page.lineSays("many-said", pattern);
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);

  await tab.getByRole("button", { name: "Classify all" }).click();
  await said(/no text to classify/);
  await tab.getByRole("textbox", { name: "Texts, one a line" }).fill(PASTED.join("\n"));
  await tab.getByRole("button", { name: "Classify all" }).click();
  console.log((await said(/^3 texts are classified\. .+ ms for each\./))[0]);
  const cells = await tab.locator("#many-rows td:first-child").allInnerTexts();
  assert.deepEqual(cells, PASTED.filter(Boolean), "lines with commas stay whole");

  const folder = temporaryFolder();
  const [input, output] = [join(folder, "texts.csv"), join(folder, "native.csv")];
  const long = "They said the river would never reach the houses, and then it was in the kitchen. ".repeat(60).trim();
  const texts = [...hundredTexts().map((text) => text.replaceAll(/\s+/g, " ")), long];
  writeFileSync(input, `text\n${texts.map((text) => `"${text.replaceAll('"', '""')}"\n`).join("")}`);
  emberlab("predict", "--model", "models/emotions", "--input", input, "--output", output, "--device", "cpu", "--max-length", "512");
  await tab.locator("#many-file").setInputFiles(input);
  await said(/^101 texts are classified\. .+ One was longer than the model can see/);
  assert.equal(await tab.locator("#many-progress").evaluate((bar) => bar.value), 1);
  const download = tab.waitForEvent("download");
  await tab.getByRole("button", { name: "Download as CSV" }).click();
  compare(readFileSync(output, "utf8"), readFileSync(await (await download).path(), "utf8"));

  await whileItRuns(page, folder);

  const broken = join(folder, "broken.csv");
  writeFileSync(broken, 'text,label\n"never closed,joy\n');
  await tab.locator("#many-file").setInputFiles(broken);
  console.log((await said(/broken\.csv, line 2: .+/))[0]);
});

/** A typed text is answered between two portions; what was classified before another model is opened stays. */
async function whileItRuns(page, folder) {
  const { tab } = page;
  const many = join(folder, "many.csv");
  writeFileSync(many, `text\n${"They said the river would never reach the houses.\n".repeat(20_000)}`);
  await tab.locator("#many-file").setInputFiles(many);
  await page.lineSays("many-said", /^\d+ of 20000 texts/);
  await page.classify("What a day!");
  assert.match(await tab.locator("#many-said").innerText(), /^\d+ of 20000 texts/, "one text was answered when many were done");
  assert(await tab.locator("#many-file").isDisabled(), "another file cannot be chosen");

  await page.files.setInputFiles(["config.json", "model.safetensors", "tokenizer.json"].map((name) => join(dist, "models/emotions", name)));
  await page.says(/^your model /);
  const [said, done] = await page.lineSays("many-said", /^Another model was opened after (\d+) of 20000 texts/);
  console.log(said);
  assert(await tab.getByRole("button", { name: "Classify all" }).isEnabled());
  assert(await tab.getByRole("button", { name: "Stop", exact: true }).isDisabled());
  const download = tab.waitForEvent("download");
  await tab.getByRole("button", { name: "Download as CSV" }).click();
  const lines = readFileSync(await (await download).path(), "utf8").trim().split("\n");
  assert.equal(lines.length, 1 + Number(done), "what was classified stays");
}

/** The same columns and rows; numbers within what a float has. */
function compare(expected, found) {
  const [left, right] = [expected, found].map((csv) => csv.trim().split("\n"));
  assert.equal(right[0], left[0]);
  assert.equal(right.length, left.length);
  left.slice(1).forEach((row, index) => {
    const [a, b] = [row, right[index + 1]].map((line) => /^(.*),([a-z]+),([-0-9.,e]+)$/.exec(line));
    assert.deepEqual([b[1], b[2]], [a[1], a[2]]);
    const [x, y] = [a, b].map((match) => match[3].split(",").map(Number));
    x.forEach((value, place) => assert(Math.abs(value - y[place]) <= 1e-4, `${row}: ${value} and ${y[place]}`));
  });
  console.log(`${left.length - 1} rows as the native command writes them`);
}
