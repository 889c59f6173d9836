// `emberlab serve --lan`: the page at the machine's address in its network, over plain HTTP, where browsers offer less. It shows the run in
// its gallery, follows the link to it, classifies, explains and trains.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { dist, root, scenario, temporaryFolder } from "./harness.mjs";
import { photograph } from "./photos.mjs";

const run = join(temporaryFolder(), "our class");
cpSync(join(root, "models/emotions"), run, { recursive: true });
let server;
process.on("exit", () => server?.kill());

async function start() {
  server = spawn(process.env.EMBERLAB_BIN, ["serve", run, "--lan", "--port", "0", "--page", dist], { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  server.stderr.on("data", (data) => (told += data));
  const lines = [];
  for await (const line of createInterface({ input: server.stdout })) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  const [url, link] = lines;
  console.log(url, link);
  assert.equal(link, `${url}?model=runs/our-class`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert(told.includes("█") && told.includes(link), `a QR code of the link: ${told}`);
  return { origin: new URL(url).origin, prefix: "/", url, requests: [] };
}

await scenario(
  async ({ page, site }) => {
    const { tab } = page;
    assert(!/127\.0\.0\.1|localhost/.test(site.origin), "an address that others reach");
    assert.equal(await tab.evaluate(() => window.isSecureContext), false);
    await page.says(/^our-class .* ready/);
    await tab.getByRole("button", { name: /^our-class/, pressed: true }).waitFor();
    const shown = await page.classify("We laughed until we cried, what a day!");
    assert(Object.keys(shown).length === 6);
    await tab.locator("#why summary").click();
    await tab.getByRole("list", { name: "What each word adds" }).waitFor();
    await photograph(tab, "served");
    await tab.getByRole("link", { name: "Fine-tune" }).click();
    await tab.getByRole("button", { name: "Ready set: emotions" }).click();
    await page.lineSays("rows-said", /rows were added/);
    await tab.locator("#rows .use", { hasText: "train" }).first().waitFor();
    await tab.locator("#epochs").fill("1");
    await tab.getByRole("button", { name: "Train", exact: true }).click();
    await page.until("it trains", 60_000, async () => /\d/.test(await tab.locator("#figure-loss").innerText()));
    await tab.getByRole("button", { name: "Stop and keep" }).click();
    await page.trainingSays(/^Done/);
  },
  { start, query: "?model=runs/our-class" },
);
