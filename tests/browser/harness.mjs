// One scenario: the built page in a fresh Chromium, and what must hold in every one of them.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Page } from "./page.mjs";
import { serve } from "./server.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const dist = process.env.EMBERLAB_DIST ?? join(root, "dist");
const PREFIX = "/some/sub/folder/";
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
FLAGS.push("--disable-background-networking", "--disable-component-update", "--disable-sync");
const PATIENCE = 30_000;

/**
 * Opens the page and runs `act({ browser, context, site, page })`, then asserts that no request left the page's origin or
 * folder or was answered by an error, and that nothing failed in the page but what `expectedErrors` (regular expressions) match.
 * `webgpu` switches on Chromium's software adapter, `offline` the page's service worker, which hides requests from a test; `prepare(context)` runs before the page opens.
 * The address may go on with a `query`; `host` says what the server can (server.mjs), and `missing` which paths are not there; `start` starts another server.
 */
export async function scenario(act, options = {}) {
  const { webgpu = false, offline = false, expectedErrors = [], prepare = async () => {}, query = "", host = {}, missing = [], start = () => serve(dist, PREFIX, host) } = options;
  const began = Date.now();
  const site = await start();
  const args = webgpu ? [...FLAGS, "--enable-unsafe-webgpu"] : FLAGS;
  const browser = await chromium.launch({ executablePath: chromiumPath(), args });
  const watched = await watch(await browser.newContext({ serviceWorkers: offline ? "allow" : "block" }), site);
  let tab;
  try {
    await prepare(watched.context);
    tab = await watched.context.newPage();
    await tab.goto(site.url + query);
    await act({ browser, context: watched.context, site, page: new Page(tab) });
    watched.check(expectedErrors, missing);
    console.log(`passed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  } catch (error) {
    process.exitCode = 1;
    console.error(error.stack, "\nthe page said:", watched.errors, "\nstatus:", await statusOf(tab));
    await tab?.screenshot({ path: screenshot(`failed-${basename(process.argv[1], ".mjs")}`), fullPage: true }).catch(() => {});
  }
  await Promise.race([browser.close(), sleep(10_000)]); // a Chromium whose GPU process was killed may never answer
  process.exit();
}

/** Keeps requests to other origins from leaving, and writes down those and everything that fails in the page or its workers. */
async function watch(context, site) {
  const foreign = [];
  const errors = [];
  context.setDefaultTimeout(PATIENCE);
  await context.route(
    (url) => url.origin !== site.origin,
    (route) => {
      foreign.push(route.request().url());
      return route.abort();
    },
  );
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const check = (expected, missing) => {
    assert.deepEqual(foreign, [], "requests to another origin");
    const isThere = ({ path, status }) => [200, 206, 304].includes(status) || missing.some((pattern) => pattern.test(path));
    const lost = site.requests.filter((request) => !isThere(request) || !request.path.startsWith(site.prefix));
    assert.deepEqual(lost, [], "requests outside the page's folder, or for what is not there");
    assert.deepEqual(errors.filter((text) => !expected.some((pattern) => pattern.test(text))), [], "errors in the page");
  };
  return { context, errors, check };
}

const statusOf = async (tab) => tab?.getByRole("status").innerText({ timeout: 1000 }).catch((error) => error.message);

function chromiumPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = process.env.PATH.split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = names.find(existsSync);
  assert(found, "no Chromium on PATH; install it, or name its program in the variable CHROMIUM");
  return found;
}

/** The path for a screenshot, which CI keeps. */
export function screenshot(name) {
  const folder = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "screenshots");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name}.png`);
}

/** A folder that is gone when the script ends. */
export function temporaryFolder() {
  return mkdtempSync(join(temporary, "folder-"));
}

const temporary = mkdtempSync(join(tmpdir(), "emberlab-browser-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
