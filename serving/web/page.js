/** The page: models to choose, text to type, the newest question's answer. */

import { byId, element, plural } from "./element.js";
import { showEntities } from "./entities.js";
import { examplesFor } from "./examples.js";
import { showLabels } from "./labels.js";
import { wellFormed } from "./offsets.js";
import { showPieces } from "./pieces.js";
import { NoAnswer, SUPERSEDED, body, describe, predict, url } from "./rest.js";
import { kindOf, taskOf } from "./task.js";

const TYPING_MS = 300;
const MOST_WHILE_TYPING = 5_000;
const MOST_JSON = 20_000;

const query = new URLSearchParams(location.search);
const boxes = byId("texts");
let model = "";
let known = null; // what taskOf says of the model; null until it is described
let running = null; // the AbortController of the newest question
let typing = 0;

/** Runs a question; one that is still under way is dropped, and so is its answer. */
async function newest(question) {
  clearTimeout(typing);
  running?.abort(SUPERSEDED);
  const controller = new AbortController();
  running = controller;
  document.body.classList.add("asking");
  try {
    await question(controller);
  } catch (error) {
    if (error !== SUPERSEDED) showError(error);
  } finally {
    if (running === controller) document.body.classList.remove("asking");
  }
}

async function ask(controller) {
  if (!known) await learn(controller);
  const inputs = typed();
  const texts = Object.values(inputs);
  if (!texts.some((text) => text)) {
    clear("Type or paste a text.");
    return;
  }
  const { row, ms } = await predict(model, inputs, controller);
  showAnswer(row, inputs, ms);
  if (!known.pieces) return;
  const pieces = await predict(model, inputs, controller, "tokenize");
  showRead(pieces.row, texts);
}

async function learn(controller) {
  const { version, signatures } = await describe(model, controller);
  byId("version").textContent = version && `version ${version}`;
  known = taskOf(model, signatures);
  showBoxes(known.inputs);
  showExamples(examplesFor(known.task, query));
}

/** The texts by input name. */
function typed() {
  const areas = boxes.querySelectorAll("textarea");
  return Object.fromEntries(Array.from(areas, (area) => [area.name, wellFormed(area.value)]));
}

function showBoxes(names) {
  const before = typed();
  if (names.join() === Object.keys(before).join()) return;
  boxes.replaceChildren(...names.flatMap((name) => box(name, before[name] ?? "")));
}

function box(name, value) {
  const words = name.replaceAll("_", " ");
  const label = element("label", { for: `in-${name}` }, words[0].toUpperCase() + words.slice(1));
  const attributes = { id: `in-${name}`, name, rows: 4, dir: "auto", spellcheck: "false" };
  const area = element("textarea", { ...attributes, "aria-describedby": "hint" });
  area.value = value;
  return [label, area];
}

function showExamples(texts) {
  const items = texts.map((text) => {
    const button = element("button", { type: "button", dir: "auto" }, text);
    button.addEventListener("click", () => {
      boxes.querySelector("textarea").value = text;
      newest(ask);
    });
    return element("li", {}, button);
  });
  byId("examples").replaceChildren(...items);
  document.querySelector(".examples").hidden = false;
}

function showAnswer(row, inputs, ms) {
  clear("");
  const shown = { tag: showEntities, classify: showLabels, other: showOther }[kindOf(row)];
  const { nodes, said } = shown(row, inputs.text);
  const took = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  byId("shown").replaceChildren(...nodes);
  byId("latency").textContent = took;
  byId("answer").hidden = false;
  const cut = row?.dropped_tokens > 0 ? cutOff(row.dropped_tokens) : "";
  byId("cut").textContent = cut;
  byId("cut").hidden = !cut;
  byId("said").textContent = `${said} ${cut} ${took}`;
  showCall(row, inputs);
}

function cutOff(dropped) {
  const number = plural("piece", dropped);
  return `Too long for this model: the last ${number} of the text were cut off before it answered.`;
}

function showOther(row) {
  const sentence = "This page has no picture for such an answer; here it is as it came.";
  const note = element("p", { class: "notice" }, sentence);
  return { nodes: [note, element("pre", { tabindex: 0 }, json(row))], said: sentence };
}

function showCall(row, inputs) {
  const quoted = body(inputs, "serving_default").replaceAll("'", "'\\''");
  byId("curl").textContent = `curl -d '${quoted}' \\\n  ${url(model, ":predict")}`;
  byId("json").textContent = json(row);
  byId("call").hidden = false;
}

function json(row) {
  const text = JSON.stringify(row, null, 2);
  return text.length > MOST_JSON ? `${text.slice(0, MOST_JSON)}\n… ${text.length} in all` : text;
}

function showRead(row, texts) {
  const { nodes, count } = showPieces(row, texts);
  byId("count").textContent = count;
  byId("read").replaceChildren(...nodes);
  byId("pieces").hidden = false;
}

function clear(hint) {
  byId("error").replaceChildren();
  for (const id of ["answer", "pieces", "call"]) byId(id).hidden = true;
  byId("said").textContent = hint;
  byId("hint").textContent = hint || "Answers come as you type.";
}

function showError(error) {
  clear("");
  const again = element("button", { type: "button" }, "Try again");
  again.addEventListener("click", () => newest(ask));
  const title = error instanceof NoAnswer ? error.title : "The page could not show the answer";
  byId("error").replaceChildren(
    element("h2", {}, title),
    element("p", {}, error.message),
    again,
  );
}

/** Names that the server wrote into the page, and those of the page's address. */
function names() {
  const written = JSON.parse(document.querySelector("meta[name=models]").content);
  return [...new Set([...written, ...query.getAll("model")])];
}

function choose(name) {
  model = name;
  known = null;
  document.title = `${name} · rawbert`;
  clear("");
  newest(ask);
}

function waitForTyping() {
  running?.abort(SUPERSEDED);
  clearTimeout(typing);
  const length = Object.values(typed()).join("").length;
  if (length > MOST_WHILE_TYPING) {
    byId("hint").textContent = `${plural("character", length)}: press Ask when you are done.`;
  } else {
    typing = setTimeout(() => newest(ask), TYPING_MS);
  }
}

function start() {
  const found = names();
  const picker = byId("model");
  showBoxes(["text"]);
  picker.replaceChildren(...found.map((name) => element("option", { value: name }, name)));
  picker.disabled = found.length < 2;
  if (!found.length) {
    const message = "Name one in this page’s address: ?model=NAME";
    showError(new NoAnswer("No model is served", message));
    return;
  }
  picker.value = query.get("model") ?? found[0];
  picker.addEventListener("change", () => choose(picker.value));
  boxes.addEventListener("input", waitForTyping);
  boxes.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) newest(ask);
  });
  choose(picker.value);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  newest(ask);
});
start();
