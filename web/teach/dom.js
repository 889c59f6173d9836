// What the scripts of this folder share: elements, the reader's language, numbers.
let strings = {};
let language;

/** Loads the words and the style of this folder, once; `hear` is called now and whenever the language changes. */
export async function speak(hear) {
  await Promise.all([dress(), learn()]);
  const changed = async () => {
    await learn();
    await hear();
  };
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["lang"] });
  await hear();
}

export const spoken = () => language;

async function learn() {
  const { lang } = document.documentElement;
  if (lang === language) return;
  // The page's own words, too: an engine says with them what it cannot do.
  const files = [`../strings/${lang}.json`, `./strings/${lang}.json`].map((file) => fetch(new URL(file, import.meta.url)));
  const both = await Promise.all((await Promise.all(files)).map((file) => file.json()));
  strings = Object.assign({}, ...both);
  language = lang;
}

let dressed;
/** Waits for the style, so that nothing is seen without it. */
const dress = () =>
  (dressed ??= new Promise((resolve) => {
    const link = h("link", { rel: "stylesheet", href: new URL("./teach.css", import.meta.url).href, onload: resolve, onerror: resolve });
    document.head.append(link);
  }));

/** The string with this key, with a value for each `{name}` in it. */
export const say = (key, values = {}) =>
  (strings[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => straight(values[name] ?? all));

/** Without the marks of direction that would turn around the words behind it. */
const straight = (value) => String(value).replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

/** What an engine could not do, in the reader's words, where there are some. */
export const sayProblem = ({ message, words }) => (words ? say(words.key, Object.fromEntries(words.values)) : say("engine.says", { message }));

/** An item of a list of class "probabilities": a name, a value, and a bar as long as a share of 1. */
export function bar(name, value, share, isHighest) {
  const drawn = h("span", { className: "bar", "aria-hidden": "true" });
  drawn.style.setProperty("--share", share);
  return h("li", { className: isHighest ? "highest" : "" }, h("span", { className: "label" }, name), " ", h("span", { className: "percent" }, value), drawn);
}

/** `-0.123`, in the reader's notation. */
export const number = (value, digits = 3) =>
  value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });

/** `0.00075` with as many digits as it takes. */
export const short = (value) => value.toLocaleString(language, { maximumSignificantDigits: 3, useGrouping: false });

export const percent = (share, digits = 0) => share.toLocaleString(language, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A new element: what is no property of it is an attribute. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
/** A new element of a picture. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A table; `rows` are lists of cells, the first of each its name, and `head` names the columns. A cell may be `{ text, class }`. */
export function table(label, head, rows) {
  const cell = (tag, it, more = {}) => h(tag, { className: it?.class ?? "", ...more }, it?.text ?? it);
  const line = ([name, ...cells]) => h("tr", {}, cell("th", name, { scope: "row" }), cells.map((it) => cell("td", it)));
  const columns = h("thead", {}, h("tr", {}, head.map((name) => (name === "" ? h("td") : cell("th", name, { scope: "col" })))));
  const inner = h("table", { className: "tensor" }, columns, h("tbody", {}, rows.map(line)));
  return h("div", { className: "scroll", role: "region", tabIndex: 0, "aria-label": label }, inner);
}
