// A training that needs more memory than there is ends in words that say what needs less, and the page goes on: its open model classifies, and
// the same training in smaller batches runs.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario, temporaryFolder } from "./harness.mjs";
import { TYPED } from "./topics.mjs";

const PAGE = 65_536;
const LIMIT = 160_000_000;

await scenario(
  async ({ page }) => {
    const { tab } = page;
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    await tab.getByRole("link", { name: "Fine-tune" }).click();
    const rows = join(temporaryFolder(), "long.jsonl");
    const long = TYPED.map(({ text, label }) => ({ text: `${text} `.repeat(60), label }));
    writeFileSync(rows, long.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await tab.locator("#rows-file").setInputFiles(rows);
    await page.lineSays("rows-said", /^60 rows/);
    await tab.getByLabel("Epochs").fill("1");
    await tab.getByLabel("Tokens read of a text").fill("512");
    await tab.getByLabel("Batch size").fill("64");
    await tab.getByRole("button", { name: "Train", exact: true }).click();
    const said = await page.lineSays("training-said", /^The training ended.*more memory than the browser gives/, 120_000);
    console.log(said.input);

    await tab.getByLabel("Tokens read of a text").fill("64");
    await tab.getByLabel("Batch size").fill("8");
    await tab.getByRole("button", { name: "Train", exact: true }).click();
    console.log(await page.trainingSays(/^Done/));
    await tab.getByRole("link", { name: "Classify" }).click();
    assert(Object.keys(await page.classify("Boil the rice and add salt.")).length === 3);
  },
  {
    prepare: (context) => context.route(/engine-cpu_bg\.wasm/, (route) => route.fulfill({ contentType: "application/wasm", body: limited() })),
    expectedErrors: [/unreachable/],
  },
);

/** The engine with a memory that grows no further than the limit. */
function limited() {
  const wasm = readFileSync(join(dist, "engine-cpu_bg.wasm"));
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at];
    const [size, content] = leb(wasm, at + 1);
    if (id === 5) {
      const [count, flags] = [wasm[content], wasm[content + 1]];
      assert.deepEqual([count, flags], [1, 0], "one memory without a limit");
      const [least] = leb(wasm, content + 2);
      const body = Buffer.from([1, 1, ...bytes(least), ...bytes(Math.floor(LIMIT / PAGE))]);
      return Buffer.concat([wasm.subarray(0, at), Buffer.from([5, ...bytes(body.length)]), body, wasm.subarray(content + size)]);
    }
    at = content + size;
  }
  throw new Error("no memory section");
}

/** An unsigned LEB128 number, and where it ends. */
function leb(wasm, at) {
  for (let value = 0, shift = 0; ; shift += 7, at += 1) {
    value |= (wasm[at] & 127) << shift;
    if (wasm[at] < 128) return [value, at + 1];
  }
}

function bytes(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...bytes(value >> 7)];
}
