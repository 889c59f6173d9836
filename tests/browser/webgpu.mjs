// The WebGPU engine, on Chromium's software adapter, classifies and trains as the CPU engine does, until its GPU is taken away.
import assert from "node:assert/strict";
import { Engine, keepWorkers } from "./engine.mjs";
import { scenario } from "./harness.mjs";
import { assertAgreement, highest } from "./native.mjs";

const TEXTS = ["I miss her so much.", "What a wonderful morning!", "Who's there?", "Don't you dare touch my things again."];
const LABELS = [0, 1, 4, 3];
const MINUTES = 60_000;
/** Part of a tensor's norm: 3e-7 was measured, and 2.5e-4 with the gradient of another GELU. */
const GRADIENT_TOLERANCE = 1e-5;
/** In losses and probabilities, after steps that move them by tenths: 1e-6 and 6e-8 were measured. */
const TRAINING_TOLERANCE = 1e-5;
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

    await trainsAlike(cpu, gpu, labels);

    const devtools = await browser.newBrowserCDPSession();
    devtools.send("Browser.crashGpuProcess").catch(() => {}); // there is nobody left to answer
    console.log(await page.says(/The WebGPU engine stopped: .+ The CPU engine answers\./));
    assertAgreement(expected.slice(1, 2), [await page.classify(TEXTS[1])], { shown: true });
    await page.says(/CPU engine · \d+ ms .*The WebGPU engine stopped: .+/);
  },
  { webgpu: true, prepare: keepWorkers },
);

/** Three steps of fine-tuning without dropout, of which the two behind the warm-up move the weights. */
async function trainsAlike(cpu, gpu, labels) {
  const texts = [...TEXTS, "I was so happy to see them again.", "They broke into the house at night."];
  const taught = texts.map((_, index) => (index * 2 + 1) % labels.length); // what the model does not say by itself
  for (const engine of [cpu, gpu]) await engine.open("models/emotions", { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
  const before = await cpu.classify(texts, labels);
  const recipe = { epochs: 1, batch_size: 2, learning_rate: 1e-3 };
  const train = async (engine) => (await engine.train(texts, taught, recipe, 1)).answers.map(({ loss }) => loss);
  const [expected, found] = [await train(cpu), await timed("three training steps", () => train(gpu))];
  console.log("losses on the CPU", expected, "on WebGPU", found);
  assert.equal(found.length, 3);
  expected.forEach((loss, step) => assert(Math.abs(loss - found[step]) <= TRAINING_TOLERANCE, `step ${step}: ${loss} and ${found[step]}`));
  const [after, other] = [await cpu.classify(texts, labels), await gpu.classify(texts, labels)];
  const [moved, apart] = [furthest(before, after), furthest(after, other)];
  console.log(`the steps moved the probabilities by ${moved}; the engines are ${apart} apart`);
  assert(moved > 0.05 && apart <= TRAINING_TOLERANCE);
}

/** The largest difference of two lists of label → probability. */
function furthest(some, others) {
  const differences = some.flatMap((row, index) => Object.entries(row).map(([label, value]) => Math.abs(value - others[index][label])));
  return Math.max(...differences);
}

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
