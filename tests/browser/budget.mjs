// What a visitor downloads, as brotli (quality 11): the page, the CPU engine, and the WebGPU engine, which is loaded only where it is used.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { dist } from "./harness.mjs";

/** kB: what each is to weigh, and what it may not exceed until then. ARCHITECTURE.md says what the page is made of. */
const LIMITS = { page: { asked: 60, most: 104 }, "CPU engine": { asked: 1200, most: 1200 }, "WebGPU engine": { asked: 2700, most: 2700 } };

const LATER = "offline.json"; // and what it lists, once the page has answered
const files = readdirSync(dist, { withFileTypes: true }).filter((file) => file.isFile() && file.name !== LATER).map(({ name }) => name);
const sums = Object.fromEntries(Object.keys(LIMITS).map((part) => [part, 0]));
for (const name of [...files, "strings/en.json"]) {
  const bytes = readFileSync(join(dist, name));
  const part = name.startsWith("engine-cpu") ? "CPU engine" : name.startsWith("engine-webgpu") ? "WebGPU engine" : "page";
  const { BROTLI_PARAM_LGWIN: window, BROTLI_PARAM_SIZE_HINT: size } = constants;
  const packed = brotliCompressSync(bytes, { params: { [window]: 24, [size]: bytes.length } }).length;
  console.log(`${part}: ${name} ${(packed / 1000).toFixed(1)} kB`);
  sums[part] += packed / 1000;
}
for (const [part, { asked, most }] of Object.entries(LIMITS)) {
  const sum = sums[part].toFixed(1);
  console.log(`${part}: ${sum} kB in all${sums[part] > asked ? `, which is MORE than the ${asked} that were asked for` : ""}`);
  assert(sums[part] <= most, `${part}: ${sum} kB, more than the ${most} that it may have`);
}
