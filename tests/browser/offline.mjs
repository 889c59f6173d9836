// From the second visit on the page works without a network: it opens its model and classifies; the lesson, a ready set, a training and the
// other language, none of which the first visit asked for, are there, too. What is not there after all is said.
import assert from "node:assert/strict";
import { scenario } from "./harness.mjs";

const TEXT = "The dog greeted me as if I had been away for years.";
const NEEDED = ["engine-cpu_bg.wasm", "engine-cpu.js", "engine-cpu_loader.js", "strings/en.json", "models/emotions/model.safetensors"];
const LAST = "offline.json"; // with it, all that it lists is kept

await scenario(
  async ({ page, site }) => {
    const { tab } = page;
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    const before = await page.classify(TEXT);
    const kept = () =>
      tab.evaluate(async (needed) => {
        const cache = await caches.open("emberlab");
        const found = await Promise.all(needed.map((name) => cache.match(name)));
        return found.every(Boolean);
      }, [...NEEDED, LAST]);
    await page.until("what is needed is kept", 30_000, kept);
    const loads = site.requests.filter(({ path }) => path.endsWith("engine-cpu_bg.wasm"));
    // By the page, and to be kept: the routes of a test switch off the browser's own cache, which gives it otherwise.
    assert(loads.length <= 2, `the engine was loaded ${loads.length} times`);

    const devtools = await page.tab.context().newCDPSession(tab);
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    const errors = installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito"); // as a test's browser is
    assert.deepEqual(errors, [], "the page installs as an app");

    site.close();
    await assert.rejects(fetch(site.url));
    await tab.reload();
    await page.backend.selectOption("CPU");
    console.log(await page.says(/^emotions .* CPU engine · ready/));
    assert.deepEqual(await page.classify(TEXT), before);
    await opensTheRest(page);
    await saysWhatIsMissing(page);
  },
  { offline: true, expectedErrors: [/ERR_CONNECTION_REFUSED/, /ERR_FAILED/, /network error response/, /Failed to fetch/] },
);

async function opensTheRest(page) {
  const { tab } = page;
  await tab.getByRole("link", { name: "Lesson" }).click();
  await tab.getByRole("button", { name: /^Next: Text → tokens/ }).click();
  await tab.getByRole("link", { name: "Fine-tune" }).click();
  await tab.getByRole("button", { name: "Ready set: emotions" }).click();
  await page.lineSays("rows-said", /^\d+ rows/);
  await tab.getByRole("button", { name: "Train", exact: true }).click();
  console.log(await page.trainingSays(/^What learns: /));

  await tab.locator("#language").selectOption("de");
  await tab.getByRole("link", { name: "Lektion" }).click();
  await tab.getByRole("heading", { name: "Was in einem Trainingsschritt geschieht" }).waitFor();
  await tab.reload();
  console.log(await page.says(/^emotions .* bereit/));
}

async function saysWhatIsMissing(page) {
  const { tab } = page;
  await tab.evaluate(async () => {
    const cache = await caches.open("emberlab");
    for (const name of ["strings/de.json", "teach/fill-mask.js"]) await cache.delete(name);
  });
  await tab.reload();
  await tab.getByRole("link", { name: "Fill the gap" }).click();
  await tab.locator("#view-fill-mask").getByText(/could not be loaded/).waitFor();
  await tab.locator("#language").selectOption("de");
  console.log(await page.says(/de\.json could not be loaded/));
  assert.equal(await tab.locator("#language").inputValue(), "en");
}
