/** A tagger's answer: the entities marked in the text, and a table of them. */

import { element, percent } from "./element.js";
import { codePointOffsets } from "./offsets.js";

const COLOURS = 8;
const MOST_SAID = 5;
const colours = new Map();

/** {nodes, said}: what is seen, and the sentence that a screen reader says. */
export function showEntities(row, text) {
  const found = entitiesOf(row, text);
  const nodes = [marked(text, found)];
  if (found.length) nodes.push(table(found));
  return { nodes, said: said(found) };
}

function entitiesOf(row, text) {
  const places = codePointOffsets(text);
  const length = row.n_entities ?? row.entity_types.length;
  return Array.from({ length }, (_, n) => ({
    type: String(row.entity_types[n]),
    score: row.entity_scores?.[n],
    first: row.entity_char_starts[n],
    last: row.entity_char_ends[n],
    start: places.at(row.entity_char_starts[n]),
    end: places.at(row.entity_char_ends[n]),
  })).map((entity) => ({ ...entity, text: text.slice(entity.start, entity.end) }));
}

/** The text as it was typed; types come from the style sheet, so that a copy of it is the text. */
function marked(text, found) {
  const shown = element("p", { class: "marked", dir: "auto" });
  let at = 0;
  for (const entity of found) {
    shown.append(text.slice(at, entity.start));
    const kind = { "data-type": entity.type, "data-colour": colourOf(entity.type) };
    shown.append(element("mark", kind, entity.text));
    at = entity.end;
  }
  shown.append(text.slice(at));
  return shown;
}

function table(found) {
  const heads = ["Entity", "Type", "Probability", "Characters"];
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  return element(
    "table",
    {},
    element("caption", { class: "only-heard" }, "Entities in the order of the text"),
    element("thead", {}, head),
    element("tbody", {}, ...found.map(tableRow)),
  );
}

function tableRow(entity) {
  const type = { class: "type", "data-colour": colourOf(entity.type) };
  const score = typeof entity.score === "number" ? percent(entity.score) : "";
  return element(
    "tr",
    {},
    element("th", { scope: "row", dir: "auto" }, entity.text),
    element("td", {}, element("span", type, entity.type)),
    element("td", {}, score),
    element("td", {}, `${entity.first}–${entity.last}`),
  );
}

/** A type keeps its colour for as long as the page is open. */
function colourOf(type) {
  if (!colours.has(type)) colours.set(type, colours.size % COLOURS);
  return colours.get(type);
}

function said(found) {
  if (!found.length) return "No entities.";
  const first = found.slice(0, MOST_SAID).map(({ text, type }) => `${text}, ${type}`).join("; ");
  const count = found.length === 1 ? "1 entity" : `${found.length} entities`;
  return `${count}: ${first}${found.length > MOST_SAID ? "; and more" : ""}.`;
}
