/** A classifier's answer: the label, and the probability of every label as a bar. */

import { element, percent, plural } from "./element.js";

const FEW = 8;

/** {nodes, said}: what is seen, and the sentence that a screen reader says. */
export function showLabels(row) {
  const scored = row.labels.map((label, id) => ({ label: String(label), score: row.scores[id] }));
  const ranked = [...scored].sort((a, b) => b.score - a.score);
  const best = typeof row.label === "string" ? { label: row.label, score: row.score } : ranked[0];
  const headline = element(
    "p",
    { class: "headline" },
    element("strong", {}, best.label),
    element("span", {}, percent(best.score)),
  );
  return { nodes: [headline, ...lists(scored, ranked, best)], said: said(best) };
}

/** Few labels stand in their own order, so that nothing jumps while one types. */
function lists(scored, ranked, best) {
  if (scored.length <= FEW) return [bars(scored, best)];
  const rest = element(
    "details",
    {},
    element("summary", {}, `${plural("label", ranked.length - FEW)} more`),
    bars(ranked.slice(FEW), best),
  );
  return [bars(ranked.slice(0, FEW), best), rest];
}

function bars(scored, best) {
  return element("ol", { class: "bars" }, ...scored.map((one) => bar(one, best)));
}

function bar({ label, score }, best) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${100 * score}%`;
  return element(
    "li",
    { class: label === best.label ? "best" : null },
    element("span", { class: "name" }, label),
    element("span", { class: "track", "aria-hidden": "true" }, fill),
    element("span", { class: "value" }, percent(score)),
  );
}

function said(best) {
  return `${best.label}, ${percent(best.score)}.`;
}
