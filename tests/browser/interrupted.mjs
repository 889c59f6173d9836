// A training that a reload interrupts is offered again, and goes on from its last step: what comes of it is, to the last bit, what would have
// come of it without the interruption. Neither another tab nor another training takes it away, nor are rows that were added lost unasked.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scenario, temporaryFolder } from "./harness.mjs";
import { Page } from "./page.mjs";
import { TYPED } from "./topics.mjs";
import { unzip } from "./zip.mjs";

const EPOCHS = 10;
const TOTAL = EPOCHS * 6; // 48 of 60 rows are trained on, 8 to a step

await scenario(async ({ context, site, page }) => {
  const { tab } = page;
  await begin(page);
  const undisturbed = await finish(page);

  await tab.reload();
  await begin(page);
  const heldOut = await uses(tab);
  const step = async () => Number.parseInt(await tab.locator("#figure-step").innerText(), 10) || 0;
  await page.until("some steps are taken", 60_000, async () => (await step()) >= 5);
  await tab.getByRole("button", { name: "Pause" }).click();
  const kept = await page.until("the state is kept", 30_000, () => tab.evaluate(newestState));
  await trainElsewhere(context, site);
  assert.equal(await tab.evaluate(newestState), kept, "what one tab keeps is not another's");
  // The browser was ended while it kept another one.
  await tab.evaluate(async () => (await (await navigator.storage.getDirectory()).getDirectoryHandle("training")).getFileHandle("state-999", { create: true }));

  await tab.reload();
  await page.says(/^emotions /);
  await page.backend.selectOption("CPU");
  const offer = await page.lineSays("interrupted-said", /after step (\d+) of (\d+)/);
  console.log(offer.input);
  assert.deepEqual(offer.slice(1).map(Number), [kept, TOTAL]);
  await trainInBetween(page);
  await tab.getByRole("button", { name: "Go on" }).click();
  await page.trainingSays(/What learns: the whole model\. The head is new/);
  assert.deepEqual(await uses(tab), heldOut, "the same rows are held out");
  assert.equal(await tab.getByLabel("Epochs").inputValue(), String(EPOCHS));
  const interrupted = await finish(page);
  for (const [name, data] of Object.entries(undisturbed)) assert(data.equals(interrupted[name]), `${name} is another after the interruption`);
  console.log(`the same ${Object.keys(undisturbed).length} files, byte for byte`);

  await tab.reload();
  await page.says(/^emotions /);
  await tab.waitForTimeout(500);
  assert(!(await tab.locator("#interrupted").isVisible()), "what is done is not offered again");
});

/** Another tab offers nothing while this one trains, and trains by itself. */
async function trainElsewhere(context, site) {
  const other = new Page(await context.newPage());
  await other.tab.goto(site.url);
  await begin(other, 1);
  await other.trainingSays(/^Done/);
  assert(!(await other.tab.locator("#interrupted").isVisible()), "another tab's training is not interrupted");
  await other.tab.close();
}

/** Another training, which is dropped: meanwhile one cannot go on, and then only with the other rows' leave. */
async function trainInBetween(page) {
  const { tab } = page;
  const goOn = tab.getByRole("button", { name: "Go on" });
  await begin(page, 100);
  assert(await goOn.isDisabled(), "a second training beside the first");
  await tab.getByRole("button", { name: "Back to the start" }).click();
  await page.trainingSays(/Back at the start/);
  tab.once("dialog", (dialog) => dialog.dismiss());
  await goOn.click();
  assert(await goOn.isVisible(), "rows were replaced against the person's will");
  tab.once("dialog", (dialog) => dialog.accept());
}

/** Loads the rows and starts to train the whole model. */
async function begin(page, epochs = EPOCHS) {
  const { tab } = page;
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  await tab.getByRole("link", { name: "Fine-tune" }).click();
  const rows = join(temporaryFolder(), "rows.jsonl");
  writeFileSync(rows, TYPED.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await tab.locator("#rows-file").setInputFiles(rows);
  await page.lineSays("rows-said", /^60 rows/);
  await tab.getByLabel("Epochs").fill(String(epochs));
  await tab.getByRole("button", { name: "Train", exact: true }).click();
}

/** Waits for the end and returns the files of the saved model. */
async function finish(page) {
  const done = await page.trainingSays(/^Done/);
  console.log(done);
  assert.match(done, new RegExp(`^Done: ${TOTAL} steps`));
  const download = page.tab.waitForEvent("download");
  await page.tab.getByRole("button", { name: "Save the model" }).click();
  return unzip(readFileSync(await (await download).path()));
}

/** What each row in sight is used for. */
async function uses(tab) {
  await tab.locator("#rows .use", { hasText: "train" }).first().waitFor();
  return tab.locator("#rows .use").allInnerTexts();
}

/** Runs in the page: the last step whose state is kept. */
async function newestState() {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("training").catch(() => null);
  let newest = 0;
  for await (const [name, handle] of folder?.entries() ?? []) {
    if (name.startsWith("state-") && (await handle.getFile()).size > 0) newest = Math.max(newest, Number(name.slice(6)));
  }
  return newest;
}
