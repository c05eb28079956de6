/** What a model can be asked, and what its answers look like, read from its signatures. */

import { NoAnswer } from "./rest.js";

/** Whether an answer of this shape can be shown as labels, as entities, or only as JSON. */
const OUTPUTS = {
  tag: ["entity_types", "entity_char_starts", "entity_char_ends", "n_entities"],
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
  return { inputs, task: kindOf(signature.outputs ?? {}), pieces: hasPieces(signatures, inputs) };
}

/** The same question asked of an answer: a server may have swapped the model meanwhile. */
export function kindOf(outputs) {
  const has = (names) => names.every((name) => outputs && Object.hasOwn(outputs, name));
  return Object.keys(OUTPUTS).find((task) => has(OUTPUTS[task])) ?? "other";
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
