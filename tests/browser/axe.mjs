// axe, on every kind of screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { photograph } from "./photos.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] } };

/** Keeps screenshots of a tab as it is, on phone and desktop, light and dark, and asserts that axe finds nothing. */
export async function look(tab, name) {
  await photograph(tab, name, async (what) => {
    await tab.evaluate(AXE);
    const { violations } = await tab.evaluate((rules) => window.axe.run(document, rules), RULES);
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
    assert.deepEqual(told, [], what);
  });
}
