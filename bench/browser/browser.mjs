// Chromium, and the workers of both sides in one page of it.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
FLAGS.push("--disable-background-networking", "--disable-component-update", "--disable-sync");

/** `webgpu` switches on Chromium's software adapter, as tests/browser does. */
export function launch({ webgpu = false } = {}) {
  return chromium.launch({ executablePath: chromiumPath(), args: webgpu ? [...FLAGS, "--enable-unsafe-webgpu"] : FLAGS });
}

function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = process.env.PATH.split(delimiter);
  const found = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found) throw new Error("no Chromium on PATH; install it, or name its program in the variable CHROMIUM");
  return found;
}

/** A blank page of the site, from which workers are started. */
export async function workbench(browser, site) {
  const tab = await (await browser.newContext()).newPage();
  tab.setDefaultTimeout(0);
  await tab.goto(`${site.origin}/peers/workbench.html`);
  return tab;
}

/** One side: a worker that speaks the protocol of web/src/messages.rs, ours or a peer's. */
export class Side {
  static async start(tab, name, script, options = {}) {
    const handle = await tab.evaluateHandle(([script, options]) => window.startWorker(script, options), [script, options]);
    return new Side(tab, name, handle);
  }

  constructor(tab, name, handle) {
    this.tab = tab;
    this.name = name;
    this.handle = handle;
  }

  /** Opens a model folder of the site. */
  open(folder) {
    return this.tab.evaluate(([worker, folder]) => worker.open(folder), [this.handle, folder]);
  }

  /** { answer, ms }: the wall time from posting the request to its answer, both measured in the page. */
  ask(request) {
    return this.tab.evaluate(([worker, request]) => worker.ask(request), [this.handle, request]);
  }

  async logits(texts) {
    const { answer } = await this.ask({ type: "classify", texts });
    return answer.predictions.map(({ logits }) => logits);
  }

  end() {
    return this.tab.evaluate((worker) => worker.end(), this.handle);
  }
}

/** Milliseconds of `rounds` requests to each side, side after side in each round, after `warmUp` rounds that do not count. */
export async function interleave(sides, request, { rounds, warmUp }) {
  const ms = new Map(sides.map((side) => [side.name, []]));
  for (let round = 0; round < warmUp + rounds; round += 1) {
    // Each round begins with another side, so that none always follows the same one.
    for (let index = 0; index < sides.length; index += 1) {
      const side = sides[(round + index) % sides.length];
      const measured = await side.ask(request(side));
      if (round >= warmUp) ms.get(side.name).push(round3(measured.ms));
    }
  }
  return ms;
}

export const round3 = (value) => Math.round(value * 1000) / 1000;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Fails where two sides' logits differ by more than 1e-3; says by how much they do. */
export function agreement(ours, theirs, name) {
  const distance = Math.max(...ours.flatMap((row, index) => row.map((value, at) => Math.abs(value - theirs[index][at]))));
  if (!(distance <= 1e-3)) throw new Error(`the logits of ${name} are ${distance} off ours; at most 1e-3 is allowed`);
  return `logits within ${distance.toExponential(1)} of ours`;
}

/** Why a peer cannot do something, in one line: what is left of an error that came through worker, page and driver. */
export const reason = (error) => String(error.message).split("\n")[0].replace(/^.*?\.js: /, "").replace(/^Error: /, "");
