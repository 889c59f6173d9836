// What a class does: rows are typed, a model learns them while its curves are drawn, and the zip that is saved answers alike in the
// page, in the native command and in transformers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Engine, keepWorkers } from "./engine.mjs";
import { root, scenario, temporaryFolder } from "./harness.mjs";
import { assertAgreement, highest, hundredTexts, predict, writeJsonLines } from "./native.mjs";
import { longestTask } from "./tasks.mjs";
import { TYPED } from "./topics.mjs";
import { unzip } from "./zip.mjs";

const MINUTES = 60_000;
const LABELS = ["food", "sport", "weather"];
const TEXTS = [...hundredTexts(), "We won the game after extra time.", "Boil the rice and add salt.", "Clouds and rain again tomorrow."];

await scenario(
  async ({ browser, page }) => {
    const { tab } = page;
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    await tab.getByRole("link", { name: "Fine-tune" }).click();
    await type(tab);
    await tab.evaluate(watchShifts);
    const longest = await longestTask(browser, tab, () => train(page));
    console.log(`longest task while training: ${longest.toFixed(0)} ms`);
    assert(longest <= 100, `the page did not answer for ${longest} ms`);

    const zip = await save(tab);
    const folder = join(temporaryFolder(), "topics");
    mkdirSync(folder);
    for (const [name, data] of Object.entries(unzip(zip))) writeFileSync(join(folder, name), data);
    const native = predict(folder, TEXTS);
    console.log(await page.says(/^my-model \(BERT, 4\.4 M parameters\) · CPU engine/));
    await agrees(page, native);
    assert.deepEqual(native.slice(-3).map(({ label }) => label), ["sport", "food", "weather"], "what was taught");
    withTransformers(folder, native);

    await tab.reload();
    await page.says(/^emotions /);
    writeFileSync(join(folder, "again.zip"), zip);
    await page.files.setInputFiles(join(folder, "again.zip"));
    await page.says(/^again \(BERT/);
    await agrees(page, native);
  },
  { prepare: keepWorkers },
);

/** Types the rows as a person would: text, label, Enter; the form is ready for the next one. */
async function type(tab) {
  const [text, label] = [tab.getByRole("textbox", { name: "Text", exact: true }), tab.getByRole("combobox", { name: "Label", exact: true })];
  await text.click();
  for (const row of TYPED) {
    await tab.keyboard.insertText(row.text);
    await label.fill(row.label);
    await label.press("Enter");
    assert.equal(await text.evaluate((box) => box === document.activeElement && box.value), "");
  }
  const counts = tab.getByRole("list", { name: "Labels and their rows" }).getByRole("listitem");
  assert.deepEqual(await counts.allInnerTexts().then((texts) => texts.map((it) => it.replace(/\s+/g, " "))), LABELS.map((it) => `${it} 20`));
  await tab.locator("#rows .use", { hasText: "measure" }).first().waitFor();
}

/** Trains, with a pause on the way; the page answers all the while, nothing shifts, and the curves are drawn. */
async function train(page) {
  const { tab } = page;
  const figure = async (name) => (await tab.locator(`#figure-${name}`).innerText()).trim();
  const stepped = async () => Number((await figure("step")).split(" ")[0]) || 0;
  await tab.getByRole("button", { name: "Train", exact: true }).click();
  await page.until("five steps are taken", MINUTES, async () => (await stepped()) >= 5);
  await tab.getByRole("button", { name: "Pause" }).click();
  await tab.waitForTimeout(600);
  const paused = await stepped();
  await tab.waitForTimeout(600);
  assert.equal(await stepped(), paused, "a pause that goes on");
  await tab.getByRole("button", { name: "Resume" }).click();
  const said = await page.trainingSays(/^Done/);
  const shift = await tab.evaluate(() => window.shift);
  console.log(said, `| layout shift ${shift}`);
  assert(shift < 0.001, `the layout shifted by ${shift} while training`);
  const [before, after] = await Promise.all(["before", "after"].map(async (when) => Number.parseInt(await tab.locator(`#accuracy-${when}`).innerText(), 10)));
  assert(after > before && after >= 75, `accuracy ${before} % before, ${after} % after`);
  for (const [curve, least] of [["loss", 8], ["accuracy", 4]]) {
    const points = await tab.locator(`#curve-${curve} .line`).getAttribute("points");
    assert(points.split(" ").length >= least, `the curve of ${curve} has the points ${points}`);
  }
  const cells = await tab.locator("#confusion td").allInnerTexts();
  assert.equal(cells.reduce((sum, cell) => sum + Number(cell), 0), 12, "every held-out row is in the confusion matrix");
}

async function save(tab) {
  await tab.getByRole("textbox", { name: "Name", exact: true }).fill("topics");
  const download = tab.waitForEvent("download");
  await tab.getByRole("button", { name: "Save the model" }).click();
  const saved = await download;
  assert.equal(saved.suggestedFilename(), "topics.zip");
  return readFileSync(await saved.path());
}

/** The page's own engine gives the native command's answers. */
async function agrees(page, native) {
  const engine = await Engine.ofPage(page.tab, "./engine-cpu_loader.js");
  const found = await engine.classify(native.map(({ text }) => text), LABELS);
  console.log(`largest difference of ${native.length} texts:`, assertAgreement(native, found));
}

function withTransformers(folder, native) {
  const cached = join(homedir(), ".cache/emberlab/venv/bin/python");
  const python = process.env.EMBERLAB_PYTHON ?? (existsSync(cached) ? cached : null);
  if (!python) return console.log("SKIPPED: transformers, because EMBERLAB_PYTHON names no Python with it");
  const [texts, out] = [join(folder, "texts.jsonl"), join(folder, "opened.json")];
  writeJsonLines(texts, native.map(({ text }) => ({ text })));
  execFileSync(python, [join(root, "tests/python/open_folder.py"), folder, texts, out], { stdio: "inherit" });
  const { id2label, missing, unexpected, logits } = JSON.parse(readFileSync(out, "utf8"));
  assert.deepEqual([missing, unexpected], [[], []]);
  const labels = logits.map((row) => highest(Object.fromEntries(row.map((logit, id) => [id2label[id], logit]))));
  assert.deepEqual(labels, native.map(({ label }) => label));
  console.log(`transformers gives the same ${labels.length} labels`);
}

/** Runs in the page: adds up the shifts of its layout that nobody asked for. */
function watchShifts() {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift" });
}
