// What two masked language models guess for a [MASK], side by side: before and after a model was brought home to a domain.
import { bar, h, percent, say, sayProblem, speak } from "./dom.js";
import { Engine } from "./worker.js";

const view = document.getElementById("view-fill-mask");
const MODEL = "models/bert-tiny";
const GUESSES = 8;
/** After this long without a key the models are asked, in milliseconds. */
const PAUSE = 300;

const text = h("input", { id: "mask-text", className: "wide", type: "text", autocomplete: "off", maxLength: 1000, value: "The [MASK] pumps blood through the body.", oninput: soon });
const [title, about] = [h("h2", { id: "mask-title" }), h("p", { className: "quiet" })];
const textLabel = h("label", { htmlFor: "mask-text" });
/** A model each: its engine once it is asked, and what it says of the text. */
const sides = [side("mask-one", MODEL), side("mask-two", "")];
let turn = 0;

export async function open() {
  if (view.firstChild) return;
  const columns = h("div", { className: "sides" }, sides.map(({ column }) => column));
  view.append(h("section", { className: "card", "aria-labelledby": "mask-title" }, title, about, textLabel, text, columns));
  await speak(translate);
  ask();
}

function side(id, model) {
  const choice = h("select", { id, autocomplete: "off", onchange: () => choose(it, choice.value) });
  const label = h("label", { htmlFor: id });
  const picker = h("input", { id: `${id}-folder`, className: "file", type: "file", webkitdirectory: true, onchange: () => pick(it) });
  const pickerLabel = h("label", { className: "button", htmlFor: `${id}-folder` });
  const [said, guesses] = [h("p", { className: "quiet", ariaLive: "polite" }), h("div", {})];
  const column = h("div", {}, h("div", { className: "controls" }, label, choice, picker, pickerLabel), said, guesses);
  const it = { model, choice, label, picker, pickerLabel, said, guesses, column, picked: null, answer: null, problem: null };
  return it;
}

function translate() {
  title.textContent = say("gap.title");
  about.textContent = say("gap.about");
  textLabel.textContent = say("gap.text");
  const served = document.getElementById("gallery").dataset.runs.split(" ").filter(Boolean);
  for (const [index, it] of sides.entries()) {
    it.label.textContent = say(index === 0 ? "gap.first" : "gap.second");
    it.pickerLabel.textContent = say("models.folder");
    const options = [["", say("gap.none")], ...[MODEL, ...served].map((name) => [name, name])];
    if (it.picked) options.push(["picked", it.picked.name]);
    it.choice.replaceChildren(...options.map(([value, name]) => h("option", { value, selected: value === it.model }, name)));
    render(it);
  }
}

function pick(it) {
  const files = [...it.picker.files].filter(({ webkitRelativePath: path }) => path.split("/").length === 2);
  if (files.length === 0) return;
  const [name] = files[0].webkitRelativePath.split("/");
  it.picked = { name, files: files.map((file) => [file.name, file]) };
  it.picker.value = "";
  choose(it, "picked");
  translate();
}

function choose(it, model) {
  it.engine?.fail("");
  Object.assign(it, { model, engine: null, answer: null, problem: null });
  ask();
}

function soon() {
  const mine = ++turn;
  setTimeout(() => mine === turn && ask(), PAUSE);
}

/** What the tokenizers of our families call a gap. */
const hasGap = () => /\[MASK\]|<mask>/.test(text.value);

/** Asks both models; of several wishes the newest counts. */
function ask() {
  const mine = ++turn;
  return Promise.all(sides.map((it) => (it.model && hasGap() ? askOne(it, mine) : render(it))));
}

async function askOne(it, mine) {
  let isOpen = false;
  try {
    if (!it.engine) {
      it.said.textContent = say("gap.opening");
      it.engine = new Engine();
      const request = { type: "open_masked_lm", name: it.model };
      it.engine.opened = it.picked && it.model === "picked" ? openPicked(it.engine, request, it.picked) : it.engine.load(request);
    }
    const { engine } = it;
    await engine.opened;
    isOpen = true;
    const answer = await engine.ask({ type: "fill_mask", text: text.value, top_k: GUESSES });
    if (mine !== turn || engine !== it.engine) return;
    [it.answer, it.problem] = [answer, null];
  } catch (error) {
    if (mine !== turn) return;
    [it.answer, it.problem] = [null, error];
    if (!isOpen) {
      it.engine?.fail(error.message);
      it.engine = null;
    }
  }
  render(it);
}

async function openPicked(engine, request, { name, files }) {
  await engine.ready;
  return engine.ask({ ...request, name, files });
}

function render(it) {
  const { problem } = it;
  if (!it.model) it.said.textContent = say("gap.hint");
  else if (!hasGap()) it.said.textContent = say("gap.missing");
  else if (problem) it.said.textContent = sayProblem(problem);
  else if (it.answer) it.said.textContent = "";
  it.guesses.replaceChildren(...((hasGap() && it.answer?.guesses) || []).map((guesses, index) => list(guesses, index + 1)));
}

function list(guesses, number) {
  const item = ({ token, probability }, index) => bar(token, percent(probability, 1), probability, index === 0);
  const name = say("gap.guesses", { n: number });
  return h("div", {}, h("h3", {}, name), h("ol", { className: "probabilities", "aria-label": name }, guesses.map(item)));
}
