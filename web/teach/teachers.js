// For teachers: a plan for a lesson, a worksheet to print, and links for a class.
import { h, say, speak, spoken } from "./dom.js";
import { link, list } from "./share.js";

const view = document.getElementById("view-teachers");
const prose = h("section", { className: "card prose" });
const share = h("section", { className: "card share", "aria-labelledby": "share-title" });

export async function open() {
  if (view.firstChild) return refresh(); // what is set may have changed
  view.append(prose, share);
  await speak(async () => {
    draw();
    const address = new URL(`./teachers.${spoken()}.html`, import.meta.url);
    // A file of this site, like this script.
    prose.innerHTML = await (await fetch(address)).text();
  });
}

let refresh = () => {};

function draw() {
  const labels = h("input", { id: "share-labels", type: "text", autocomplete: "off" });
  const address = h("input", { id: "share-link", type: "text", readOnly: true, spellcheck: false });
  const said = h("p", { className: "quiet", ariaLive: "polite" });
  const fill = () => {
    address.value = link(list(labels.value));
  };
  refresh = () => {
    labels.value = [...document.querySelectorAll("#labels option")].map(({ value }) => value).join(", ");
    fill();
  };
  labels.oninput = fill;
  const copy = async () => {
    address.select();
    // Without a secure context (plain HTTP in a school's network) there is no clipboard, but what is selected can be copied by hand.
    await navigator.clipboard?.writeText(address.value);
    said.textContent = navigator.clipboard ? say("share.copied") : "";
  };
  share.replaceChildren(
    h("h2", { id: "share-title" }, say("share.title")),
    h("p", { className: "quiet" }, say("share.about")),
    h("label", { htmlFor: "share-labels" }, say("share.labels")),
    labels,
    h("label", { htmlFor: "share-link" }, say("share.link")),
    address,
    h("div", { className: "controls" }, h("button", { type: "button", className: "primary", onclick: copy }, say("share.copy"))),
    said,
  );
  refresh();
}
