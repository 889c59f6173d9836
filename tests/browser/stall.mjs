// On Automatic, what looks like a real adapter lets the WebGPU engine take over; when it stalls, the page ends it and says so.
// The engine's file is a stand-in that passes everything on to the CPU engine until a text tells it to be silent.
import assert from "node:assert/strict";
import { scenario } from "./harness.mjs";

const STAND_IN = `
const cpu = new Worker("./engine-cpu_loader.js", { type: "module" });
let silent = false;
cpu.onmessage = ({ data }) => silent || postMessage(data);
onmessage = ({ data }) => {
  silent ||= Boolean(data.texts?.some((text) => text.includes("SILENCE")));
  if (!silent) cpu.postMessage(data);
};`;

/** An adapter that calls itself an NVIDIA one. */
async function prepare(context) {
  await context.addInitScript(() => {
    if (window.GPU) GPU.prototype.requestAdapter = async () => ({ info: { vendor: "nvidia", architecture: "ampere" } });
  });
  const body = { contentType: "text/javascript", body: STAND_IN };
  await context.route(/engine-webgpu_loader\.js/, (route) => route.fulfill(body));
}

await scenario(
  async ({ page }) => {
    await page.says(/WebGPU engine · ready/);
    await page.classify("What a day!");
    await page.says(/WebGPU engine · \d+ ms/);
    const began = Date.now();
    await page.enter("SILENCE, please.");
    await page.says(/CPU engine · \d+ ms .*gave no answer for 20 s and was ended\. The CPU engine answers\./);
    assert(Date.now() - began < 25_000);
  },
  { webgpu: true, prepare },
);
