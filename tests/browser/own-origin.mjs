// The page's policy keeps it to its own origin: scripts written into it do not run, and nothing elsewhere is asked for.
import assert from "node:assert/strict";
import { root, scenario } from "./harness.mjs";
import { serve } from "./server.mjs";

const elsewhere = await serve(root, "/");

await scenario(
  async ({ page, site }) => {
    await page.says(/ready/);
    const sealed = await page.tab.locator("link[integrity]").evaluateAll((links) => links.map(({ rel, integrity }) => `${rel} ${integrity.slice(0, 7)}`));
    assert.deepEqual(sealed.sort(), ["icon sha384-", "modulepreload sha384-", "preload sha384-", "stylesheet sha384-"]);
    const outcome = await page.tab.evaluate(attempts, elsewhere.origin);
    assert.deepEqual(outcome, { fetch: "refused", inline: "refused", image: "refused", worker: "refused" });

    await page.tab.goto(`${site.url}?model=${elsewhere.origin}/models/emotions`);
    console.log(await page.says(/not on this site/));
    assert.deepEqual(elsewhere.requests, [], "the other origin was asked");
    await page.tab.goto(`${site.url}?model=${site.url.replace("://", "://name:word@")}models/emotions`);
    console.log(await page.says(/name:word@.* is not on this site/));
  },
  { expectedErrors: [/Content Security Policy/, /violates the following/] },
);

/** Runs in the page: four ways out. */
async function attempts(origin) {
  const refused = (promise) => promise.then(() => "possible", () => "refused");
  const loads = (element) => new Promise((resolve, reject) => Object.assign(element, { onload: resolve, onerror: reject }));

  const script = document.createElement("script");
  script.textContent = "window.inlineRan = true";
  document.body.append(script);
  const image = new Image();
  const loaded = loads(image);
  image.src = `${origin}/README.md`;
  const worker = async () => new Worker(`${origin}/worker.js`);
  return {
    fetch: await refused(fetch(`${origin}/README.md`, { mode: "no-cors" })),
    inline: window.inlineRan ? "possible" : "refused",
    image: await refused(loaded),
    worker: await refused(worker()),
  };
}
