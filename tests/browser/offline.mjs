// From the second visit on the page works without a network: it opens its model, classifies, and trains what is typed.
import assert from "node:assert/strict";
import { scenario } from "./harness.mjs";

const TEXT = "The dog greeted me as if I had been away for years.";
const NEEDED = ["engine-cpu_bg.wasm", "engine-cpu.js", "engine-cpu_loader.js", "strings/en.json", "models/emotions/model.safetensors"];

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
      }, NEEDED);
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
  },
  { offline: true, expectedErrors: [/ERR_CONNECTION_REFUSED/] },
);
