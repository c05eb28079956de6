/** TensorFlow Serving's REST API, version 1: metadata and predict, with errors a person can read. */

const LATE_MS = 60_000;
const MODELS = new URL("../v1/models/", document.baseURI);

/** Why there is no answer: `title` for everybody, `message` in the server's words or ours. */
export class NoAnswer extends Error {
  constructor(title, message) {
    super(message);
    this.title = title;
  }
}

/** A newer question was asked; nobody waits for this answer. */
export const SUPERSEDED = new Error("superseded");

const TITLES = {
  400: "The server refused the request",
  404: "The server does not know this model",
  408: "The text took too long to arrive",
  413: "The text is too long for the server",
  429: "The server has too much to do",
  501: "The server cannot do this",
  503: "The server has too much to do",
  504: "The server took too long",
};

/** Where a call goes: url("reviews", ":predict"). */
export function url(model, call) {
  return MODELS.href + encodeURIComponent(model) + call; // as a relative URL, "reviews:" is a scheme
}

/** The signatures of the newest version served, as the API gives them, and its number. */
export async function describe(model, controller) {
  const { document: found } = await call(url(model, "/metadata"), null, controller);
  return {
    version: found.model_spec?.version ?? "",
    signatures: found.metadata?.signature_def?.signature_def ?? {},
  };
}

/** Body of a predict call for one row of inputs by name. */
export function body(inputs, signature) {
  const named = signature === "serving_default" ? {} : { signature_name: signature };
  return JSON.stringify({ ...named, instances: [inputs] });
}

/**
 * One row's outputs by name (the bare value where a signature has one output only), and the
 * milliseconds from the call to the parsed answer.
 */
export async function predict(model, inputs, controller, signature = "serving_default") {
  const sent = body(inputs, signature);
  const { document: found, ms } = await call(url(model, ":predict"), sent, controller);
  if (!Array.isArray(found.predictions) || found.predictions.length !== 1) {
    throw new NoAnswer("The server answered something else", "It has no row of predictions.");
  }
  return { row: found.predictions[0], ms };
}

async function call(where, sent, controller) {
  const { signal } = controller;
  const late = new NoAnswer("The server took too long", `No answer within ${LATE_MS / 1000} s.`);
  const timer = setTimeout(() => controller.abort(late), LATE_MS);
  const started = performance.now();
  try {
    const options = sent === null ? { signal } : { signal, method: "POST", body: sent };
    const response = await fetch(where, options);
    const text = await response.text();
    const ms = performance.now() - started;
    return { document: parsed(response, text), ms };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof TypeError ? unreachable() : error;
  } finally {
    clearTimeout(timer);
  }
}

function parsed(response, text) {
  let found = null;
  try {
    found = JSON.parse(text);
  } catch {
    found = null;
  }
  if (!response.ok) {
    const title = TITLES[response.status] ?? "The server failed";
    throw new NoAnswer(`${title} (${response.status})`, found?.error ?? text.slice(0, 500));
  }
  if (found === null || typeof found !== "object") {
    throw new NoAnswer("The server answered something else", text.slice(0, 500));
  }
  return found;
}

function unreachable() {
  const fix = "Is it still running? Start it with: rawbert serve PATH --demo";
  return new NoAnswer("The server is not there", `Nobody answers at ${MODELS.host}. ${fix}`);
}
