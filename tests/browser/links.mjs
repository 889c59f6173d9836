// A link with `?model=`: its folder is loaded with a word on how far it is, goes on after an interruption, is there without a network at the
// next visit; and a wrong link ends in words.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dist, scenario } from "./harness.mjs";

const TEXT = "The dog greeted me as if I had been away for years.";
const WEIGHTS = "models/emotions/model.safetensors";
const bytes = readFileSync(join(dist, WEIGHTS));
const CUT = 6_000_000;
const host = { ranges: true, pause: 10, cuts: [CUT] };

await scenario(
  async ({ page, site }) => {
    const { tab } = page;
    const asked = () => site.requests.filter(({ path }) => path.endsWith(WEIGHTS)).map(({ status, range }) => [status, range]);
    await page.backend.selectOption("CPU");
    console.log(await page.says(/^emotions .* CPU engine · ready/));
    assert.deepEqual(asked(), [[200, undefined], [206, `bytes=${CUT}-`]], "the rest is asked for, and no more");
    compareLabels(await tab.evaluate(() => window.labels));
    await isWhole(tab);
    const expected = await page.classify(TEXT);

    await tab.reload();
    await page.says(/^emotions .* CPU engine · ready/);
    assert.deepEqual(asked().slice(2), [[304, undefined]], "what is whole and no older is not sent again");

    await page.until("the rest is kept", 30_000, () => tab.evaluate(async () => Boolean(await caches.match("offline.json"))));
    await forget(tab);
    site.cuts.push(3_000_000, ...Array(50).fill(0)); // a browser asks again by itself, too
    await tab.reload();
    console.log(await page.says(/model\.safetensors: the connection broke after 3\.0 MB\. What has come is kept/));
    site.cuts.length = 0;
    site.requests.length = 0;
    await tab.reload();
    await page.backend.selectOption("CPU");
    await page.says(/^emotions .* CPU engine · ready/);
    assert.deepEqual(asked(), [[206, "bytes=3000000-"]], "the next visit goes on with what was kept");
    await isWhole(tab);
    assert.deepEqual(await page.classify(TEXT), expected);

    await wrongLinks(page, site);
    await tab.goto(`${site.url}?model=models/emotions`);
    await page.says(/^emotions .* ready/);
    await withoutNetwork(page, site, expected);
  },
  {
    query: "?model=models/emotions/",
    host,
    offline: true,
    missing: [/models\/nowhere/],
    expectedErrors: [/ERR_CONTENT_LENGTH_MISMATCH|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE/, /404/],
    prepare: (context) => context.addInitScript(watchLabels),
  },
);

/** Said in MB and per cent, rising to the end; after the cut it goes on from there. */
function compareLabels(labels) {
  console.log(labels.filter((_, index) => index % 5 === 0).join(" | "));
  const said = labels.map((label) => /^model\.safetensors: (\d+\.\d) of (\d+\.\d) MB \((\d+)%\)$/.exec(label));
  assert(said.every((match) => match?.[2] === (bytes.length / 1e6).toFixed(1)), labels.join());
  const numbers = said.map(([, megabytes, , percent]) => [megabytes, percent].map(Number));
  assert(numbers.length >= 4, "it is said how far it is");
  numbers.forEach(([megabytes, percent], index) => {
    assert(Math.abs(percent - (100 * megabytes * 1e6) / bytes.length) <= 1, labels[index]);
    assert(index === 0 || megabytes >= numbers[index - 1][0], `${labels[index - 1]}, then ${labels[index]}`);
  });
}

/** What is kept is the file, byte for byte, and nothing else of it. */
async function isWhole(tab) {
  const kept = () =>
    tab.evaluate(async (address) => {
      const cache = await caches.open("emberlab");
      const requests = await cache.keys(address, { ignoreSearch: true });
      const found = await cache.match(address);
      if (requests.length !== 1 || !found) return null;
      const digest = await crypto.subtle.digest("SHA-256", await found.arrayBuffer());
      return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }, WEIGHTS);
  let digest = null;
  for (let look = 0; look < 100 && !digest; look += 1) {
    digest = await kept();
    if (!digest) await tab.waitForTimeout(50);
  }
  assert.equal(digest, createHash("sha256").update(bytes).digest("hex"));
}

function forget(tab) {
  return tab.evaluate(async (address) => {
    const cache = await caches.open("emberlab");
    await cache.delete(address);
  }, WEIGHTS);
}

async function wrongLinks(page, site) {
  const links = [
    ["models/nowhere", /models\/nowhere: there is no model in this folder of the site/],
    ["http://[", /\?model=http:\/\/\[ is not the name of a folder/],
    ["https://example.com/model", /\?model=https:\/\/example\.com\/model is not on this site; name a folder beside this page/],
  ];
  for (const [link, words] of links) {
    await page.tab.goto(`${site.url}?model=${link}`);
    console.log(await page.says(words));
  }
}

async function withoutNetwork(page, site, expected) {
  const { tab } = page;
  const NEEDED = ["engine-cpu_bg.wasm", "load.js", "strings/en.json", "models/emotions/config.json", WEIGHTS];
  await page.until("what is needed is kept", 30_000, () =>
    tab.evaluate(async (needed) => {
      const cache = await caches.open("emberlab");
      return (await Promise.all(needed.map((name) => cache.match(name)))).every(Boolean);
    }, NEEDED),
  );
  site.close();
  await assert.rejects(fetch(site.url));
  await tab.reload();
  await page.backend.selectOption("CPU");
  console.log("without a network:", await page.says(/^emotions .* CPU engine · ready/));
  assert.deepEqual(await page.classify(TEXT), expected);
}

/** Runs in the page: keeps what is said of the download. */
function watchLabels() {
  window.labels = [];
  new MutationObserver(() => {
    const said = document.getElementById("loading-said")?.textContent;
    if (said && said !== window.labels.at(-1)) window.labels.push(said);
  }).observe(document, { subtree: true, childList: true, characterData: true });
}
