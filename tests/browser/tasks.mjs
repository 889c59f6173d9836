// How long the page's main thread works at a stretch: what a person who clicks meanwhile waits for.
import assert from "node:assert/strict";

/**
 * The longest task of the page's main thread while `act` runs, in milliseconds of processor time. (The time on the clock is longer where two
 * cores compile engines or train: a busy machine delays every thread, and that is nothing that a page could mend.)
 */
export async function longestTask(browser, tab, act) {
  await browser.startTracing(tab, { categories: ["toplevel"] });
  await act();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const place = ({ pid, tid }) => `${pid} ${tid}`;
  const isMain = ({ name, args }) => name === "thread_name" && args.name === "CrRendererMain";
  const main = new Set(traceEvents.filter(isMain).map(place));
  const tasks = traceEvents.filter((event) => event.tdur !== undefined && main.has(place(event))).map(({ tdur }) => tdur / 1000);
  assert(tasks.length > 100, `only ${tasks.length} tasks were traced`);
  return Math.max(...tasks);
}
