// Links that carry the settings of a training and the names of its labels, and never a text.
import { h, say, speak } from "./dom.js";

/** The controls whose values a link carries, by the name that the recipe gives them. */
const CONTROLS = { start: "start-from", part: "part", epochs: "epochs", batch_size: "batch-size", learning_rate: "learning-rate", max_length: "max-length" };
/** Of the models to start from, those that whoever follows the link has, too. */
const STARTS = ["bert-tiny", "open"];
const MOST_LABELS = 20;
const control = (name) => document.getElementById(CONTROLS[name]);

/** The link to what is set now; of an earlier query only the model stays. */
export function link(labels) {
  const address = new URL(location.href);
  const model = address.searchParams.get("model");
  address.search = "";
  if (model) address.searchParams.set("model", model);
  address.searchParams.set("settings", "1");
  for (const name of Object.keys(CONTROLS)) {
    const { value } = control(name);
    if (value && (name !== "start" || STARTS.includes(value))) address.searchParams.set(name, value);
  }
  if (labels.length > 0) address.searchParams.set("labels", labels.join(","));
  address.hash = "fine-tune";
  return address.href;
}

/** Takes over what the page's address carries. */
export async function open() {
  const query = new URLSearchParams(location.search);
  for (const name of Object.keys(CONTROLS)) {
    const value = query.get(name);
    const it = control(name);
    const isKnown = it.tagName !== "SELECT" || [...it.options].some((option) => option.value === value && !option.hidden);
    if (!value || !isKnown) continue;
    it.value = value;
    it.dispatchEvent(new Event("input"));
  }
  const labels = list(query.get("labels") ?? "").slice(0, MOST_LABELS);
  const said = h("p", { className: "quiet", ariaLive: "polite" });
  const chips = h("ul", { className: "chips" }, labels.map((label) => h("li", {}, h("button", { type: "button", onclick: () => take(label) }, label))));
  document.getElementById("row-form").after(said, chips);
  chips.hidden = labels.length === 0;
  await speak(() => {
    said.textContent = say(labels.length > 0 ? "share.taken" : "share.taken_none", { labels: labels.join(", ") });
  });
}

/** Puts a label into the row that is typed. */
function take(label) {
  document.getElementById("row-label").value = label;
  document.getElementById("row-text").focus();
}

export const list = (text) => [...new Set(text.split(",").map((label) => label.trim()).filter(Boolean))];
