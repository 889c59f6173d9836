// Row 9: one training step of models/emotions (BERT of 2 layers, hidden 128), 16 texts of 64 tokens, ours beside TensorFlow.js.
// Ours clips by the global norm and decays weights (AdamW); TensorFlow.js has Adam only, so its step is a little less work.
import { Side, agreement, interleave, launch, reason, round3, workbench } from "../browser.mjs";
import { assertLength, textsOf } from "../texts.mjs";

const TOKENS = 64;
const TEXTS = textsOf(16, TOKENS);
const LABELS = TEXTS.map((_, index) => index % 6);
const CONFIG = { epochs: 100_000, batch_size: TEXTS.length, learning_rate: 5e-5 };

const peer = (name, options) => ({ name, script: "/peers/tfjs.worker.js", options: { ...options, peer: true, classic: true } });
const dropout = 0.1;
const ON_CPU = [
  { name: "ours", script: "/dist/engine-cpu_loader.js" },
  peer("TensorFlow.js wasm", { backend: "wasm", gather: "scatter", dropout }),
  peer("TensorFlow.js wasm, transposed by hand", { backend: "wasm", gather: "scatter", matMul: "transposed", dropout }),
  peer("TensorFlow.js wasm, transposed by hand, no dropout", { backend: "wasm", gather: "scatter", matMul: "transposed" }),
  peer("TensorFlow.js wasm, its own tf.gather", { backend: "wasm", dropout }),
];
const ON_WEBGPU = [
  { name: "ours", script: "/dist/engine-webgpu_loader.js" },
  peer("TensorFlow.js webgpu", { backend: "webgpu", dropout }),
];

const NAME = "training step, bert-tiny 16×64";

export async function training({ site, quick }) {
  const cpu = await compare({ site, sides: ON_CPU, webgpu: false, steps: 2, rounds: quick ? 3 : 10 });
  const webgpu = await compare({ site, sides: ON_WEBGPU, webgpu: true, steps: 1, rounds: quick ? 1 : 3 });
  const rows = (name, found) => found.map((row) => ({ row: 9, case: name, ...row }));
  return [...rows(`${NAME}, CPU`, cpu), ...rows(`${NAME}, WebGPU on a software adapter`, webgpu)];
}

/** Milliseconds a step of each side; a request is `steps` of them, with one look at the loss. */
async function compare({ site, sides, webgpu, steps, rounds }) {
  const request = { type: "train_steps", count: steps };
  const browser = await launch({ webgpu });
  const tab = await workbench(browser, site);
  const [able, notes, unable] = [[], new Map(), []];
  let expected;
  for (const { name, script, options } of sides) {
    const side = await Side.start(tab, name, script, options);
    try {
      await side.open("/emotions");
      if (expected) notes.set(name, agreement(expected, await side.logits(TEXTS), name));
      else await assertLength(side, TEXTS, TOKENS);
      expected ??= await side.logits(TEXTS);
      await side.ask({ type: "train_start", texts: TEXTS, labels: LABELS, config: CONFIG });
      await side.ask(request); // the warm-up
      able.push(side);
    } catch (error) {
      if (name === "ours") throw error;
      unable.push({ side: name, unsupported: reason(error) });
      await side.end();
    }
  }
  const ms = await interleave(able, () => request, { rounds, warmUp: 0 });
  await browser.close();
  const perStep = (name) => ms.get(name).map((value) => round3(value / steps));
  return [...able.map(({ name }) => ({ side: name, ms: perStep(name), note: notes.get(name) })), ...unable];
}
