// A run of `emberlab train --live`, as it trains: how far it is, its curves, what it is wrong about, and its newest weights on a text.
import { bar, h, number, percent, say, short, speak, table } from "./dom.js";
import { curve } from "./schedule.js";
import { Engine } from "./worker.js";

const view = document.getElementById("view-live");
const folder = new URL("../live/", import.meta.url);
/** Between two looks at the run, and between two answers to the same text; in milliseconds. */
const LOOK = 1000;
const AGAIN = 3000;
const ENDS = ["completed", "interrupted"];

/** `state.json` and the lines of `metrics.jsonl`; whether the run answers. */
let run = null;
let history = [];
let there = true;
/** The newest answer: its step, labels and probabilities; or what went wrong. */
let answer = null;
let problem = "";
let answered = 0;
let engine;
let isAsking = false;

const title = h("h2", { id: "live-title" });
const about = h("p", { className: "quiet" });
const said = h("p", { className: "said", ariaLive: "polite" });
const progress = h("progress", { max: 1, value: 0 });
const figures = h("dl", { className: "figures" });
const curves = h("div", { className: "curves" });
const text = h("input", { id: "live-text", className: "wide", type: "text", autocomplete: "off", maxLength: 2000, oninput: () => ask() });
const textLabel = h("label", { htmlFor: "live-text" });
const tryTitle = h("h3", {});
const tryAbout = h("p", { className: "quiet" });
const bars = h("ul", { className: "probabilities" });
const tried = h("p", { className: "quiet", ariaLive: "polite" });
const trying = h("section", { className: "card" }, tryTitle, tryAbout, textLabel, text, tried, bars);
const mistakesTitle = h("h3", {});
const mistakesSaid = h("p", { className: "quiet" });
const mistakes = h("div", { className: "sentences" });

export async function open() {
  if (view.firstChild) return;
  const head = h("section", { className: "card live", "aria-labelledby": "live-title" }, title, about, said, progress, figures, curves);
  view.append(head, trying, h("section", { className: "card" }, mistakesTitle, mistakesSaid, mistakes));
  await speak(translate);
  look();
}

/** Asks the run how it is, again and again until it is over. */
async function look() {
  try {
    const [state, lines] = await Promise.all([get("state.json").then((it) => it.json()), get("metrics.jsonl").then((it) => it.text())]);
    // The last line may be half written.
    [run, history, there] = [state, lines.split("\n").slice(0, -1).map((line) => JSON.parse(line)), true];
  } catch {
    there = false;
  }
  render();
  if (isOver()) return;
  if (run?.can_be_tried && performance.now() - answered > AGAIN) ask();
  setTimeout(look, LOOK);
}

const isOver = () => ENDS.includes(run?.status);

async function get(name) {
  const response = await fetch(new URL(name, folder), { cache: "no-store" });
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
}

/** Classifies the text with the weights of now. */
async function ask() {
  const asked = text.value.trim();
  if (isAsking || !asked || !run || isOver() || !there) return;
  isAsking = true;
  try {
    const newest = await (await get("newest.json")).json();
    if (newest) await answerWith(newest, asked);
  } catch (error) {
    problem = error.message;
    engine?.fail(problem);
    engine = undefined;
  }
  [answered, isAsking] = [performance.now(), false];
  renderAnswer();
  if (text.value.trim() !== asked) ask();
}

async function answerWith({ folder, step }, asked) {
  engine ??= new Engine();
  if (engine.folder !== folder) engine.model = (await engine.open(folder)).model;
  engine.folder = folder;
  const { predictions } = await engine.ask({ type: "classify", texts: [asked] });
  answer = { step, labels: engine.model.labels, ...predictions[0] };
  problem = "";
}

function translate() {
  tryTitle.textContent = say("live.try");
  tryAbout.textContent = say("live.try_about");
  textLabel.textContent = say("live.text");
  progress.ariaLabel = say("live.progress");
  bars.ariaLabel = say("live.answer");
  [curves.lines, mistakes.step] = [];
  render();
}

function render() {
  title.textContent = run ? say("live.title", { run: run.run }) : say("live.none");
  about.textContent = run ? say("live.about", { base: run.base_model, device: run.device }) : "";
  said.textContent = status();
  trying.hidden = !run?.can_be_tried;
  if (!run) return;
  progress.value = run.step / run.total_steps;
  const rate = run.learning_rate === null ? "–" : short(run.learning_rate);
  const speed = say("live.per_second", { rows: short(Math.round(run.rows_per_second)) });
  figures.replaceChildren(
    figure(say("live.loss"), run.loss === null ? "–" : number(run.loss, 4)),
    figure(say("live.rate"), rate),
    figure(say("live.speed"), run.rows_per_second ? speed : "–"),
    ...measuredFigures().slice(0, 3).map(([name, value]) => figure(`${run.evaluation.split} ${name}`, number(value, 4))),
  );
  renderHistory();
  renderMistakes();
  renderAnswer();
}

/** Of one label a row, micro F1 is the accuracy. */
function measuredFigures() {
  const all = Object.entries(run.evaluation?.figures ?? {});
  return all.filter(([name]) => name !== "micro_f1" || all[0][0] !== "accuracy");
}

const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function status() {
  if (!run) return there ? say("live.looking") : say("live.absent");
  const { step, total_steps: total, epoch, epochs, seconds_left: left } = run;
  if (isOver()) return say(`live.${run.status}`, { run: run.run });
  if (!there) return say("live.lost", { run: run.run });
  return say("live.running", { step, total, epoch: Math.min(epoch, epochs), epochs, left: left === null ? "–" : clock(left) });
}

/** `1:05` */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function renderHistory() {
  if (curves.lines === history.length && curves.firstChild) return;
  curves.lines = history.length;
  const losses = history.filter(({ loss }) => loss !== undefined).map(({ loss }) => loss);
  const measured = history.filter(({ split }) => split === "eval");
  const name = Object.keys(run.evaluation?.figures ?? {})[0];
  const drawn = [curve(say("live.curve_loss"), losses)];
  if (name && measured.length) drawn.push(curve(say("live.curve_eval", { name }), measured.map((line) => Math.max(0, line[name])), 1));
  curves.replaceChildren(...drawn);
}

function renderMistakes() {
  const { evaluation, task } = run;
  mistakesTitle.textContent = say("live.mistakes");
  const values = evaluation && { step: evaluation.step, rows: evaluation.rows, split: evaluation.split };
  mistakesSaid.textContent = evaluation ? say("live.measured", values) : say("live.not_measured");
  if (!evaluation || mistakes.step === evaluation.step) return;
  mistakes.step = evaluation.step;
  const weight = (value) => (task === "regression" ? number(value, 2) : percent(value, 1));
  const head = ["mistakes_text", "mistakes_gold", "mistakes_answer", "mistakes_weight"].map((key) => say(`live.${key}`));
  const rows = evaluation.mistakes.map((it) => [it.text, it.gold, it.answer, { text: weight(it.weight), class: "number" }]);
  mistakes.replaceChildren(rows.length ? table(say("live.mistakes"), head, rows) : h("p", {}, say("live.no_mistakes")));
}

function renderAnswer() {
  tried.textContent = problem ? say("engine.says", { message: problem }) : answer ? say("live.tried", { step: answer.step }) : isAsking ? say("live.asking") : "";
  if (!answer) return;
  const { labels, probabilities, logits } = answer;
  const isScore = run.task === "regression";
  const shares = isScore ? [Math.min(1, Math.max(0, logits[0]))] : probabilities;
  const highest = Math.max(...shares);
  bars.replaceChildren(
    ...shares.map((share, index) => {
      const [name, value] = isScore ? [say("one.score"), number(logits[0], 4)] : [labels[index], percent(share, 2)];
      return bar(name, value, share, share === highest);
    }),
  );
}
