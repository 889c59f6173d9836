// The CPU engine fine-tunes the open model: the loss falls, and what classifies afterwards are the trained weights.
import assert from "node:assert/strict";
import { join } from "node:path";
import { Engine } from "./engine.mjs";
import { root, scenario } from "./harness.mjs";
import { highest, readJsonLines } from "./native.mjs";

const CONFIG = { epochs: 15, batch_size: 8, learning_rate: 5e-4 };

await scenario(async ({ page }) => {
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  const engine = await Engine.start(page.tab, "./engine-cpu_loader.js");
  const names = await engine.open("models/emotions");
  await assert.rejects(engine.ask({ type: "train_steps", count: 1 }), /No training has begun/);

  // Sixteen sentences under each other's labels, which the model cannot know yet.
  const rows = readJsonLines(join(root, "data/emotions/train.jsonl")).slice(0, 16);
  const texts = rows.map(({ text }) => text);
  const labels = rows.map(({ label }) => (names.indexOf(label) + 1) % names.length);
  const before = await engine.classify(texts, names);
  await assert.rejects(engine.train(texts, labels.slice(1), CONFIG, 1), /expected one for each of 16 texts/);
  await assert.rejects(engine.train(texts, labels, { ...CONFIG, epochs: 0 }, 1), /epochs/);
  assert.deepEqual(await engine.classify(texts, names), before, "a refused training changes nothing");

  const { total, answers } = await engine.train(texts, labels, CONFIG, 4);
  const losses = answers.map(({ loss }) => loss);
  console.log("losses:", losses.map((loss) => loss.toFixed(3)).join(" "));
  assert.equal(total, 30);
  assert.deepEqual(answers.map(({ step }) => step), [4, 8, 12, 16, 20, 24, 28, 30]);
  assert.deepEqual(answers.map(({ epoch }) => epoch), [1, 3, 5, 7, 9, 11, 13, 14]);
  assert(losses.at(-1) < losses[0] / 2, "the loss did not fall");

  const after = await engine.classify(texts, names);
  const right = after.filter((row, index) => highest(row) === names[labels[index]]).length;
  console.log(`${right} of ${texts.length} sentences have the label that was taught`);
  assert(right > texts.length / 2, "the trained weights do not classify");
  await assert.rejects(engine.ask({ type: "train_steps", count: 1 }), /No training has begun/);

  await engine.open("models/emotions");
  assert.deepEqual(await engine.classify(texts, names), before, "the model opens again as it was");
});
