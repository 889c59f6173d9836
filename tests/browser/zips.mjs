// A model opens from a zip, however it was packed; a zip that is not what it says is refused in words, and the model from before stays.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario, temporaryFolder } from "./harness.mjs";
import { zip } from "./zip.mjs";

const TEXT = "The dog greeted me as if I had been away for years.";
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const read = (name) => readFileSync(join(dist, "models/emotions", name));
const model = (folder, options = {}) => FILES.map((name) => ({ name: folder + name, data: read(name), ...options }));
const other = { name: "mine/checkpoints/config.json", data: Buffer.from("another config.json") };
const text = (name) => ({ name, data: Buffer.from("text") });

const GOOD = [
  ["stored", model("")],
  ["in a folder", [other, { name: "mine/", data: Buffer.alloc(0) }, ...model("mine/")]],
  ["deflated", [text("__MACOSX/mine/._config.json"), ...model("mine/", { deflate: true })]],
];
const zeros = Buffer.alloc(30_000_000);
const BAD = [
  [[...model(""), text("../../evil.txt")], /"\.\.\/\.\.\/evil\.txt" leads out of the zip/],
  [[...model(""), text("/etc/passwd")], /"\/etc\/passwd" leads out of the zip/],
  [[...model(""), text("a\\..\\evil.txt")], /leads out of the zip/],
  [[...model("").filter(({ name }) => name !== "model.safetensors"), { name: "model.safetensors", data: zeros, deflate: true }], /model\.safetensors would unpack to 30000000 bytes from \d+/],
  [[{ name: "config.json", data: read("config.json") }, { name: "model.safetensors", data: zeros, deflate: true, packed: 1_000_000 }], /model\.safetensors unpacks to more than 200 times the zip/],
  [[...model("").slice(1), { name: "config.json", data: read("config.json"), deflate: true, size: 10 }], /config\.json cannot be unpacked: File is larger than its declared uncompressed size/],
  [Array.from({ length: 10_001 }, (_, at) => ({ name: `${at}`, data: Buffer.alloc(0) })), /10001 files in a zip are too many for a model/],
  [[text("readme.txt")], /no config\.json in this zip/],
  [model("").slice(0, 1), /no model\.safetensors there/],
];

await scenario(async ({ page }) => {
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  const expected = await page.classify(TEXT);
  for (const [how, entries] of GOOD) {
    await open(page, `${how}.zip`, zip(entries));
    console.log(await page.says(new RegExp(`^${how} \\(BERT, 4\\.4 M parameters\\)`)));
    assert.deepEqual(await page.classify(TEXT), expected, how);
  }
  for (const [entries, message] of BAD) {
    await open(page, "bad.zip", zip(entries));
    console.log(await page.says(message));
    assert.deepEqual(await page.classify(TEXT), expected, "the model from before has changed");
  }
  await open(page, "bad.zip", Buffer.from("This is no zip."));
  console.log(await page.says(/bad\.zip: not a readable zip file/));
  await open(page, "cut.zip", zip(model("")).subarray(0, 1_000_000));
  console.log(await page.says(/cut\.zip: not a readable zip file/));
});

async function open(page, name, bytes) {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  await page.files.setInputFiles(path);
}
