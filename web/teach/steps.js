// The steps of the lesson: what each shows of the numbers. Its words are `<id>.title` and `<id>.about`.
import { h, number, percent, say, short, table } from "./dom.js";
import { curve, schedule } from "./schedule.js";

export const STEPS = [
  { id: "data", draw: data },
  { id: "tokens", draw: tokens },
  { id: "mask", draw: mask },
  { id: "batch", draw: batch },
  { id: "logits", draw: ({ result }) => byClass(result, "logits.values", (row) => row.before.logits.map((it) => number(it))) },
  { id: "softmax", draw: ({ result }) => byClass(result, "softmax.values", (row) => row.before.probabilities.map((it) => number(it))) },
  { id: "loss", draw: loss },
  { id: "backward", draw: backward },
  { id: "step", draw: optimizer },
  { id: "zero", draw: zero },
  { id: "schedule", draw: schedule },
  { id: "argmax", draw: argmax },
];

const names = (result) => result.rows.map((_, index) => say("lesson.row", { n: index + 1 }));

function data({ rows, labels, state, refusal, set }) {
  const column = state.wrong ? "emotion" : "label";
  const lines = rows.map(([text, label], index) => [say("lesson.row", { n: index + 1 }), { text, class: "text" }, label]);
  const box = h("input", { type: "checkbox", checked: state.wrong, onchange: ({ target }) => set({ wrong: target.checked }), "data-keep": "wrong" });
  const counts = labels.map((label) => `${label} ${rows.filter((row) => row[1] === label).length}`).join(", ");
  return [
    table(say("data.title"), ["", "text", column], lines),
    h("p", {}, say("data.classes", { rows: rows.length, classes: labels.length, counts })),
    h("label", { className: "check" }, box, say("data.wrong")),
    h("p", { className: "refusal", ariaLive: "polite" }, state.wrong ? refusal : ""),
  ];
}

function tokens({ result }) {
  const [row] = result.rows;
  const length = row.attention_mask.filter(Boolean).length;
  const chip = (piece, index) => h("li", {}, h("span", { className: "chip" }, h("b", {}, piece), h("span", {}, row.input_ids[index])));
  return [h("ol", { className: "tokens", ariaLabel: say("tokens.title") }, row.tokens.slice(0, length).map(chip))];
}

/** Every row as long as the longest; what is padding stands back. */
function padded(result, values) {
  const heads = ["", ...result.rows[0].tokens.map((_, index) => index)];
  const cell = (row) => (value, index) => ({ text: value, class: row.attention_mask[index] ? "" : "padding" });
  return [heads, result.rows.map((row, index) => [names(result)[index], ...values(row).map(cell(row))])];
}

function mask({ result }) {
  const longest = result.rows[0].tokens.length;
  const shortest = Math.min(...result.rows.map((row) => row.attention_mask.filter(Boolean).length));
  const parts = [["tokens", (row) => row.tokens], ["attention_mask", (row) => row.attention_mask]];
  const tables = parts.map(([name, values]) => [h("h4", {}, h("code", {}, name)), table(name, ...padded(result, values))]);
  return [...tables.flat(), h("p", {}, say("mask.lengths", { shortest, longest }))];
}

function batch({ result }) {
  const shape = [result.rows.length, result.rows[0].tokens.length];
  return [h("h4", {}, h("code", {}, `input_ids [${shape.join(", ")}]`)), table("input_ids", ...padded(result, (row) => row.input_ids)), h("p", {}, say("batch.device"))];
}

/** A row of the batch in each line, a class in each column. */
function byClass(result, label, values, more = {}) {
  const { heads = [], cells = () => [] } = more;
  const line = (row, index) => {
    const mark = (text, id) => ({ text, class: id === row.label ? "truth" : "" });
    return [names(result)[index], ...values(row).map(mark), ...cells(row)];
  };
  return [table(say(label), ["", ...result.labels, ...heads], result.rows.map(line)), h("p", { className: "quiet" }, say("lesson.truth"))];
}

function loss({ result }) {
  const more = { heads: ["loss"], cells: (row) => [number(row.loss)] };
  const values = { loss: number(result.loss), guess: number(Math.log(result.labels.length)), classes: result.labels.length };
  return [...byClass(result, "loss.values", (row) => row.before.probabilities.map((it) => number(it)), more), h("p", { className: "sum" }, say("loss.mean", values))];
}

function backward({ result }) {
  const most = Math.max(...result.gradients.map(({ norm }) => norm));
  const bar = ({ name, norm, parameters }) => {
    const share = h("span", { className: "bar" });
    share.style.setProperty("--share", norm / most);
    return h("li", {}, h("span", { className: "label" }, name), h("span", { className: "percent" }, number(norm)), share, h("span", { className: "unseen" }, say("backward.weights", { n: parameters })));
  };
  return [
    h("ul", { className: "probabilities gradients", ariaLabel: say("backward.parts") }, result.gradients.map(bar)),
    h("p", { className: "sum" }, say("backward.norm", { norm: number(result.gradient_norm) })),
    h("p", {}, say("backward.bias")),
    ...changes(result, say("backward.title"), [["gradient", ({ gradient }) => gradient]]),
  ];
}

function changes(result, title, lines) {
  return result.weights.flatMap((weight) => {
    const heads = ["", ...weight.before.map((_, index) => (weight.name.includes("bias") ? result.labels[index] ?? index : index))];
    const line = ([name, values]) => [name, ...values(weight).map((it) => number(it, 4))];
    return [h("h4", {}, h("code", {}, weight.name)), table(`${title}: ${weight.name}`, heads, lines.map(line))];
  });
}

function optimizer({ result, state }) {
  const lines = [
    [say("step.before"), ({ before }) => before],
    [say("step.gradient"), ({ gradient }) => gradient],
    [say("step.after"), ({ after }) => after],
  ];
  return [...changes(result, say("step.title"), lines), h("p", {}, say("step.size", { rate: short(state.settings.learning_rate) }))];
}

function zero({ result, state, set }) {
  const change = ({ target }) => set({ settings: { ...state.settings, zero_grad: target.checked } });
  const box = h("input", { type: "checkbox", checked: state.settings.zero_grad, onchange: change, "data-keep": "zero" });
  const { steps } = result;
  const line = ({ loss, gradient_norm: norm }, index) => [index + 1, number(loss), number(norm)];
  return [
    h("label", { className: "check" }, box, h("code", {}, "optimizer.zero_grad()")),
    h("div", { className: "curves" }, curve(say("zero.loss"), steps.map(({ loss }) => loss)), curve(say("zero.norm"), steps.map(({ gradient_norm: norm }) => norm))),
    table(say("zero.title"), [say("zero.column"), "loss", say("zero.norm")], steps.map(line)),
    h("p", {}, say(state.settings.zero_grad ? "zero.with" : "zero.without")),
  ];
}

function argmax({ result, rows }) {
  const cell = (row, which, predicted) => {
    const text = `${result.labels[predicted]} (${percent(row[which].probabilities[predicted])})`;
    return { text, class: predicted === row.label ? "truth" : "" };
  };
  const line = (row, index) => [names(result)[index], rows[index][1], cell(row, "before", row.predicted), cell(row, "after", row.predicted_after)];
  const right = (key) => result.rows.filter((row) => row[key] === row.label).length;
  const values = { before: right("predicted"), after: right("predicted_after"), rows: result.rows.length, steps: result.steps.length };
  return [table(say("argmax.title"), ["", say("lesson.label"), say("argmax.before"), say("argmax.after")], result.rows.map(line)), h("p", { className: "sum" }, say("argmax.right", values))];
}
