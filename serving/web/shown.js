/** What the page shows of a question: its answer, the pieces, the call, or an error. */

import { byId, element, plural } from "./element.js";
import { showEntities } from "./entities.js";
import { showLabels } from "./labels.js";
import { showPieces } from "./pieces.js";
import { NoAnswer, body, url } from "./rest.js";
import { taskOfAnswer } from "./task.js";

const HINT = "Type or paste a text; answers come as you type.";
const MOST_JSON = 20_000;
const SHOW = { tag: showEntities, classify: showLabels, other: showJson };

/** The answer to texts by input name, and what it took. */
export function showAnswer(model, inputs, { row, ms }) {
  const { nodes, said } = SHOW[taskOfAnswer(row)](row, inputs.text);
  const took = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const cut = row?.dropped_tokens > 0 ? cutOff(row.dropped_tokens) : "";
  byId("shown").replaceChildren(...nodes);
  byId("latency").textContent = took;
  byId("cut").textContent = cut;
  byId("cut").hidden = !cut;
  byId("curl").textContent = curl(model, inputs);
  byId("json").textContent = json(row);
  byId("call").hidden = false;
  say(`${said} ${cut} ${took}`);
  fresh("answer");
}

/** The pieces of texts in the order of their type ids. */
export function showRead(row, texts) {
  const { nodes, count } = showPieces(row, texts);
  byId("count").textContent = count;
  byId("read").replaceChildren(...nodes);
  fresh("pieces");
}

/** The model answers, but its `tokenize` does not. */
export function showUnread(error) {
  byId("count").textContent = "";
  byId("read").replaceChildren(notice(error.message));
  fresh("pieces");
}

/** The model has no `tokenize`. */
export function hideRead() {
  fresh("pieces");
  byId("pieces").hidden = true;
}

/** Answer and pieces are those of an older text. */
export function outdated() {
  for (const id of ["answer", "pieces"]) byId(id).setAttribute("aria-busy", "true");
}

/** Nothing is asked. */
export function clear() {
  for (const id of ["answer", "pieces", "call"]) byId(id).hidden = true;
  byId("error").replaceChildren();
  say("");
  hint(HINT);
}

/** Why there is no answer; `again` asks once more. */
export function showError(error, again) {
  clear();
  const button = element("button", { type: "button" }, "Try again");
  button.addEventListener("click", again);
  const title = error instanceof NoAnswer ? error.title : "The page cannot show this answer";
  const words = [element("h2", {}, title), element("p", {}, error.message)];
  byId("error").replaceChildren(...words, button);
}

/** The line below the text. */
export function hint(sentence) {
  byId("hint").textContent = sentence;
}

function fresh(id) {
  byId("error").replaceChildren();
  byId(id).hidden = false;
  byId(id).setAttribute("aria-busy", "false");
  hint(HINT);
}

function say(sentence) {
  byId("said").textContent = sentence;
}

function cutOff(dropped) {
  const pieces = plural("piece", dropped);
  return `Too long for this model: ${pieces} at the end were cut off before it answered.`;
}

function showJson(row) {
  const sentence = "This page has no picture for such an answer. Here it is as it came.";
  const answer = { tabindex: 0, "aria-label": "The answer, in JSON" };
  return { nodes: [notice(sentence), element("pre", answer, json(row))], said: sentence };
}

function notice(sentence) {
  return element("p", { class: "notice" }, sentence);
}

function curl(model, inputs) {
  const sent = body(inputs, "serving_default");
  const data = sent.length > MOST_JSON ? "@question.json" : sent;
  return `curl -d ${quoted(data)} \\\n  ${quoted(url(model, ":predict"))}`;
}

/** As one word of a shell, whatever is in it. */
function quoted(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function json(row) {
  const text = JSON.stringify(row, null, 2);
  if (text.length <= MOST_JSON) return text;
  return `${text.slice(0, MOST_JSON)}\n… ${plural("character", text.length)} in all`;
}
