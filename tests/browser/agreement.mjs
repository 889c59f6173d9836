// The CPU engine in the browser agrees with the native command on 100 texts, and the page shows what the engine says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "./engine.mjs";
import { dist, root, scenario } from "./harness.mjs";
import { assertAgreement, hundredTexts, predict } from "./native.mjs";

const MODEL = "models/emotions";

const weights = (folder) => readFileSync(join(folder, MODEL, "model.safetensors"));
assert(weights(dist).equals(weights(root)), `the page was built before ${MODEL} was trained; remedy: cargo xtask page`);

await scenario(async ({ page }) => {
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  const native = predict(join(root, MODEL), hundredTexts());

  const engine = await Engine.start(page.tab, "./engine-cpu_loader.js");
  const labels = await engine.open(MODEL);
  const found = await engine.classify(native.map(({ text }) => text), labels);
  console.log("largest difference of 100 texts:", assertAgreement(native, found));

  const few = native.filter((_, index) => index % 20 === 7);
  const shown = [];
  for (const { text } of few) shown.push(await page.classify(text));
  console.log(`largest difference of ${few.length} texts as shown:`, assertAgreement(few, shown, { shown: true }));
});
