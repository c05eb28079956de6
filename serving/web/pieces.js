/** The `tokenize` signature's answer: each piece under the text that it was made of. */

import { element, plural } from "./element.js";
import { byteOffsets } from "./offsets.js";

const AT_ONCE = 64;
const MOST_SHOWN = 1_000;
const MOST_REST = 600;

/**
 * {nodes, count}: the pieces and, of what was cut off, the text; and how many there are.
 * @param {Object} row outputs of `tokenize`
 * @param {string[]} texts the inputs in the order of their type ids
 */
export function showPieces(row, texts) {
  const all = piecesOf(row, texts);
  const nodes = [list(all.slice(0, AT_ONCE))];
  if (all.length > AT_ONCE) nodes.push(folded(all.slice(AT_ONCE)));
  if (row.dropped_tokens > 0) nodes.push(...rests(all, texts));
  return { nodes, count: counted(all.length, row.dropped_tokens ?? 0) };
}

function list(pieces) {
  return element("ol", { class: "pieces", dir: "auto" }, ...pieces.map(piece));
}

function folded(pieces) {
  const shown = pieces.slice(0, MOST_SHOWN);
  const left = pieces.length - shown.length;
  const more = left ? [element("p", { class: "more" }, `and ${plural("piece", left)} more`)] : [];
  const summary = element("summary", {}, `${plural("piece", pieces.length)} more`);
  return element("details", {}, summary, list(shown), ...more);
}

function piecesOf(row, texts) {
  const places = texts.map(byteOffsets);
  return Array.from({ length: row.n_pieces }, (_, n) => {
    const of = Math.min(row.input_type_ids?.[n] ?? 0, texts.length - 1);
    const start = places[of].at(row.starts?.[n] ?? 0);
    const end = places[of].at(row.ends?.[n] ?? 0);
    return {
      piece: String(row.pieces[n]),
      id: row.input_word_ids?.[n],
      source: texts[of].slice(start, end),
      end,
      of,
    };
  });
}

function piece({ piece: name, id, source }) {
  const kind = source ? (name === "[UNK]" ? "unknown" : null) : "special";
  return element(
    "li",
    { class: kind },
    element("span", { class: "source" }, source),
    element("span", { class: "name" }, name),
    element("span", { class: "id" }, id === undefined ? "" : String(id)),
  );
}

/** What the encoder did not see of each text: all behind the last piece made of it. */
function rests(all, texts) {
  return texts
    .map((text, of) => {
      const end = all.reduce((far, one) => (one.of === of ? Math.max(far, one.end) : far), 0);
      return text.slice(end).trim();
    })
    .filter((rest) => rest)
    .map((rest) => element("p", { class: "rest", dir: "auto" }, notRead(), shortened(rest)));
}

function notRead() {
  return element("strong", {}, "Not read: ");
}

function shortened(rest) {
  const characters = Array.from(rest);
  return characters.length > MOST_REST ? `${characters.slice(0, MOST_REST).join("")}…` : rest;
}

function counted(read, dropped) {
  const cut = dropped > 0 ? `, ${dropped.toLocaleString("en")} more cut off` : "";
  return plural("piece", read) + cut;
}
