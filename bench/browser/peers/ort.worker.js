// onnxruntime-web with Hugging Face's own tokenizer: the least that stands between a text and its logits.
import { Tokenizer } from "/npm/@huggingface/tokenizers/dist/tokenizers.min.mjs";
import { predictions, serve } from "./serve.js";

let tokenizer;
let session;
let ort;

/** `options`: `file`, and `provider`, which is wasm or webgpu. */
async function open({ name, options: { file, provider } }) {
  ort = await import(`/npm/onnxruntime-web/dist/ort.${provider}.min.mjs`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/npm/onnxruntime-web/dist/";
  const [json, config] = await Promise.all(["tokenizer", "tokenizer_config"].map(async (file) => (await fetch(`${name}/${file}.json`)).json()));
  tokenizer = new Tokenizer(json, config);
  session = await ort.InferenceSession.create(`${name}/onnx/${file}.onnx`, { executionProviders: [provider] });
  return { type: "opened" };
}

/** One batch, padded to its longest text. */
async function classify({ texts }) {
  const rows = texts.map((text) => tokenizer.encode(text).ids);
  const longest = Math.max(...rows.map((row) => row.length));
  const tensor = (fill) => {
    const data = new BigInt64Array(rows.length * longest);
    rows.forEach((row, index) => row.forEach((id, at) => (data[index * longest + at] = fill(id))));
    return new ort.Tensor("int64", data, [rows.length, longest]);
  };
  const feeds = { input_ids: tensor(BigInt), attention_mask: tensor(() => 1n), token_type_ids: tensor(() => 0n) };
  const { logits } = await session.run(feeds);
  return predictions(await logits.getData(), logits.dims[1]);
}

serve({ open, classify });
