// Row 10: what a visitor downloads, and the time from navigation to the first classification on the page, with nothing cached:
// our page beside a page with transformers.js, the same model, from the same host, which compresses text and WebAssembly.
import { launch, reason, round3 } from "../browser.mjs";

const TEXT = "I can't stop smiling, the whole house smells of cake and everyone I love is here!";
const peer = (name, query) => ({ name, path: `/peers/first-result.html?${query}` });
const OURS = { name: "ours", path: "/dist/index.html" };
/** The same weights, and in a case of their own the library's preset, 8-bit weights, which are other ones. */
const CASES = [
  {
    name: "first result",
    sides: [
      OURS,
      peer("transformers.js, fp32", "dtype=fp32&wasm=default"),
      peer("transformers.js, fp16", "dtype=fp16&wasm=default"),
      peer("transformers.js, fp32, smallest wasm", "dtype=fp32&wasm=plain"),
      peer("transformers.js, fp16, smallest wasm", "dtype=fp16&wasm=plain"),
    ],
  },
  {
    name: "first result, peer with 8-bit weights",
    sides: [OURS, peer("transformers.js, q8", "dtype=q8&wasm=default"), peer("transformers.js, q8, smallest wasm", "dtype=q8&wasm=plain")],
  },
];
const MODEL = /\.(safetensors|onnx)$|tokenizer|config\.json/;
// The host compresses in the first round: a minute and more for each engine on a slow machine.
const PATIENCE = 900_000;

export async function firstResult({ packed, exported, quick }) {
  await exported("emotions");
  const browser = await launch();
  const rows = [];
  for (const { name, sides } of CASES) rows.push(...(await compare({ browser, site: packed, name, sides, rounds: quick ? 2 : 5 })));
  await browser.close();
  return rows.map((row) => ({ row: 10, ...row }));
}

async function compare({ browser, site, name, sides, rounds }) {
  const found = sides.map((side) => ({ ...side, ms: [] }));
  // The first round, which does not count, lets the host compress its files.
  for (let round = -1; round < rounds; round += 1) {
    for (const side of found.filter(({ unsupported }) => !unsupported)) {
      try {
        const { ms, label, sent } = await visit(browser, site, side.path);
        if (round >= 0) side.ms.push(round3(ms));
        Object.assign(side, { label, sent });
      } catch (error) {
        if (side.name === "ours") throw error;
        side.unsupported = reason(error);
      }
    }
  }
  const able = found.filter(({ unsupported }) => !unsupported);
  const other = able.find(({ label }) => label !== able[0].label);
  if (other) throw new Error(`${other.name} says ${other.label} where ours says ${able[0].label}`);
  const times = found.map(({ name: side, ms, unsupported }) => ({ case: name, side, ...(unsupported ? { unsupported } : { ms }) }));
  return [...times, ...able.map(({ name: side, sent }) => ({ case: `${name}: download`, side, ...download(sent) }))];
}

/** One visit with an empty cache; the text stands in its box before anything else runs. */
async function visit(browser, site, path) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  const failed = new Promise((_, reject) => {
    tab.on("pageerror", (error) => reject(error));
    tab.on("console", (message) => message.type() === "error" && reject(new Error(message.text())));
  });
  failed.catch(() => {});
  await tab.addInitScript(watchForResult, TEXT);
  site.sent = [];
  try {
    await tab.goto(site.origin + path);
    const result = tab.waitForFunction(() => window.firstResult, null, { timeout: PATIENCE, polling: 50 });
    result.catch(() => {});
    const { ms, label } = await (await Promise.race([result, failed])).jsonValue();
    const lost = site.sent.filter(({ status }) => status !== 200);
    if (lost.length > 0) throw new Error(`${lost[0].path} was not found`);
    return { ms, label, sent: site.sent };
  } finally {
    await context.close();
  }
}

/** Bytes of the answers' bodies. */
function download(sent) {
  const sum = (files) => files.reduce((total, { bytes }) => total + bytes, 0);
  const [bytes, model] = [sum(sent), sum(sent.filter(({ path }) => MODEL.test(path)))];
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  return { bytes: [bytes], note: `code ${mb(bytes - model)}, model ${mb(model)}` };
}

/** Runs in the page before anything else: fills the box as soon as it is there, and notes when the list of classes is. */
function watchForResult(text) {
  const watcher = new MutationObserver(() => {
    const box = document.getElementById("text");
    if (box && !box.value) box.value = text;
    const first = document.querySelector("#probabilities li");
    if (!first || !/%/.test(first.textContent)) return;
    watcher.disconnect();
    const shown = [...document.querySelectorAll("#probabilities li")].map((item) => /^(.+) (\d+\.\d+)%/.exec(item.textContent));
    const [, label] = shown.reduce((most, next) => (Number(next[2]) > Number(most[2]) ? next : most));
    window.firstResult = { ms: performance.now(), label };
  });
  watcher.observe(document, { childList: true, subtree: true, characterData: true });
}
