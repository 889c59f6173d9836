// Curves, and the one of the learning rate, whose peak can be dragged or moved with the arrow keys.
import { h, number, say, short, svg } from "./dom.js";

const [WIDTH, HEIGHT, EDGE] = [340, 160, 16];
/** The range of the peak. */
const [MOST, LEAST] = [0.02, 0.0005];
const STEP = { learning_rate: 0.001, warmup_ratio: 0.05 };
/** After this long without a key the run is computed anew, in milliseconds. */
const PAUSE = 250;

/** A curve of values from 0 on. */
export function curve(title, values, highest = Math.max(...values, Number.MIN_VALUE)) {
  const points = values.map((value, index) => `${x(index / Math.max(values.length - 1, 1))},${y(value / highest)}`);
  const grid = svg("path", { class: "grid", d: `M${x(0)} ${y(0)}H${x(1)}M${x(0)} ${y(1)}H${x(1)}` });
  const mark = svg("text", { class: "mark", x: x(0), y: y(1) - 4 }, short(highest));
  const line = svg("polyline", { class: "line", points: points.join(" ") });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title }, grid, mark, line);
  return h("figure", {}, h("figcaption", {}, title), h("div", { className: "curve" }, picture));
}

const x = (share) => EDGE + share * (WIDTH - 2 * EDGE);
const y = (share) => HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE);

export function schedule({ result, state, set, ask }) {
  const { settings } = state;
  const said = h("p", { className: "sum" });
  const handle = h("button", { type: "button", className: "handle", "data-keep": "handle", "aria-describedby": "schedule-help" });
  const frame = h("div", { className: "curve" }, handle);
  const present = { ...settings };
  let timer;

  const place = () => {
    handle.style.left = `${(100 * x(present.warmup_ratio)) / WIDTH}%`;
    handle.style.top = `${(100 * y(present.learning_rate / MOST)) / HEIGHT}%`;
    const values = { rate: short(present.learning_rate), part: Math.round(100 * present.warmup_ratio) };
    handle.ariaLabel = say("schedule.handle", values);
  };
  const draw = (rates) => {
    state.rates = rates;
    frame.querySelector("svg")?.remove();
    frame.prepend(curve(say("schedule.curve"), rates, MOST).querySelector("svg"));
    const list = rates.map((rate) => short(rate)).join(" · ");
    said.textContent = say("schedule.rates", { rates: list });
  };
  const take = () => set({ settings: { ...present } });
  const move = async (change) => {
    Object.assign(present, change);
    present.learning_rate = Math.min(MOST, Math.max(LEAST, Math.round(present.learning_rate * 1e4) / 1e4));
    present.warmup_ratio = Math.min(0.9, Math.max(0, Math.round(present.warmup_ratio * 100) / 100));
    place();
    draw((await ask({ type: "schedule", settings: present })).learning_rates);
  };
  handle.onkeydown = (event) => {
    const { learning_rate: rate, warmup_ratio: part } = present;
    const changes = {
      ArrowUp: { learning_rate: rate + STEP.learning_rate },
      ArrowDown: { learning_rate: rate - STEP.learning_rate },
      ArrowRight: { warmup_ratio: part + STEP.warmup_ratio },
      ArrowLeft: { warmup_ratio: part - STEP.warmup_ratio },
    };
    if (!changes[event.key]) return;
    event.preventDefault();
    move(changes[event.key]);
    clearTimeout(timer);
    timer = setTimeout(take, PAUSE);
  };
  handle.onpointerdown = (event) => {
    const { left, top, width, height } = handle.parentElement.getBoundingClientRect();
    const drag = ({ clientX, clientY }) => {
      const across = (((clientX - left) / width) * WIDTH - EDGE) / (WIDTH - 2 * EDGE);
      const up = (HEIGHT - EDGE - ((clientY - top) / height) * HEIGHT) / (HEIGHT - 2 * EDGE);
      move({ warmup_ratio: across, learning_rate: up * MOST });
    };
    event.preventDefault();
    handle.focus();
    addEventListener("pointermove", drag);
    const drop = () => {
      removeEventListener("pointermove", drag);
      take();
    };
    addEventListener("pointerup", drop, { once: true });
  };
  const shapes = ["linear", "cosine"].map((shape) => h("option", { value: shape, selected: shape === settings.schedule }, say(`schedule.${shape}`)));
  const choice = h("select", { id: "schedule-shape", "data-keep": "shape", onchange: ({ target }) => move({ schedule: target.value }).then(take) }, shapes);
  place();
  draw(state.rates ?? result.steps.map(({ learning_rate: rate }) => rate));
  const final = result.steps.at(-1);
  return [
    h("div", { className: "controls" }, h("label", { htmlFor: "schedule-shape" }, say("schedule.shape")), choice),
    h("p", { id: "schedule-help", className: "quiet" }, say("schedule.help")),
    h("figure", {}, h("figcaption", {}, say("schedule.curve")), frame),
    said,
    h("p", {}, say("schedule.effect", { steps: result.steps.length, loss: number(final.loss) })),
  ];
}
