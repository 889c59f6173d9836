// MiniLM-L6, as it comes from the hub, without a head: on the CPU its head alone is trained, which is said; and then it classifies.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, scenario, temporaryFolder } from "./harness.mjs";
import { highest } from "./native.mjs";
import { TYPED } from "./topics.mjs";

const folder = join(root, "../shared/models/minilm-l6");
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

if (!existsSync(folder)) {
  console.log(`SKIPPED: MiniLM's head, because ${folder} is missing`);
  process.exit();
}

await scenario(async ({ page }) => {
  const { tab } = page;
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  await page.files.setInputFiles(FILES.map((name) => join(folder, name)).filter(existsSync));
  console.log(await page.says(/no classification head/));

  await tab.getByRole("link", { name: "Fine-tune" }).click();
  const rows = join(temporaryFolder(), "rows.csv");
  writeFileSync(rows, `text,label\n${TYPED.map(({ text, label }) => `"${text}",${label}\n`).join("")}`);
  await tab.locator("#rows-file").setInputFiles(rows);
  await page.lineSays("rows-said", /^60 rows/);
  await tab.locator("#start-files").setInputFiles(FILES.map((name) => join(folder, name)).filter(existsSync));
  await tab.getByRole("button", { name: "Train", exact: true }).click();
  console.log(await page.trainingSays(/What learns: the head only\. The head is new/));
  const done = await page.trainingSays(/^Done/);
  console.log(done);
  const [before, after] = /(\d+)% before, (\d+)% after/.exec(done).slice(1).map(Number);
  assert(after > before && after >= 75, done);
  await page.says(/^my-model \(BERT, 22\.7 M parameters\)/);
  await tab.getByRole("link", { name: "Classify" }).click();
  assert.equal(highest(await page.classify("The pasta was delicious and the soup was hot.")), "food");
});
