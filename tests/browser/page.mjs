// The page as a person meets it: by role and accessible name only.
import assert from "node:assert/strict";

const PATIENCE = 60_000;
const TRAINING_PATIENCE = 240_000;

export class Page {
  constructor(tab) {
    this.tab = tab;
    this.text = tab.getByRole("textbox", { name: "Text", exact: true });
    this.button = tab.getByRole("button", { name: "Classify", exact: true });
    this.backend = tab.getByRole("combobox", { name: "Backend", exact: true });
    this.list = tab.getByRole("list", { name: "Probabilities", exact: true });
    this.files = tab.getByLabel("Open a model", { exact: true });
    this.region = tab.getByRole("status");
  }

  async status() {
    return (await this.region.innerText()).replace(/\s+/g, " ").trim();
  }

  /** Waits until the status says what `pattern` matches, and returns it. */
  async says(pattern, patience = PATIENCE) {
    return this.until(`the status says ${pattern}`, patience, async () => {
      const status = await this.status();
      return pattern.test(status) ? status : null;
    });
  }

  /** Waits until the training's line says what `pattern` matches, and returns it; a failure that is not waited for ends the wait. */
  async trainingSays(pattern, patience = TRAINING_PATIENCE) {
    const line = this.tab.locator("#training-said");
    const before = await line.innerText();
    return this.until(`the training says ${pattern}`, patience, async () => {
      const said = await line.innerText();
      if (pattern.test(said)) return said;
      if (said !== before) assert.doesNotMatch(said, /^The training ended/);
      return null;
    });
  }

  /** Waits until the line of this id says what `pattern` matches, and returns the match. */
  async lineSays(id, pattern, patience = PATIENCE) {
    return this.until(`#${id} says ${pattern}`, patience, async () => pattern.exec(await this.tab.locator(`#${id}`).innerText()));
  }

  /** Label → probability, as the list (that of the open model) shows them now. */
  async shown(list = this.list) {
    const items = await list.getByRole("listitem").allTextContents();
    return Object.fromEntries(
      items.map((item) => {
        const match = /^(.+) (\d+(?:\.\d+)?)%$/.exec(item.replace(/\s+/g, " ").trim());
        assert(match, `the item "${item}" does not read "<label> <percent>"`);
        return [match[1], Number(match[2]) / 100];
      }),
    );
  }

  /** Classifies `text` as a person would, from an empty box, and returns what the list shows then. */
  async classify(text, patience = PATIENCE) {
    await this.enter("");
    await this.until("the list is empty", patience, async () => Object.keys(await this.shown()).length === 0);
    await this.enter(text);
    return this.until(`the list shows classes for "${text}"`, patience, async () => {
      const shown = await this.shown();
      return Object.keys(shown).length > 0 ? shown : null;
    });
  }

  async enter(text) {
    await this.text.fill(text);
    await this.button.click();
  }

  /** Waits until `look` gives something. */
  async until(what, patience, look) {
    const end = Date.now() + patience;
    for (;;) {
      const found = await look();
      if (found) return found;
      assert(Date.now() < end, `waited ${patience / 1000} s in vain until ${what}; the status says: ${await this.status()}`);
      await this.tab.waitForTimeout(20);
    }
  }
}
