// `emberlab train --live`: the page shows the run as it trains, its curves and mistakes; its newest weights answer a text; at the end it
// says so, and the run folder is that of a run that nobody looked at.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { look } from "./axe.mjs";
import { dist, root, scenario, temporaryFolder } from "./harness.mjs";
import { emberlab } from "./native.mjs";

const folder = temporaryFolder();
symlinkSync(dist, join(folder, "dist"));
const file = (split) => join(root, `data/emotions/${split}.jsonl`);
const line = (out) => {
  const words = ["train", "--model", join(root, "models/bert-tiny"), "--train", `${file("train")}[:600]`, "--eval", `${file("eval")}[:100]`];
  return [...words, "--epochs", "12", "--batch-size", "8", "--device", "cpu", "--out", join(folder, out)];
};
let run;
process.on("exit", () => run?.kill());

async function start() {
  run = spawn(process.env.EMBERLAB_BIN, [...line("watched"), "--live"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  run.ended = new Promise((resolve) => run.on("exit", resolve));
  run.stdout.resume();
  for await (const line of createInterface({ input: run.stderr })) {
    const found = /^live +(http:\/\/127\.0\.0\.1:\d+\/)#live$/.exec(line);
    if (found) return { origin: new URL(found[1]).origin, prefix: "/", url: found[1], requests: [] };
  }
  throw new Error("it does not say where it is live");
}

await scenario(
  async ({ page }) => {
    const { tab } = page;
    await tab.getByRole("link", { name: "Live" }).waitFor();
    const view = tab.locator("#view-live");
    await view.getByText(/^Step \d+ of 900, epoch \d+ of 12, \d+:\d\d left$/).waitFor();
    await tab.locator("#live-text").fill("We laughed until we cried, what a day!");
    await view.getByText(/^Weights after step \d+$/).waitFor();
    assert.equal(await view.locator(".probabilities li").count(), 6);
    await view.locator("table tbody tr").first().waitFor();
    const first = Number((await view.getByText(/^Weights after step/).innerText()).match(/\d+/)[0]);
    await look(tab, "live");
    await page.until("newer weights answer", 30_000, async () => Number((await view.getByText(/^Weights after step/).innerText()).match(/\d+/)[0]) > first);
    await tab.locator("#language").selectOption("de");
    await view.getByText("Worin es sich irrt").first().waitFor();
    await tab.locator("#language").selectOption("en");
    await view.getByText(/^The training is complete/).waitFor({ timeout: 120_000 });
    assert.equal(await run.ended, 0);
    await look(tab, "live-complete");
    emberlab(...line("alone"));
    const weights = (out) => readFileSync(join(folder, out, "model.safetensors"));
    assert(weights("watched").equals(weights("alone")), "who looks on changes nothing");
  },
  { start, query: "#live", expectedErrors: [/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/] },
);
