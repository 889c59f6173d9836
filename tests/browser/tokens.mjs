// The CPU engine in the browser gives Hugging Face's token ids for 1,000 Unicode strings, as the native tests do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "./engine.mjs";
import { root, scenario } from "./harness.mjs";

const cases = JSON.parse(readFileSync(join(root, "tests/fixtures/tokens.json"), "utf8"));
const texts = cases.map(({ text, repeat }) => text ?? repeat[0].repeat(repeat[1]));

await scenario(async ({ page }) => {
  const engine = await Engine.start(page.tab, "./engine-cpu_loader.js");
  await engine.open("models/emotions");
  const found = await engine.tokenize(texts);
  assert.equal(found.length, 1000);
  cases.forEach(({ ids }, index) => assert.deepEqual(found[index], ids, JSON.stringify(texts[index].slice(0, 40))));
});
