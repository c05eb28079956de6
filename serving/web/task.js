/** What a model can be asked, and what its answers look like, read from its signatures. */

import { NoAnswer } from "./rest.js";

/** The lists that a row of an answer must have to be shown as entities, or as labels. */
const LISTS = {
  tag: ["entity_types", "entity_char_starts", "entity_char_ends"],
  classify: ["labels", "scores"],
};

/**
 * {inputs: ["text"], task: "classify", pieces: true}
 * @throws {NoAnswer} the model does not take raw text.
 */
export function taskOf(model, signatures) {
  const signature = signatures.serving_default;
  if (!signature) {
    throw new NoAnswer("This page cannot ask this model", `${model} has no serving_default.`);
  }
  const inputs = Object.keys(signature.inputs ?? {}).sort();
  if (!inputs.includes("text") || !inputs.every((name) => isText(signature.inputs[name]))) {
    const taken = inputs.map((name) => `${name} (${typeName(signature.inputs[name])})`).join(", ");
    const found = `The serving_default of ${model} takes ${taken || "nothing"}`;
    throw new NoAnswer("This model does not take raw text", `${found}; this page sends text.`);
  }
  const outputs = signature.outputs ?? {};
  const task = taskWhere((name) => Object.hasOwn(outputs, name));
  return { inputs, task, pieces: hasPieces(signatures, inputs) };
}

/** "tag", "classify" or "other"; asked of the answer, since the model may have changed meanwhile. */
export function taskOfAnswer(row) {
  return taskWhere((name) => Array.isArray(row?.[name]));
}

function taskWhere(has) {
  return Object.keys(LISTS).find((task) => LISTS[task].every(has)) ?? "other";
}

function hasPieces(signatures, inputs) {
  const found = signatures.tokenize;
  const same = found && inputs.every((name) => Object.hasOwn(found.inputs ?? {}, name));
  return Boolean(same && found.outputs?.pieces && found.outputs?.n_pieces);
}

function isText(tensor) {
  const shape = tensor.tensor_shape ?? {};
  return tensor.dtype === "DT_STRING" && (shape.unknown_rank || shape.dim?.length === 1);
}

function typeName(tensor) {
  const sizes = (tensor.tensor_shape?.dim ?? []).map(({ size }) => (size === "-1" ? "?" : size));
  return `${tensor.dtype.replace("DT_", "").toLowerCase()} [${sizes.join(", ")}]`;
}
