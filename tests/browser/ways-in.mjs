// A model comes in as a picked or dropped folder, or as picked or dropped files; other files in the folder do no harm.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario, temporaryFolder } from "./harness.mjs";

const TEXT = "The dog greeted me as if I had been away for years.";
const folder = join(temporaryFolder(), "mine");
cpSync(join(dist, "models/emotions"), folder, { recursive: true });
mkdirSync(join(folder, "checkpoints"));
writeFileSync(join(folder, "checkpoints/config.json"), "another config.json");
const files = ["config.json", "model.safetensors", "tokenizer.json"].map((name) => join(folder, name));

await scenario(async ({ context, page }) => {
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  const expected = await page.classify(TEXT);
  const devtools = await context.newCDPSession(page.tab);

  const ways = [
    [/^mine \(BERT/, () => page.tab.getByLabel("Choose its folder").setInputFiles(folder)],
    [/^your model \(BERT/, () => page.files.setInputFiles(files)],
    [/^mine \(BERT/, () => drop(devtools, [folder])],
    [/^your model \(BERT/, () => drop(devtools, files)],
  ];
  for (const [name, open] of ways) {
    await open();
    console.log(await page.says(name));
    assert.deepEqual(await page.classify(TEXT), expected);
  }
});

async function drop(devtools, files) {
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await devtools.send("Input.dispatchDragEvent", { type, x: 100, y: 100, data });
  }
}
