// The CPU engine opens a small model of each family: transformers' token ids, logits and gradients, and a training.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "./engine.mjs";
import { root, scenario } from "./harness.mjs";

const FAMILIES = ["roberta", "xlm-roberta", "distilbert", "electra", "modernbert", "modernbert-cls"];
// Each kind of tokenizer once.
const TOKENIZERS = ["roberta", "xlm-roberta", "distilbert", "modernbert"];
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const fixtures = join(root, "tests/fixtures");
const json = (...path) => JSON.parse(readFileSync(join(fixtures, ...path), "utf8"));

const strings = json("tokens.json").map(({ text, repeat }) => text ?? repeat[0].repeat(repeat[1]));

/** Long lists of ids are kept as their hash. */
function shortened(ids, expected) {
  if (Array.isArray(expected)) return ids;
  return { length: ids.length, sha256: createHash("sha256").update(ids.join(",")).digest("hex") };
}

const distance = (left, right) => Math.max(...left.map((value, index) => Math.abs(value - right[index])));

await scenario(async ({ page }) => {
  const engine = await Engine.start(page.tab, "./engine-cpu_loader.js");
  for (const family of FAMILIES) {
    const model = await engine.openPicked(join(fixtures, "families", family), FILES);
    assert(family.startsWith(model.architecture), `${family}: ${model.architecture}`);
    const expected = json("families", family, "page.json");

    if (TOKENIZERS.includes(family)) {
      const ids = await engine.tokenize(strings);
      json("families", family, "tokens.json").forEach((expected, index) => {
        const start = JSON.stringify(strings[index].slice(0, 40));
        assert.deepEqual(shortened(ids[index], expected), expected, `${family}: ${start}`);
      });
    }

    const { predictions } = await engine.ask({ type: "classify", texts: expected.texts });
    const logits = Math.max(...predictions.map(({ logits }, row) => distance(logits, expected.logits[row])));
    assert(logits < 1e-4, `${family}: logits differ by ${logits}`);

    const { loss, parameters } = await engine.gradients(expected.texts, expected.labels);
    assert(Math.abs(loss - expected.loss) < 1e-5, `${family}: loss ${loss}, expected ${expected.loss}`);
    assert.equal(parameters.length, expected.gradients.length, family);
    let worst = 0;
    for (const { name, norm, largest, first } of expected.gradients) {
      const found = parameters.find((it) => it.name === name);
      assert(found, `${family}: no gradient of ${name}`);
      // The key bias has no gradient (softmax ignores a shift): there, rounding noise only.
      const difference = Math.max(distance(found.first, first) / Math.max(largest, 1e-4), Math.abs(found.norm - norm) / Math.max(norm, 1e-3));
      assert(difference < 1e-3, `${family}: the gradient of ${name} differs by ${difference} of its largest`);
      worst = Math.max(worst, difference);
    }

    await engine.train(expected.texts, expected.labels, { epochs: 100, batch_size: 8, learning_rate: 5e-3 }, 20);
    const trained = await engine.ask({ type: "evaluate", texts: expected.texts, labels: expected.labels });
    assert.deepEqual(trained.predicted, expected.labels, `${family}: not all of the texts were learned`);
    console.log(`${family}: logits differ by ${logits.toExponential(1)}, gradients by ${worst.toExponential(1)}`);
  }
});
