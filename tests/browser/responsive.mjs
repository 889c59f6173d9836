// The page answers while it loads and while the engine works: nothing holds its main thread for 100 ms.
import assert from "node:assert/strict";
import { scenario } from "./harness.mjs";
import { longestTask } from "./tasks.mjs";

const LIMIT = 100;
const LONG = "They said the river would never reach the houses, and then it was in the kitchen. ".repeat(60);

await scenario(async ({ browser, page }) => {
  await page.says(/ready/);
  await page.backend.selectOption("CPU");
  const longest = await longestTask(browser, page.tab, async () => {
    await page.tab.reload();
    await page.says(/ready/);
    await page.backend.selectOption("CPU");
    for (const end of ["No one slept.", "We were so afraid."]) {
      await page.text.fill(LONG + end);
      await page.text.press("End");
      console.log(await page.says(/CPU engine · \d+ ms for 512 tokens \(the text is longer; the rest was not read\)/));
      await page.enter("");
      await page.says(/CPU engine · ready/);
    }
  });
  console.log(`longest task: ${longest.toFixed(0)} ms`);
  assert(longest <= LIMIT, `the page did not answer for ${longest} ms`);
});
