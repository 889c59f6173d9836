// The lesson: one batch on its way through a fine-tuning, a step at a time. An engine computes every number.
import { h, say, sayProblem, speak } from "./dom.js";
import { links } from "./code.js";
import { STEPS } from "./steps.js";
import { Engine } from "./worker.js";

const view = document.getElementById("view-lesson");
const MODEL = "models/bert-tiny";
/** Of a new head, as `emberlab train` has it. */
const SEED = 42;

/** What a person has set. */
const state = {
  text: "I could not stop smiling all day",
  label: "joy",
  /** Whether the column of the labels has a wrong name. */
  wrong: false,
  settings: { steps: 12, learning_rate: 0.005, warmup_ratio: 0.25, schedule: "linear", zero_grad: true },
  /** How many steps are shown. */
  seen: 1,
};
/** The other rows of the batch: of `data/emotions`, in three of its classes. */
const ROWS = [
  ["he got the bigger room AGAIN", "anger"],
  ["heard footsteps behind me in the car park and my heart nearly stopped", "fear"],
  ["i feel alive again since i left that awful office", "joy"],
];
const LABELS = ["anger", "fear", "joy"];

let engine;
/** The newest lesson, and what the engine has found wrong with the rows, if anything. */
let result = null;
let problem = null;
let turn = 0;

const list = h("ol", { className: "steps" });
const status = h("p", { className: "said", ariaLive: "polite" });
const next = h("button", { type: "button", className: "primary", onclick: () => reveal(state.seen + 1) });
const all = h("button", { type: "button", onclick: () => reveal(STEPS.length) });
const title = h("h2", { id: "lesson-title" });
const head = h("div", {});

export async function open() {
  if (view.firstChild) return;
  const buttons = h("div", { className: "controls" }, next, all);
  view.append(h("section", { className: "card lesson", "aria-labelledby": "lesson-title" }, title, head, status, list, buttons));
  await speak(translate);
  await run();
}

/** Has the engine take the batch through everything, with what is set now; of several wishes the newest counts. */
async function run() {
  const mine = ++turn;
  const label = state.wrong ? "emotion" : "label";
  status.textContent = say(engine ? "lesson.working" : "lesson.opening");
  let isOpen = false;
  try {
    if (!engine) {
      engine = new Engine();
      engine.opened = engine.openForTraining(MODEL, LABELS, SEED);
    }
    await engine.opened;
    isOpen = true;
    const answer = await engine.ask({ type: "lesson", rows: csv(label), settings: state.settings });
    if (mine !== turn) return;
    [result, problem] = [answer, null];
  } catch (error) {
    if (mine !== turn) return;
    problem = error;
    if (!isOpen || !error.words) {
      engine?.fail(error.message); // it may have died
      engine = undefined;
    }
  }
  status.textContent = problem && !state.wrong ? sayProblem(problem) : "";
  render();
}

/** The rows as a file. */
function csv(label) {
  const cell = (text) => `"${text.replaceAll('"', '""')}"`;
  return [["text", label], ...rows()].map((row) => row.map(cell).join(",")).join("\n");
}

const rows = () => [[state.text, state.label], ...ROWS];

function reveal(seen) {
  state.seen = Math.min(seen, STEPS.length);
  render();
  list.lastChild.querySelector("h3").focus();
}

/** Says all in the reader's language. */
function translate() {
  title.textContent = say("lesson.title");
  all.textContent = say("lesson.all");
  head.replaceChildren(h("p", { className: "quiet" }, say("lesson.about")), form());
  render();
}

function render() {
  const kept = document.activeElement?.closest("[data-keep]")?.dataset.keep;
  next.textContent = state.seen < STEPS.length ? say("lesson.next", { step: say(`${STEPS[state.seen].id}.title`) }) : "";
  next.hidden = all.hidden = state.seen >= STEPS.length;
  next.disabled = all.disabled = !result;
  list.replaceChildren(...STEPS.slice(0, state.seen).map(step));
  if (kept) view.querySelector(`[data-keep="${kept}"]`)?.focus();
}

function step({ id, draw }, index) {
  const heading = h("h3", { tabIndex: -1, id: `step-${id}` }, `${index + 1}. ${say(`${id}.title`)}`);
  const shown = result || id === "data" ? draw({ result, refusal: problem ? sayProblem(problem) : "", state, rows: rows(), labels: LABELS, set, ask }) : [];
  return h("li", { id: `lesson-${id}` }, heading, h("p", {}, say(`${id}.about`)), shown, links(id));
}

/** Changes what is set, and computes anew. */
function set(change) {
  Object.assign(state, change);
  render();
  return run();
}

const ask = (request) => engine.ask(request);

function form() {
  const text = h("input", { id: "lesson-text", type: "text", value: state.text, maxLength: 200, autocomplete: "off" });
  const options = LABELS.map((name) => h("option", { selected: name === state.label }, name));
  const label = h("select", { id: "lesson-label", autocomplete: "off" }, options);
  const submit = (event) => {
    event.preventDefault();
    set({ text: text.value.trim() || state.text, label: label.value });
  };
  return h(
    "form",
    { className: "row-form", onsubmit: submit },
    h("div", {}, h("label", { htmlFor: "lesson-text" }, say("lesson.sentence")), text),
    h("div", {}, h("label", { htmlFor: "lesson-label" }, say("lesson.label")), label),
    h("button", { type: "submit", "data-keep": "run" }, say("lesson.run")),
  );
}
