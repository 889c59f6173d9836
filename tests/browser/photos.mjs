// Screenshots of what is in sight: phone and desktop, light and dark.
import assert from "node:assert/strict";
import { screenshot } from "./harness.mjs";

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Keeps a screenshot of each kind, calls `look(kind)` while the page stands so, and asserts that nothing is wider than the screen. */
export async function photograph(tab, name, look = async () => {}) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await tab.emulateMedia({ colorScheme });
      await tab.waitForTimeout(400); // the bars glide
      await tab.screenshot({ path: screenshot(`${name}-${size}-${colorScheme}`), fullPage: true });
      await look(`${name}, ${size}, ${colorScheme}`);
    }
    const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert(overflow <= 0, `${name} is ${overflow} pixels wider than a ${size}`);
  }
}
