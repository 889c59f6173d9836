// The WebGPU engine, on Chromium's software adapter, agrees with the CPU engine until its GPU is taken away.
import assert from "node:assert/strict";
import { Engine, keepWorkers } from "./engine.mjs";
import { scenario } from "./harness.mjs";
import { assertAgreement, highest } from "./native.mjs";

const TEXTS = ["I miss her so much.", "What a wonderful morning!", "Who's there?", "Don't you dare touch my things again."];
const LABELS = [0, 1, 4, 3];
const MINUTES = 60_000;
/** Part of a tensor's norm: 3e-7 was measured, and 2.5e-4 with the gradient of another GELU. */
const GRADIENT_TOLERANCE = 1e-5;
/** Part of the largest norm below which a gradient is rounding: the keys' biases, which softmax takes no notice of. */
const ROUNDING = 1e-4;

await scenario(
  async ({ browser, page }) => {
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    await page.backend.selectOption("WebGPU");
    await page.says(/CPU engine · ready .*Looking for a GPU; the CPU engine answers meanwhile\./);
    const cpu = await Engine.start(page.tab, "./engine-cpu_loader.js");
    const labels = await cpu.open("models/emotions");
    const probabilities = await cpu.classify(TEXTS, labels);
    const expected = probabilities.map((row, index) => ({ text: TEXTS[index], label: highest(row), probabilities: row }));
    console.log(await timed("WebGPU took over", () => page.says(/WebGPU engine · ready/, 10 * MINUTES)));

    const gpu = await Engine.ofPage(page.tab, "./engine-webgpu_loader.js");
    const found = await timed("4 texts", () => gpu.classify(TEXTS, labels));
    console.log("largest difference of the probabilities:", assertAgreement(expected, found));
    const shown = await timed("1 text in the page", () => page.classify(TEXTS[0], 5 * MINUTES));
    await page.says(/WebGPU engine · \d+ ms/);
    assertAgreement(expected.slice(0, 1), [shown], { shown: true });

    const gradients = await timed("gradients", () => gpu.gradients(TEXTS, LABELS));
    compareGradients(await cpu.gradients(TEXTS, LABELS), gradients);

    const devtools = await browser.newBrowserCDPSession();
    devtools.send("Browser.crashGpuProcess").catch(() => {}); // there is nobody left to answer
    console.log(await page.says(/The WebGPU engine stopped: .+ The CPU engine answers\./));
    assertAgreement(expected.slice(1, 2), [await page.classify(TEXTS[1])], { shown: true });
    await page.says(/CPU engine · \d+ ms .*The WebGPU engine stopped: .+/);
  },
  { webgpu: true, prepare: keepWorkers },
);

/** Every tensor's norm, and its first values, within the tolerance of its norm. */
function compareGradients(expected, found) {
  const names = ({ parameters }) => parameters.map(({ name }) => name).sort();
  assert.deepEqual(names(found), names(expected));
  const largest = Math.max(...expected.parameters.map(({ norm }) => norm));
  const byName = new Map(found.parameters.map((parameter) => [parameter.name, parameter]));
  const worst = expected.parameters.map(({ name, norm, first }) => {
    const other = byName.get(name);
    const differences = first.map((value, index) => Math.abs(value - other.first[index]));
    return { name, norm, relative: Math.max(Math.abs(norm - other.norm), ...differences) / Math.max(norm, ROUNDING * largest) };
  });
  worst.sort((a, b) => b.relative - a.relative);
  console.log("loss", expected.loss, found.loss, "furthest gradients", worst.slice(0, 4));
  assert(Math.abs(expected.loss - found.loss) <= 1e-3, `the losses are ${expected.loss} and ${found.loss}`);
  assert(worst[0].relative <= GRADIENT_TOLERANCE, `${worst[0].name}: the gradient is ${worst[0].relative} of its norm off`);
}

async function timed(what, act) {
  const began = Date.now();
  const result = await act();
  console.log(`${what} after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return result;
}
