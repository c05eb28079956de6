/** The page: a model is chosen, a text is typed, the newest question is asked. */

import { byId, element, plural } from "./element.js";
import { examplesFor } from "./examples.js";
import { showBoxes, showExamples, typed } from "./question.js";
import { NoAnswer, SUPERSEDED, describe, predict } from "./rest.js";
import * as shown from "./shown.js";
import { taskOf } from "./task.js";

const TYPING_MS = 300;
const MOST_WHILE_TYPING = 5_000;

const query = new URLSearchParams(location.search);
let model = "";
let known = null; // what taskOf says of the model; null until it is described
let running = null; // the AbortController of the newest question
let typing = 0; // the timer that waits for a pause in the typing

/** Asks; a question that is still under way is dropped, and so is its answer. */
async function ask(look = false) {
  if (!model) return;
  drop();
  const controller = new AbortController();
  running = controller;
  try {
    await answerTo(controller);
    if (look) byId("answer").scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (error === SUPERSEDED) return;
    known = null; // perhaps another model is served by the next time
    shown.showError(error, () => ask());
  }
}

function drop() {
  clearTimeout(typing);
  running?.abort(SUPERSEDED);
  shown.outdated();
}

async function answerTo(controller) {
  if (!known) await learn(controller);
  const inputs = typed();
  if (!Object.values(inputs).some((text) => text)) {
    shown.clear();
    return;
  }
  shown.showAnswer(model, inputs, await predict(model, inputs, controller));
  if (known.pieces) await read(inputs, controller);
  else shown.hideRead();
  await learn(controller); // a new version may have answered
}

async function read(inputs, controller) {
  try {
    const { row } = await predict(model, inputs, controller, "tokenize");
    shown.showRead(row, Object.values(inputs));
  } catch (error) {
    if (error === SUPERSEDED) throw error;
    shown.showUnread(error);
  }
}

async function learn(controller) {
  const { version, signatures } = await describe(model, controller);
  byId("version").textContent = version && `version ${version}`;
  known = taskOf(model, signatures);
  showBoxes(known.inputs);
  showExamples(examplesFor(known.task, query), () => ask(true));
}

function wait() {
  drop();
  const length = Object.values(typed()).join("").length;
  if (length > MOST_WHILE_TYPING) {
    shown.hint(`${plural("character", length)}: press Ask when you are done.`);
  } else {
    typing = setTimeout(() => ask(), TYPING_MS);
  }
}

/** The address names the model first, and still all others that it named. */
function prefer(name) {
  const others = query.getAll("model").filter((other) => other !== name);
  query.delete("model");
  for (const each of [name, ...others]) query.append("model", each);
}

function choose(name) {
  model = name;
  known = null;
  document.title = `${name} · rawbert`;
  shown.clear();
  ask();
}

/** Names that the server wrote into the page, and those of the page's address. */
function names() {
  const written = JSON.parse(document.querySelector("meta[name=models]").content);
  return [...new Set([...written, ...query.getAll("model")])];
}

function start() {
  const found = names();
  const picker = byId("model");
  picker.replaceChildren(...found.map((name) => element("option", { value: name }, name)));
  picker.disabled = found.length < 2;
  showBoxes(["text"]);
  if (!found.length) {
    const fix = "Serve one, or name it in this page’s address: ?model=NAME";
    shown.showError(new NoAnswer("No model is served", fix), () => location.reload());
    return;
  }
  picker.value = query.get("model") ?? found[0];
  picker.addEventListener("change", () => {
    prefer(picker.value);
    history.replaceState(null, "", `?${query}`);
    choose(picker.value);
  });
  choose(picker.value);
}

byId("texts").addEventListener("input", wait);
byId("texts").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(true);
});
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(true);
});
start();
