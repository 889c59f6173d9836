// A link to a model whose weights are spread over several files, as transformers saves large ones: all that its index names are loaded.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario } from "./harness.mjs";

const TEXT = "The dog greeted me as if I had been away for years.";
const folder = join(dist, "models/emotions");
const SHARDS = [1, 2].map((number) => `model-0000${number}-of-00002.safetensors`);

await scenario(
  async ({ context, page, site }) => {
    await page.backend.selectOption("CPU");
    await page.says(/^emotions .* CPU engine · ready/);
    const expected = await page.classify(TEXT);

    const files = spread(readFileSync(join(folder, "model.safetensors")));
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) files.set(name, readFileSync(join(folder, name)));
    const asked = [];
    await context.route(`${site.url}models/large/*`, (route) => {
      const name = route.request().url().split("/").at(-1);
      asked.push(name);
      return route.fulfill(files.has(name) ? { body: files.get(name) } : { status: 404 });
    });
    await page.tab.goto(`${site.url}?model=models/large`);
    await page.backend.selectOption("CPU");
    console.log(await page.says(/^large .* CPU engine · ready/));
    assert.deepEqual(await page.classify(TEXT), expected);
    assert.deepEqual(asked.filter((name) => name.startsWith("model")), ["model.safetensors", "model.safetensors.index.json", ...SHARDS]);

    files.delete(SHARDS[1]);
    await page.tab.evaluate(() => caches.delete("emberlab"));
    await page.tab.goto(`${site.url}?model=models/large`);
    console.log(await page.says(/model-00002-of-00002\.safetensors/));
  },
  { query: "?model=models/emotions", expectedErrors: [/404/] },
);

/** The files into which the weights of one are spread, every second tensor into the second, and their index. */
function spread(whole) {
  const length = Number(whole.readBigUInt64LE());
  const tensors = Object.entries(JSON.parse(whole.subarray(8, 8 + length))).filter(([key]) => key !== "__metadata__");
  const weight_map = Object.fromEntries(tensors.map(([key], index) => [key, SHARDS[index % 2]]));
  const files = SHARDS.map((name, shard) => {
    const header = {};
    const parts = [];
    let end = 0;
    for (const [key, { data_offsets: [from, to], ...about }] of tensors.filter((_, index) => index % 2 === shard)) {
      parts.push(whole.subarray(8 + length + from, 8 + length + to));
      header[key] = { ...about, data_offsets: [end, (end += to - from)] };
    }
    const json = Buffer.from(JSON.stringify(header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    return [name, Buffer.concat([size, json, ...parts])];
  });
  return new Map([...files, ["model.safetensors.index.json", JSON.stringify({ weight_map })]]);
}
