// Measures the built page beside its peers in one Chromium, and prints one JSON document:
//
//   node bench.mjs --dist DIR --model DIR --onnx-dir DIR --python PYTHON [--row N …] [--quick]
//
//   { "versions": { … }, "rows": [{ "row": 7, "case": "MiniLM-L6 1×128", "side": "ours", "ms": [ … ] }, …] }
//
// `--dist` is the built page, `--model` a fine-tuned MiniLM-L6 folder (row 7; the other rows take models/emotions and
// models/bert-tiny of this repository), `--onnx-dir` a folder for what is made once (ONNX files, brotli files), `--python` an
// interpreter with torch, transformers, onnx and onnxruntime. A side of a case has its samples under `ms`, `bytes` (downloaded) or
// `dispatches` (of the GPU, for one request) and sometimes a `note`; or `unsupported`: why the peer cannot do the work. Progress goes to
// standard error.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch } from "./browser.mjs";
import { Site } from "./server.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const ROWS = {
  7: async () => (await import("./rows/cpu-forward.mjs")).cpuForward,
  8: async () => (await import("./rows/webgpu.mjs")).webgpu,
  9: async () => (await import("./rows/training.mjs")).training,
  10: async () => (await import("./rows/first-result.mjs")).firstResult,
};

const { values } = parseArgs({
  options: {
    dist: { type: "string", default: join(root, "dist") },
    model: { type: "string" },
    "onnx-dir": { type: "string" },
    python: { type: "string", default: "python3" },
    row: { type: "string", multiple: true, default: Object.keys(ROWS) },
    quick: { type: "boolean", default: false },
  },
});

try {
  console.log(JSON.stringify(await measure()));
} catch (error) {
  console.error(error.stack);
  process.exitCode = 1;
}
process.exit();

async function measure() {
  for (const name of ["model", "onnx-dir"]) if (!values[name]) throw new Error(`--${name} DIR is missing`);
  if (!existsSync(join(values.dist, "index.html"))) throw new Error(`${values.dist} holds no page; remedy: cargo xtask page`);
  const models = { model: resolve(values.model), emotions: join(root, "models/emotions"), "bert-tiny": join(root, "models/bert-tiny") };
  const onnx = resolve(values["onnx-dir"]);
  const npm = join(here, "node_modules");
  const ort = join(npm, "@huggingface/transformers/node_modules/onnxruntime-web/dist");
  const folders = { ...models, dist: resolve(values.dist), peers: join(here, "peers"), npm, onnx, ort };
  const context = {
    quick: values.quick,
    site: await new Site(folders).start(),
    /** The same folders from a host that compresses. */
    packed: await new Site(folders, join(onnx, "brotli")).start(),
    exported: async (name) => exportOnnx(models[name], join(onnx, name)),
  };
  const rows = [];
  for (const row of values.row) {
    if (!ROWS[row]) throw new Error(`--row ${row}: there are ${Object.keys(ROWS)}`);
    console.error(`row ${row} …`);
    rows.push(...(await (await ROWS[row]())(context)));
  }
  return { versions: await versions(npm), rows };
}

/** Makes the ONNX files of a model folder unless they were made from the same weights by the same script. */
function exportOnnx(model, out) {
  const script = join(here, "export.py");
  const hash = createHash("sha256").update(readFileSync(join(model, "model.safetensors"))).update(readFileSync(script)).digest("hex");
  const mark = join(out, "source.sha256");
  if (existsSync(mark) && readFileSync(mark, "utf8") === hash) return;
  console.error(`exporting ${model} to ONNX …`);
  mkdirSync(out, { recursive: true });
  const { status, error } = spawnSync(values.python, [script, model, out], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`${values.python} could not export ${model}: ${error ?? `exit ${status}`}; it needs torch, transformers, onnx and onnxruntime`);
  writeFileSync(mark, hash);
}

async function versions(npm) {
  const version = (name) => JSON.parse(readFileSync(join(npm, name, "package.json"), "utf8")).version;
  const names = ["onnxruntime-web", "@huggingface/transformers", "@huggingface/tokenizers", "@tensorflow/tfjs"];
  const browser = await launch();
  const chromium = browser.version();
  await browser.close();
  return { node: process.version, chromium, ...Object.fromEntries(names.map((name) => [name, version(name)])) };
}
