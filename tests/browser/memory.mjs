// What a class of an hour does to a tab: 200 rows for three epochs within a minute, ten trainings and a thousand texts without growth.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Engine, keepWorkers } from "./engine.mjs";
import { root, scenario, sleep, temporaryFolder } from "./harness.mjs";
import { readJsonLines } from "./native.mjs";

const PAGE_BYTES = 4096;
/** MB; ten trainings that kept their models would have added 175, a thousand answers that leaked their text buffers far less. */
const NOISE = 40;
const rows = readJsonLines(join(root, "data/emotions/train.jsonl"));

await scenario(
  async ({ browser, page }) => {
    const { tab } = page;
    const devtools = await browser.newBrowserCDPSession();
    const inner = await tab.context().newCDPSession(tab);
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    await tab.getByRole("link", { name: "Fine-tune" }).click();

    await load(page, rows.slice(0, 200));
    await tab.getByLabel("Epochs").fill("3");
    const began = Date.now();
    const done = await train(page);
    const seconds = (Date.now() - began) / 1000;
    console.log(`200 rows × 3 epochs of bert-tiny, from click to done: ${seconds.toFixed(1)} s. ${done}`);
    assert(seconds <= 60);

    await tab.getByRole("button", { name: "Remove all rows" }).click();
    await load(page, rows.slice(0, 24));
    await tab.getByLabel("Epochs").fill("1");
    const used = [];
    for (let training = 1; training <= 10; training += 1) {
      await train(page);
      used.push(await megabytes(devtools, inner));
    }
    console.log("MB after each of ten trainings:", used.join(" "));

    const engine = await Engine.ofPage(tab, "./engine-cpu_loader.js");
    const texts = rows.slice(0, 100).map(({ text }) => text);
    const hundred = () => tab.evaluate(async ([engine, texts]) => {
      for (const text of texts) await engine.ask({ type: "classify", texts: [text] });
    }, [engine.handle, texts]);
    await hundred();
    const before = await megabytes(devtools, inner);
    for (let round = 0; round < 10; round += 1) await hundred();
    const after = await megabytes(devtools, inner);
    console.log(`MB before and after 1,000 texts: ${before} ${after}`);
    if (used[0] === 0) return console.log("SKIPPED: growth, because there is no /proc");
    const least = (values) => Math.min(...values);
    assert(least(used.slice(5)) - least(used.slice(0, 5)) <= NOISE, `ten trainings: ${used}`);
    assert(after - before <= NOISE, `a thousand texts: ${before}, ${after}`);
  },
  { prepare: keepWorkers },
);

async function load(page, rows) {
  const file = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await page.tab.locator("#rows-file").setInputFiles(file);
  await page.lineSays("rows-said", new RegExp(`^${rows.length} rows`));
}

/** Trains from click to done, and returns what is said then. */
async function train(page) {
  await page.tab.getByRole("button", { name: "Train", exact: true }).click();
  await page.trainingSays(/^(?!Done)/);
  return page.trainingSays(/^Done/);
}

/** The least of a few looks: what a training held is given back when the browser finds the time. */
async function megabytes(devtools, inner) {
  let least = Infinity;
  for (let look = 0; look < 4; look += 1) {
    await sleep(300);
    least = Math.min(least, await held(devtools, inner));
  }
  return least;
}

/** What the browser and the page's process hold after a collection; 0 where that cannot be known. */
async function held(devtools, inner) {
  await inner.send("HeapProfiler.collectGarbage");
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  const pages = processInfo.filter(({ type }) => ["browser", "renderer"].includes(type)).map(({ id }) => {
    const file = `/proc/${id}/statm`;
    return existsSync(file) ? Number(readFileSync(file, "utf8").split(" ")[1]) : 0;
  });
  return Math.round((pages.reduce((sum, count) => sum + count, 0) * PAGE_BYTES) / 1e6);
}
