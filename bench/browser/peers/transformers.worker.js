// transformers.js as its pipeline calls it: tokenizer, then model.
import { env, AutoModelForSequenceClassification, AutoTokenizer } from "/npm/@huggingface/transformers/dist/transformers.min.js";
import { predictions, serve } from "./serve.js";

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.backends.onnx.wasm.wasmPaths = "/ort/";
env.backends.onnx.wasm.numThreads = 1;

let tokenizer;
let model;

/** `options`: `dtype` and `device`, in transformers.js' names. */
async function open({ name, options: { dtype, device } }) {
  const slash = name.lastIndexOf("/");
  env.localModelPath = name.slice(0, slash + 1);
  tokenizer = await AutoTokenizer.from_pretrained(name.slice(slash + 1));
  model = await AutoModelForSequenceClassification.from_pretrained(name.slice(slash + 1), { dtype, device });
  return { type: "opened" };
}

async function classify({ texts }) {
  const { logits } = await model(tokenizer(texts, { padding: true, truncation: true }));
  return predictions(logits.data, logits.dims[1]);
}

serve({ open, classify });
