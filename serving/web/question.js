/** The boxes to type into, one for each input of the model, and the examples that fill them. */

import { byId, element } from "./element.js";
import { wellFormed } from "./offsets.js";

const MOST_ON_BUTTON = 70;

/** The texts by input name. */
export function typed() {
  return Object.fromEntries(areas().map((area) => [area.name, wellFormed(area.value)]));
}

/** A box for each input; what was typed into one of that name stays. */
export function showBoxes(names) {
  const before = typed();
  if (names.join() === Object.keys(before).join()) return;
  byId("texts").replaceChildren(...names.flatMap((name) => box(name, before[name] ?? "")));
}

/** Buttons that put a text into the first box and then call `chosen`. */
export function showExamples(texts, chosen) {
  const shown = texts.map(shortened);
  const before = Array.from(byId("examples").children, (item) => item.textContent);
  if (shown.join() === before.join()) return; // the focus may be on one of them
  const items = texts.map((text, n) => {
    const button = element("button", { type: "button", dir: "auto" }, shown[n]);
    button.addEventListener("click", () => {
      areas()[0].value = text;
      chosen();
    });
    return element("li", {}, button);
  });
  byId("examples").replaceChildren(...items);
  byId("examples").parentElement.hidden = false;
}

function areas() {
  return [...byId("texts").querySelectorAll("textarea")];
}

function box(name, value) {
  const words = name.replaceAll("_", " ");
  const label = element("label", { for: `in-${name}` }, words[0].toUpperCase() + words.slice(1));
  const about = { id: `in-${name}`, name, rows: 4, dir: "auto", "aria-describedby": "hint" };
  const area = element("textarea", { ...about, spellcheck: "false", autocomplete: "off" });
  area.value = value;
  return [label, area];
}

function shortened(text) {
  const characters = Array.from(text);
  if (characters.length <= MOST_ON_BUTTON) return text;
  return `${characters.slice(0, MOST_ON_BUTTON).join("").trimEnd()}…`;
}
