/** Builds DOM nodes. Strings become text nodes, never markup. */

/**
 * element("li", {class: "piece"}, "a", child)
 * @param {string} tag
 * @param {Object<string, ?(string|number)>} attributes null leaves one out
 * @param {...(Node|string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** The element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** 0.97872 ▶ "97.9 %"; only 1 itself is 100 %, and only 0 is 0 %. */
export function percent(share) {
  const rounded = (share * 100).toFixed(1);
  if (share < 1 && rounded === "100.0") return "> 99.9 %";
  if (share > 0 && rounded === "0.0") return "< 0.1 %";
  return `${rounded} %`;
}

/** 1234 ▶ "1,234"; plural("piece", 2) ▶ "2 pieces". */
export function plural(noun, number) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
