// The house: every view in both languages, light and dark, on desktop and phone, without a finding of axe's, wider than no screen, and
// reached by keyboard alone. Screenshots are kept.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { look } from "./axe.mjs";
import { root, scenario } from "./harness.mjs";
import { TYPED } from "./topics.mjs";

const TEXT = "I can't stop smiling, the whole house smells of cake and everyone I love is here!";
const strings = (code) => JSON.parse(readFileSync(join(root, "web/strings", `${code}.json`), "utf8"));

await scenario(async ({ page }) => {
  const { tab } = page;
  await page.backend.selectOption("CPU");
  await page.says(/CPU engine · ready/);
  await byKeyboard(page);
  await tab.getByRole("link", { name: "Classify" }).click();
  await tab.getByRole("button", { name: /^emotions/ }).click();
  await page.says(/^emotions .* ready/);
  await page.classify(TEXT);
  await tab.getByRole("textbox", { name: "Texts, one a line" }).fill("What a day!\nWho is there?\nI miss her so much.");
  await tab.getByRole("button", { name: "Classify all" }).click();
  await page.lineSays("many-said", /^3 texts/);

  for (const code of ["en", "de"]) {
    await tab.locator("#language").selectOption(code);
    await speaks(page, code);
    for (const view of ["classify", "fine-tune"]) {
      await tab.locator(`nav a[href="#${view}"]`).click();
      await tab.locator(`#view-${view}`).waitFor();
      await look(tab, `${view}-${code}`);
    }
  }
});

/** Types rows, trains and saves with keys only; what has the focus is always seen to have it. */
async function byKeyboard(page) {
  const { tab } = page;
  const { keyboard } = tab;
  const focused = () => tab.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const tabTo = async (id) => {
    for (let presses = 0; (await focused()) !== id; presses += 1) {
      assert(presses < 60, `the Tab key does not lead to ${id}`);
      await keyboard.press("Tab");
      const outline = await tab.evaluate(() => {
        const { activeElement: it } = document;
        const shown = it.matches(".file") ? it.nextElementSibling : it;
        return getComputedStyle(shown).outlineStyle;
      });
      assert.notEqual(outline, "none", `${await focused()} does not show its focus`);
    }
  };
  await tab.locator("body").press("Tab");
  assert.equal(await focused(), "Skip to the content");
  await tabTo("Fine-tune");
  await keyboard.press("Enter");
  await tabTo("row-text");
  for (const { text, label } of TYPED.filter((_, index) => index % 2 === 0)) {
    await keyboard.insertText(text);
    await keyboard.press("Tab");
    await keyboard.insertText(label);
    await keyboard.press("Enter");
  }
  await tab.locator("#rows .use", { hasText: "measure" }).first().waitFor();
  await tabTo("train");
  await keyboard.press("Enter");
  await page.trainingSays(/^Done/);
  await tabTo("save");
  const download = tab.waitForEvent("download");
  await keyboard.press("Enter");
  assert.equal((await download).suggestedFilename(), "my-model.zip");
  await tab.getByRole("link", { name: "Skip to the content" }).press("Enter");
  const place = await tab.evaluate(() => [document.activeElement.id, location.hash]);
  assert.deepEqual(place, ["main", "#fine-tune"], "whoever skips stays in the view, also after a reload");
}

/** Every string of the page is in this language. */
async function speaks({ tab }, code) {
  const expected = strings(code);
  await tab.locator(`html[lang="${code}"]`).waitFor({ state: "attached" });
  const found = await tab.evaluate(() => {
    const said = { "data-text": (it) => it.textContent, "data-label": (it) => it.ariaLabel, "data-placeholder": (it) => it.placeholder };
    const of = ([place, what]) => [...document.querySelectorAll(`[${place}]`)].map((it) => [it.getAttribute(place), what(it)]);
    return Object.entries(said).flatMap(of);
  });
  const changing = ["training.pause"]; // the button says Resume, too
  for (const [key, said] of found.filter(([key]) => !changing.includes(key))) assert.equal(said, expected[key], key);
}
