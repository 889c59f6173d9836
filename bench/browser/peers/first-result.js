// The smallest page with transformers.js: its pipeline on the main thread, which is its quickest way to a first result.
// `?dtype=` as transformers.js names it; `?wasm=` "default" for the WebAssembly file that the library picks, "plain" for the
// smallest one of onnxruntime-web that runs on the CPU.
import { env, pipeline } from "/npm/@huggingface/transformers/dist/transformers.min.js";

const wished = new URLSearchParams(location.search);
const plain = { mjs: "/ort/ort-wasm-simd-threaded.mjs", wasm: "/ort/ort-wasm-simd-threaded.wasm" };
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = "/onnx/";
env.backends.onnx.wasm.wasmPaths = wished.get("wasm") === "plain" ? plain : "/ort/";

const classify = await pipeline("text-classification", "emotions", { device: "wasm", dtype: wished.get("dtype") });
const found = await classify(document.getElementById("text").value, { top_k: null });
const items = found.map(({ label, score }) => {
  const item = document.createElement("li");
  item.textContent = `${label} ${(100 * score).toFixed(2)}%`;
  return item;
});
document.getElementById("probabilities").append(...items);
