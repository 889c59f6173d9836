// For teachers: the plan and the worksheet in both languages, and links that carry settings and labels but no text.
import assert from "node:assert/strict";
import { look } from "./axe.mjs";
import { scenario } from "./harness.mjs";

const SECRET = "My neighbour's password is swordfish";
const LONG = "Donaudampfschifffahrtsgesellschaftskapitän";

await scenario(async ({ page, context, site }) => {
  const { tab } = page;
  await page.says(/ready/);
  await page.text.fill(SECRET);
  await tab.getByRole("link", { name: "Fine-tune" }).click();
  for (const label of ["sport", "food & drink", LONG]) {
    await tab.locator("#row-text").fill(SECRET + label);
    await tab.locator("#row-label").fill(label);
    await tab.locator("#row-label").press("Enter");
  }
  await tab.getByLabel("Epochs").fill("7");
  await tab.getByLabel("Batch size").fill("4");
  await tab.getByLabel("Learning rate").fill("0.002");
  await tab.locator("#part").selectOption("head");

  await tab.getByRole("link", { name: "For teachers" }).press("Enter");
  await tab.getByRole("heading", { name: /A lesson of 45 minutes/ }).waitFor();
  const link = await tab.getByRole("textbox", { name: "Link", exact: true }).inputValue();
  console.log(link);
  assert(!decodeURIComponent(link.replaceAll("+", " ")).includes("swordfish"), "no text leaves");
  await look(tab, "teachers-en");
  await tab.locator("#language").selectOption("de");
  await tab.getByRole("heading", { name: /Eine Stunde von 45 Minuten/ }).waitFor();
  await look(tab, "teachers-de");

  const [sheet] = await Promise.all([context.waitForEvent("page"), tab.getByRole("link", { name: "Arbeitsblatt zum Drucken" }).click()]);
  await sheet.getByRole("heading", { name: /Arbeitsblatt/ }).waitFor();
  await look(sheet, "worksheet-de");
  const questions = await sheet.locator("main > ol > li").count();
  assert.equal(await sheet.locator("#answers li").count(), questions, "an answer to each question");
  await sheet.goto(`${site.url}teach/worksheet.en.html`);
  assert.equal(await sheet.locator("main > ol > li").count(), questions);
  await look(sheet, "worksheet-en");

  const follower = await context.newPage();
  await follower.goto(link);
  await follower.getByRole("button", { name: "food & drink" }).waitFor();
  const value = (id) => follower.locator(`#${id}`).inputValue();
  assert.deepEqual(await Promise.all(["epochs", "batch-size", "learning-rate", "part"].map(value)), ["7", "4", "0.002", "head"]);
  assert(await follower.locator("#view-fine-tune").isVisible());
  await follower.getByRole("button", { name: "food & drink" }).press("Enter");
  assert.equal(await value("row-label"), "food & drink");
  await follower.locator("#row-text").fill("Soup");
  await follower.locator("#row-label").press("Enter");
  assert.equal(await value("epochs"), "7", "more rows do not change what the link says");
  await follower.locator("#row-text").fill("Ship");
  await follower.locator("#row-label").fill(LONG);
  await follower.locator("#row-label").press("Enter");
  await look(follower, "shared");
  await follower.goto(`${site.url}?settings=1&labels=${encodeURIComponent("$& $$,{labels},a\u202eb")}#fine-tune`);
  await follower.getByText("Labels für deine Zeilen: $& $$, {labels}, ab.").waitFor();
});
