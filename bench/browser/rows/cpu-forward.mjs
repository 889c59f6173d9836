// Row 7: forward on the CPU, MiniLM-L6 in float32, ours beside onnxruntime-web and transformers.js, one thread each.
import { Side, agreement, interleave, launch, workbench } from "../browser.mjs";
import { assertLength, textsOf } from "../texts.mjs";

const CASES = [
  { name: "MiniLM-L6 1×128", texts: textsOf(1, 128), tokens: 128, rounds: 20 },
  { name: "MiniLM-L6 8×64", texts: textsOf(8, 64), tokens: 64, rounds: 10 },
];
const PEERS = [
  ["onnxruntime-web", "/peers/ort.worker.js", { provider: "wasm", file: "model" }],
  ["onnxruntime-web, graph fused ahead", "/peers/ort.worker.js", { provider: "wasm", file: "model_fused" }],
  ["transformers.js", "/peers/transformers.worker.js", { dtype: "fp32", device: "wasm" }],
];

export async function cpuForward({ site, exported, quick }) {
  await exported("model");
  const browser = await launch();
  const tab = await workbench(browser, site);
  const ours = await Side.start(tab, "ours", "/dist/engine-cpu_loader.js");
  await ours.open("/model");
  const sides = [ours];
  for (const [name, script, options] of PEERS) {
    const side = await Side.start(tab, name, script, { ...options, peer: true });
    await side.open("/onnx/model");
    sides.push(side);
  }
  const rows = [];
  for (const { name, texts, tokens, rounds } of CASES) {
    await assertLength(ours, texts, tokens);
    const expected = await ours.logits(texts);
    const notes = new Map();
    for (const side of sides.slice(1)) notes.set(side.name, agreement(expected, await side.logits(texts), side.name));
    const ms = await interleave(sides, () => ({ type: "classify", texts }), { rounds: quick ? 3 : rounds, warmUp: quick ? 1 : 3 });
    for (const [side, samples] of ms) rows.push({ row: 7, case: name, side, ms: samples, note: notes.get(side) });
  }
  await browser.close();
  return rows;
}
