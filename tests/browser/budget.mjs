// What a visitor downloads, as brotli (quality 11): the page, the CPU engine, and the WebGPU engine, which is loaded only where it is used.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { dist } from "./harness.mjs";

/** kB. The page is to have 60: ARCHITECTURE.md says what it is made of. */
const LIMITS = { page: 102, "CPU engine": 1200, "WebGPU engine": 2700 };

const files = readdirSync(dist, { withFileTypes: true }).filter((file) => file.isFile()).map(({ name }) => name);
const sums = Object.fromEntries(Object.keys(LIMITS).map((part) => [part, 0]));
for (const name of [...files, "strings/en.json"]) {
  const bytes = readFileSync(join(dist, name));
  const part = name.startsWith("engine-cpu") ? "CPU engine" : name.startsWith("engine-webgpu") ? "WebGPU engine" : "page";
  const { BROTLI_PARAM_LGWIN: window, BROTLI_PARAM_SIZE_HINT: size } = constants;
  const packed = brotliCompressSync(bytes, { params: { [window]: 24, [size]: bytes.length } }).length;
  console.log(`${part}: ${name} ${(packed / 1000).toFixed(1)} kB`);
  sums[part] += packed / 1000;
}
console.log(sums);
for (const [part, limit] of Object.entries(LIMITS)) assert(sums[part] <= limit, `${part}: ${sums[part]} kB of brotli, ${limit} are allowed`);
