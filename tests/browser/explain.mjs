// Why a text is classified as it is: the page's numbers are those of `emberlab explain` and of transformers, for two models side by side,
// by keyboard, in both languages.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { look } from "./axe.mjs";
import { Engine, keepWorkers } from "./engine.mjs";
import { dist, root, scenario } from "./harness.mjs";
import { emberlab } from "./native.mjs";

const MODEL = "models/emotions";
const TEXTS = ["I could not stop smiling all day", "After the affair came out she was too furious to look at him, <b>and said so</b>."];
const NATIVE = ["--json", "--device", "cpu", "--model", MODEL, "--max-length", "128"];
const { [MODEL]: reference } = JSON.parse(readFileSync(join(root, "tests/fixtures/attentions.json"), "utf8"));

await scenario(
  async ({ page }) => {
    const { tab } = page;
    await page.backend.selectOption("CPU");
    await page.says(/CPU engine · ready/);
    const words = tab.getByRole("list", { name: "What each word adds" });
    assert.equal(await tab.locator("link[href$='teach.css']").count(), 0, "nobody pays for what is not opened");

    await engineAgrees(tab);
    await page.classify(TEXTS[0]);
    await page.button.focus();
    await tabTo(tab, "SUMMARY");
    await tab.keyboard.press("Enter");
    await shows(page, words, TEXTS[0], []);
    const off = await tab.locator(".side > p").first().innerText();
    assert(Number(/the integral is ([\d.]+)% off/.exec(off)[1]) <= 5, off);
    await attention(tab);

    const choice = tab.getByRole("combobox", { name: "Class that is explained" });
    await choice.selectOption("anger");
    await shows(page, words, TEXTS[0], ["--label", "anger"]);
    await page.text.fill(TEXTS[1]);
    await shows(page, words, TEXTS[1], []);
    assert.equal(await tab.locator("#why b b").count(), 0, "what is typed is text");

    await page.text.fill(TEXTS[0]);
    await shows(page, words, TEXTS[0], []);
    await look(tab, "why-en");
    const files = ["config.json", "model.safetensors", "tokenizer.json"];
    await page.files.setInputFiles(files.map((name) => join(dist, "models/emotions", name)));
    await page.says(/^your model .* ms for/);
    await tab.getByRole("combobox", { name: "Compare with" }).selectOption("emotions");
    await page.until("both models are explained", 30_000, async () => (await words.count()) === 2);
    assert.deepEqual(await tab.locator(".side > h3:first-child").allInnerTexts(), ["your model", "emotions"]);
    assert.deepEqual(await words.nth(0).innerText(), await words.nth(1).innerText(), "the same model says the same");
    await tab.locator("#language").selectOption("de");
    await tab.getByRole("list", { name: "Was jedes Wort beiträgt" }).first().waitFor();
    await look(tab, "why-two-de");
    await tab.getByRole("textbox", { name: "Text", exact: true }).fill("");
    await tab.getByText("Tippe oben einen Text").waitFor();
  },
  { prepare: keepWorkers },
);

/** What the page's own engine says, to all digits. */
async function engineAgrees(tab) {
  const engine = await Engine.ofPage(tab, "./engine-cpu_loader.js");
  for (const text of TEXTS) {
    const { explanation } = await engine.ask({ type: "explain", text });
    const native = JSON.parse(emberlab("explain", text, ...NATIVE));
    const { attribution } = explanation;
    const pairs = [
      [attribution.logit, native.logit],
      [attribution.baseline_logit, native.baseline_logit],
      [explanation.completeness_error, native.completeness_error],
      ...native.tokens.map(({ score }, index) => [attribution.scores[index], score]),
    ];
    const distance = Math.max(...pairs.map(([page, native]) => Math.abs(page - native)));
    console.log(`explanation of "${text}": largest difference from native ${distance.toExponential(1)}`);
    assert(distance <= 1e-3);
    assert.deepEqual(explanation.tokens.tokens, native.tokens.map(({ text }) => text));
  }
  const found = await tab.evaluate(
    async ([engine, text]) => {
      const { layers, heads, files, explanation } = await engine.ask({ type: "explain", text });
      return { layers, heads, values: [...files[0][1]], ids: explanation.tokens.input_ids };
    },
    [engine.handle, TEXTS[0].toLowerCase()],
  );
  assert.deepEqual([found.layers, found.heads, found.ids], [reference.layers, reference.heads, reference.input_ids]);
  const distance = Math.max(...found.values.map((value, index) => Math.abs(value - reference.values[index])));
  console.log(`attentions: largest difference from transformers ${distance.toExponential(1)}`);
  assert(distance <= 1e-4 && found.values.length === reference.values.length);
}

/** Each word with its score, as the native command has it. */
async function shows(page, list, text, more) {
  const { words } = JSON.parse(emberlab("explain", text, ...NATIVE, ...more));
  const expected = words.map(({ text, score }) => `${text} ${score < 0 ? "" : "+"}${score.toFixed(2)}`);
  const read = async () => (await list.first().getByRole("listitem").allInnerTexts()).map((it) => it.replace(/\s+/g, " "));
  const isClose = (shown) =>
    shown.length === expected.length &&
    shown.every((it, index) => {
      const [word, score] = it.split(/ (?=[^ ]+$)/);
      return word === words[index].text && Math.abs(Number(score) - words[index].score) <= 0.0061;
    });
  await page.until(`the words are ${expected}`, 20_000, async () => isClose(await read()));
}

/** A token that has the focus says what it looks at, in the head that is chosen with the keyboard. */
async function attention(tab) {
  const said = tab.locator(".explained .said");
  const smiling = tab.getByRole("button", { name: /^smiling \d+ mask 1/ });
  await smiling.focus();
  const size = reference.input_ids.length;
  const token = (await tab.locator(".tokens button").allInnerTexts()).findIndex((it) => it.startsWith("smiling"));
  const head = tab.getByRole("button", { name: "Layer 2, head 1" });
  await head.focus();
  assert.equal(await head.getAttribute("aria-pressed"), "true");
  await smiling.focus();
  const row = reference.values.slice(((1 * reference.heads + 0) * size + token) * size).slice(0, size);
  const most = Math.round(100 * Math.max(...row));
  const text = await said.innerText();
  console.log(text);
  assert(text.startsWith("Layer 2, head 1: “smiling” looks at ") && text.includes(` ${most}%`), text);
  const [bright] = await tab.locator(".lines line").evaluateAll((lines) => [lines.length]);
  assert(bright >= 1 && bright <= size, "only the lines of that token");
}

async function tabTo(tab, name) {
  for (let presses = 0; presses < 10; presses += 1) {
    if ((await tab.evaluate(() => document.activeElement.tagName)) === name) return;
    await tab.keyboard.press("Tab");
  }
  assert.fail(`the Tab key does not lead to ${name}`);
}
