// Why a text is classified as it is: its tokens, what each word adds to a class, and which token looks at which. The engine that has the
// model computes all of it; this draws.
import { attention } from "./attention.js";
import { h, number, percent, say, speak } from "./dom.js";

/** After this time without a new answer the newest is explained, where that takes no longer than `QUICK`; both in milliseconds. */
const PAUSE = 400;
const QUICK = 1500;
/** Steps of the colour of a word. */
const SHADES = 4;

const place = document.getElementById("why");
const [here, status] = [h("div", { className: "sides explained" }), h("p", { className: "quiet", ariaLive: "polite" })];
const again = h("button", { type: "button", hidden: true, onclick: () => explain() });
let ask;
let turn = 0;
let took = 0;
/** What is shown: the answer of the open model and that of the one beside it; and what is said of them. */
let shown = [];
let said = () => "";
/** The class that is explained of each; null for the one that is predicted, as of every new text. */
const labels = [null, null];

export async function open(asked) {
  if (!place.open) return;
  if (!ask) {
    ask = asked;
    place.append(status, again, here);
    document.addEventListener("answered", soon);
    await speak(render);
  }
  explain();
}

function soon() {
  if (!place.open) return;
  labels.fill(null);
  const mine = ++turn;
  if (took > QUICK) return stale();
  setTimeout(() => mine === turn && explain(), PAUSE);
}

function stale() {
  again.textContent = say("why.again");
  again.hidden = false;
}

async function explain() {
  const mine = ++turn;
  const text = document.getElementById("text").value.trim();
  again.hidden = true;
  if (!text) return show([], () => say("why.none"));
  status.textContent = say("why.working");
  const began = performance.now();
  const others = [false, ...(document.getElementById("other").hidden ? [] : [true])];
  try {
    const answers = [];
    for (const other of others) {
      const answer = await ask({ type: "explain", text, label: labels[Number(other)], other });
      if (mine !== turn) return;
      answers.push(answer);
    }
    took = performance.now() - began;
    show(answers, () => "");
  } catch (error) {
    if (mine === turn) show([], () => String(error));
  }
}

function show(answers, words) {
  [shown, said] = [answers, words];
  render();
}

function render() {
  status.textContent = said();
  again.textContent = say("why.again");
  here.replaceChildren(...shown.map(side));
}

function side(answer, index) {
  const { explanation, labels: names } = answer;
  const { tokens, words, prediction, attribution } = explanation;
  // Below the name of the model, where there is one.
  const heading = shown.length > 1 ? "h4" : "h3";
  const name = shown.length > 1 && h("h3", {}, document.getElementById(index ? "other-name" : "open-name").textContent);
  const choice = h(
    "select",
    { onchange: ({ target }) => choose(index, Number(target.value)) },
    names.map((label, id) => h("option", { value: id, selected: id === attribution.label }, label)),
  );
  const values = {
    label: names[attribution.label],
    logit: number(attribution.logit),
    baseline: number(attribution.baseline_logit),
    sum: number(attribution.scores.reduce((sum, score) => sum + score, 0)),
    difference: number(attribution.logit - attribution.baseline_logit),
    error: percent(explanation.completeness_error, 1),
  };
  return h(
    "div",
    { className: "side" },
    name || null,
    h(heading, {}, say("why.words")),
    h("label", { className: "together controls" }, say("why.class"), choice),
    h("ul", { className: "words", ariaLabel: say("why.words") }, scored(words, attribution.scores)),
    h("p", {}, say("why.sum", values)),
    tokens.cut_tokens.length > 0 ? h("p", { className: "quiet" }, say("why.cut", { n: tokens.tokens.length })) : null,
    h(heading, {}, say("why.tokens")),
    h("p", { className: "quiet" }, say("why.tokens_about")),
    ...attention(answer, chips(tokens, attribution.scores), heading),
  );
}

function choose(index, label) {
  labels[index] = label;
  explain();
}

/** Each word with what it adds, the stronger the deeper. */
function scored(words, scores) {
  const sums = words.map(({ tokens: { start, end } }) => scores.slice(start, end).reduce((sum, score) => sum + score, 0));
  const most = Math.max(...sums.map(Math.abs), Number.MIN_VALUE);
  return words.map(({ text }, index) => {
    const shade = Math.round((Math.abs(sums[index]) / most) * SHADES);
    const kind = sums[index] < 0 ? "against" : "for";
    return h("li", { className: kind, "data-shade": shade }, h("span", {}, text), " ", h("small", {}, signed(sums[index])));
  });
}

/** Tokens with what a model is given of them. */
function chips({ tokens, input_ids: ids, attention_mask: mask, token_type_ids: types, special_tokens_mask: special }, scores) {
  return tokens.map((piece, index) => {
    const values = { piece, id: ids[index], mask: mask[index], type: types[index], score: signed(scores[index]) };
    const about = say(special[index] ? "why.special" : "why.token", values);
    const parts = [h("b", {}, piece), " ", h("span", {}, ids[index]), " ", h("span", {}, say("why.mask", values))];
    return h("button", { type: "button", className: special[index] ? "special" : "", title: about, "data-token": index }, parts);
  });
}

const signed = (value) => (value < 0 ? "" : "+") + number(value, 2);
