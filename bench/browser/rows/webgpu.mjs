// Row 8: WebGPU on Chromium's software adapter, models/emotions (bert-tiny) in float32: forward 1×32 beside onnxruntime-web, and
// our own training step 16×64, with the dispatches that each request makes.
import { Side, agreement, interleave, launch, reason, workbench } from "../browser.mjs";
import { assertLength, textsOf } from "../texts.mjs";

const FORWARD = { name: "forward, bert-tiny 1×32", texts: textsOf(1, 32), tokens: 32 };
const TRAINING = { name: "training step, bert-tiny 16×64", texts: textsOf(16, 64), tokens: 64 };
const CONFIG = { epochs: 1000, batch_size: TRAINING.texts.length, learning_rate: 5e-5 };
const PEERS = [
  ["onnxruntime-web", { provider: "webgpu", file: "model" }],
  ["onnxruntime-web, graph fused ahead", { provider: "webgpu", file: "model_fused" }],
];
const COUNTED = ["/dist/engine-webgpu_loader.js", "/peers/ort.worker.js"];

export async function webgpu({ site, exported, quick }) {
  await exported("emotions");
  for (const script of COUNTED) site.prepend(script, 'import "/peers/dispatches.js";\n');
  const browser = await launch({ webgpu: true });
  const tab = await workbench(browser, site);
  const ours = await Side.start(tab, "ours", COUNTED[0]);
  await ours.open("/emotions");
  await assertLength(ours, FORWARD.texts, FORWARD.tokens);
  const rows = [...(await forward(tab, ours, quick)), ...(await trainingStep(ours, quick))];
  await browser.close();
  for (const script of COUNTED) site.prepend(script, null);
  return rows.map((row) => ({ row: 8, ...row }));
}

async function forward(tab, ours, quick) {
  const expected = await ours.logits(FORWARD.texts);
  const [sides, notes, unable] = [[ours], new Map(), []];
  for (const [name, options] of PEERS) {
    const side = await Side.start(tab, name, COUNTED[1], { ...options, peer: true });
    try {
      await side.open("/onnx/emotions");
      notes.set(name, agreement(expected, await side.logits(FORWARD.texts), name));
      sides.push(side);
    } catch (error) {
      unable.push({ case: FORWARD.name, side: name, unsupported: reason(error) });
      await side.end();
    }
  }
  const request = { type: "classify", texts: FORWARD.texts };
  const rows = await measured(FORWARD.name, sides, request, { rounds: quick ? 5 : 30, warmUp: quick ? 2 : 5 });
  return [...rows.map((row) => ({ ...row, note: row.note ?? notes.get(row.side) })), ...unable];
}

async function trainingStep(ours, quick) {
  const { name, texts, tokens } = TRAINING;
  await assertLength(ours, texts, tokens);
  await ours.ask({ type: "train_start", texts, labels: texts.map((_, index) => index % 6), config: CONFIG });
  return measured(name, [ours], { type: "train_steps", count: 1 }, { rounds: quick ? 1 : 3, warmUp: 1 });
}

/** Time and dispatches of a request to each side. */
async function measured(name, sides, request, repetitions) {
  const ms = await interleave(sides, () => request, repetitions);
  const times = sides.map((side) => ({ case: name, side: side.name, ms: ms.get(side.name) }));
  const dispatches = [];
  for (const side of sides) dispatches.push({ case: `${name}: dispatches`, side: side.name, ...(await counted(side, request)) });
  return [...times, ...dispatches];
}

/** What one more request of this kind makes a side ask of the GPU. */
async function counted(side, request) {
  const counts = async () => (await side.ask({ type: "dispatches" })).answer;
  const before = await counts();
  await side.ask(request);
  const after = await counts();
  return { dispatches: [after.dispatches - before.dispatches], note: `in ${after.submissions - before.submissions} submissions` };
}
