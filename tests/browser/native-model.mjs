// A folder that the native command has just written opens in the page, which then agrees with it on 100 texts.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Engine, keepWorkers } from "./engine.mjs";
import { root, scenario, temporaryFolder } from "./harness.mjs";
import { assertAgreement, emberlab, hundredTexts, predict, readJsonLines, writeJsonLines } from "./native.mjs";

const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

const folder = process.env.EMBERLAB_MINILM ?? trained();
const labels = Object.values(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).id2label);
const native = predict(folder, hundredTexts());

await scenario(
  async ({ page }) => {
    await page.backend.selectOption("CPU");
    await page.says(/^emotions .* · CPU engine · ready/);
    await page.files.setInputFiles(FILES.map((name) => join(folder, name)));
    console.log(await page.says(/^your model \(BERT, .* · CPU engine · ready/));

    const engine = await Engine.ofPage(page.tab, "./engine-cpu_loader.js");
    const found = await engine.classify(native.map(({ text }) => text), labels);
    console.log("largest difference of 100 texts:", assertAgreement(native, found));

    const few = native.filter((_, index) => index % 10 === 3);
    const shown = [];
    for (const { text } of few) shown.push(await page.classify(text));
    console.log(await page.says(/^your model .* · CPU engine · \d+ ms/));
    console.log(`largest difference of ${few.length} texts as shown:`, assertAgreement(few, shown, { shown: true }));
  },
  { prepare: keepWorkers },
);

/** A run folder of MiniLM or, where there is none, of the embedded model: a few steps are enough for a format. */
function trained() {
  const minilm = join(root, "../shared/models/minilm-l6");
  if (!existsSync(minilm)) console.log(`SKIPPED: MiniLM in the page, because ${minilm} is missing; the embedded model takes its place`);
  const model = existsSync(minilm) ? minilm : join(root, "models/bert-tiny");
  const [rows, out] = [join(temporaryFolder(), "train.jsonl"), join(temporaryFolder(), "run")];
  const short = readJsonLines(join(root, "data/emotions/train.jsonl")).filter(({ text }) => text.length < 80);
  writeJsonLines(rows, short.slice(0, 64));
  const recipe = ["--epochs", "2", "--batch-size", "16", "--learning-rate", "5e-4", "--max-length", "32", "--device", "cpu"];
  emberlab("train", "--model", model, "--train", rows, "--out", out, ...recipe);
  return out;
}
