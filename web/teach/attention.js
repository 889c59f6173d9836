// Which token looks at which: a small picture of each head, and the chosen one as lines between the tokens.
import { h, percent, say, svg } from "./dom.js";

/** Height of a token's line, and what is left of it for the words on both sides, in units of the picture. */
const [LINE, SIDE, WIDTH] = [22, 118, 420];
/** Weights below are not drawn. */
const LEAST = 0.02;
/** How many tokens the sentence names. */
const NAMED = 3;

/** The head that is looked at, of every text until another is chosen. */
const chosen = { layer: 0, head: 0 };

/** The elements that show the attention of an answer, below the chips of its tokens; `heading` is the kind of their heading. */
export function attention(answer, chips, heading) {
  const { explanation, layers, heads } = answer;
  const { tokens } = explanation.tokens;
  const values = answer.files[0][1];
  const size = tokens.length;
  const weights = (layer, head, from) => {
    const start = ((layer * heads + head) * size + from) * size;
    return values.subarray(start, start + size);
  };
  Object.assign(chosen, { layer: Math.min(chosen.layer, layers - 1), head: Math.min(chosen.head, heads - 1) });
  let from = null;
  const list = h("ol", { className: "tokens" }, chips.map((chip) => h("li", {}, chip)));
  const picture = h("div", { className: "lines" });
  const said = h("p", { className: "quiet said", ariaLive: "polite" });
  const buttons = [];

  const look = () => {
    const { layer, head } = chosen;
    picture.replaceChildren(lines(tokens, (token) => weights(layer, head, token), from));
    for (const [index, button] of buttons.entries()) button.ariaPressed = String(index === layer * heads + head);
    const place = { layer: layer + 1, head: head + 1 };
    chips.forEach((chip, index) => chip.style.setProperty("--weight", from === null ? 0 : weights(layer, head, from)[index]));
    said.textContent = from === null ? say("attention.hint", place) : sentence(tokens, weights(layer, head, from), from, place);
  };
  const from_token = (index) => {
    from = index;
    look();
  };
  const token = ({ target }) => target.closest?.("[data-token]")?.dataset.token;
  for (const [area, event] of [[list, "focusin"], [list, "pointerover"], [picture, "pointerover"]]) {
    area.addEventListener(event, (it) => token(it) !== undefined && Number(token(it)) !== from && from_token(Number(token(it))));
  }
  const choose = (layer, head) => {
    if (chosen.layer === layer && chosen.head === head) return;
    Object.assign(chosen, { layer, head });
    look();
  };
  const grid = h("div", { className: "heads", role: "group", ariaLabel: say("attention.heads") });
  grid.style.setProperty("--heads", heads);
  for (let layer = 0; layer < layers; layer += 1) {
    for (let head = 0; head < heads; head += 1) {
      const name = say("attention.head", { layer: layer + 1, head: head + 1 });
      const show = () => choose(layer, head);
      const canvas = thumbnail(size, (row) => weights(layer, head, row));
      const button = h("button", { type: "button", ariaLabel: name, title: name, onclick: show, onfocus: show, onpointerenter: show }, canvas);
      buttons.push(button);
      grid.append(button);
    }
  }
  look();
  return [list, h(heading, {}, say("attention.title")), h("p", { className: "quiet" }, say("attention.about")), grid, said, picture];
}

/** A pixel for each pair of tokens: a row for each that looks. */
function thumbnail(size, row) {
  const canvas = h("canvas", { width: size, height: size, ariaHidden: "true" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  for (let from = 0; from < size; from += 1) {
    row(from).forEach((weight, to) => image.data.set([216, 103, 42, Math.round(255 * Math.sqrt(weight))], 4 * (from * size + to)));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Tokens on the left look at tokens on the right; `only` one of them, where one is chosen. */
function lines(tokens, row, only) {
  const middle = (index) => index * LINE + LINE / 2;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${tokens.length * LINE}`, role: "img", "aria-label": say("attention.picture") });
  tokens.forEach((_, from) => {
    if (only !== null && only !== from) return;
    row(from).forEach((weight, to) => {
      if (weight < LEAST) return;
      const [y1, y2] = [middle(from), middle(to)];
      picture.append(svg("line", { x1: SIDE, y1, x2: WIDTH - SIDE, y2, "stroke-opacity": Math.min(1, weight * 1.5).toFixed(2) }));
    });
  });
  tokens.forEach((piece, index) => {
    const at = middle(index);
    const text = (x, side) => svg("text", { x, y: at, class: `${side}${only === index ? " chosen" : ""}`, "data-token": index }, cut(piece));
    picture.append(text(SIDE - 8, "from"), text(WIDTH - SIDE + 8, "to"));
  });
  return picture;
}

const cut = (piece) => (piece.length > 14 ? `${piece.slice(0, 13)}…` : piece);

function sentence(tokens, weights, from, place) {
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]).slice(0, NAMED);
  const most = order.map((to) => `${tokens[to]} ${percent(weights[to])}`).join(", ");
  return say("attention.sentence", { piece: tokens[from], most, ...place });
}
