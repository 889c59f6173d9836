// What is wrong with a model is said in words, and the model from before still answers.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario, screenshot, temporaryFolder } from "./harness.mjs";

const TEXT = "My hands would not stop shaking when the lights went out.";
const folder = join(dist, "models/emotions");
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const weights = readFileSync(join(folder, "model.safetensors"));
const goodConfig = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
const config = (changes) => Buffer.from(JSON.stringify({ ...goodConfig, ...changes }));

/** What is changed of the good model, and what the page must say of it. */
const BAD = [
  [{ "model.safetensors": weights.subarray(0, weights.length >> 1) }, /model\.safetensors: not a readable safetensors file: .+ Was the download complete\?/],
  [{ "model.safetensors": Buffer.from("This is no model.\n".repeat(100)) }, /model\.safetensors: not a readable safetensors file/],
  [{ "model.safetensors": Buffer.alloc(0) }, /model\.safetensors: not a readable safetensors file/],
  [{ "config.json": config({ hidden_size: 64 }) }, /model\.safetensors: tensor "\S+" has shape \[.+\], but config\.json asks for \[.+64.*\]/],
  [{ "config.json": config({ vocab_size: 1000 }) }, /tokenizer\.json: .+ vocab_size is 1000|has shape \[30522, 128\], but config\.json asks for \[1000, 128\]/],
  [{ "config.json": Buffer.from("{") }, /config\.json: .+/],
  [{ "config.json": config({ model_type: "gpt2" }) }, /config\.json: .*(gpt2|model_type)/],
  [{ "config.json": undefined }, /no config\.json there/],
  [{ "model.safetensors": undefined }, /no model\.safetensors there/],
  [{ "tokenizer.json": undefined }, /no tokenizer\.json there/],
  [{ "tokenizer.json": Buffer.from("[]") }, /tokenizer\.json: .+/],
];

await scenario(async ({ page }) => {
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  const before = await page.classify(TEXT);

  for (const [changes, message] of BAD) {
    await open(page, changes);
    console.log(await page.says(message));
    await page.says(/^emotions /);
    assert.deepEqual(await page.classify(TEXT), before, "the model from before has changed");
    await page.says(message, 0); // classifying does not wipe it away
  }
  await page.tab.screenshot({ path: screenshot("bad-model"), fullPage: true });

  // In German: in the page's words where it has some, and else marked as the engine's English.
  const german = [
    [{ "tokenizer.json": undefined }, /Dort liegt kein tokenizer\.json; ein Hugging-Face-Ordner enthält/],
    [{ "config.json": config({ hidden_size: 64 }) }, /Der Tensor „\S+“ hat die Form \[.+\], aber config\.json verlangt \[.+64.*\]/],
    [{ "config.json": Buffer.from("{") }, /Das Rechenwerk meldet auf Englisch: .*config\.json: .+/],
  ];
  await page.tab.locator("#language").selectOption("de");
  for (const [changes, message] of german) {
    await open(page, changes);
    console.log(await page.says(message));
  }
  await page.tab.locator("#language").selectOption("en");

  await open(page, {});
  const status = await page.says(/^your model .* · CPU engine · \d+ ms/);
  assert.doesNotMatch(status, /tokenizer\.json/, "an old complaint is left standing");
  assert.deepEqual(await page.classify(TEXT), before);
});

/** Picks the good model's files with these changes. */
async function open(page, changes) {
  const changed = temporaryFolder();
  const paths = FILES.filter((name) => !(name in changes) || changes[name]).map((name) => {
    if (!changes[name]) return join(folder, name);
    writeFileSync(join(changed, name), changes[name]);
    return join(changed, name);
  });
  await page.tab.locator("#open-files").setInputFiles(paths); // whose name is another in German
}
