// JSON as a tree that folds: nested details elements, long strings wrapped.

import { h } from "./dom.js";

function scalar(value) {
  const kind = value === null ? "null" : typeof value;
  return h("span", { class: `json-${kind}` }, kind === "string" ? JSON.stringify(value) : String(value));
}

function summaryOf(value) {
  if (Array.isArray(value)) return `[${value.length}]`;
  const keys = Object.keys(value);
  const hint = value.type ?? value.action_id ?? value.name;
  return `{${keys.length}}${typeof hint === "string" ? ` ${hint}` : ""}`;
}

/** `value` as nodes; the first `open` levels are unfolded. Children are built when first unfolded. */
export function jsonTree(value, open = 1, key = null) {
  const name = key === null ? null : h("span", { class: "json-key" }, `${key}: `);
  if (value === null || typeof value !== "object") return h("div", { class: "json-line" }, name, scalar(value));
  const entries = Object.entries(value);
  if (!entries.length) return h("div", { class: "json-line" }, name, Array.isArray(value) ? "[]" : "{}");
  const node = h("details", { class: "json-node", open: open > 0 }, h("summary", {}, name,
    h("span", { class: "json-size" }, summaryOf(value))));
  let built = false;
  const build = () => {
    if (built) return;
    built = true;
    node.append(h("div", { class: "json-children" }, entries.map(([k, v]) => jsonTree(v, open - 1, k))));
  };
  if (open > 0) build();
  node.addEventListener("toggle", () => node.open && build());
  return node;
}
