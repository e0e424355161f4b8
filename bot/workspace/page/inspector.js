// Every request and envelope between the workspace and the apps, newest first, as raw JSON.

import { api } from "./api.js";
import { h, fill, iconButton, toast } from "./dom.js";
import { jsonTree } from "./json.js";
import { store } from "./store.js";

const KEEP = 1000; // records held in the page
const AGAIN = 30; // the newest records are asked for again: their acknowledgement may have come

const view = { records: new Map(), open: new Set(), last: 0, filter: "", kind: "all", timer: null, root: null, list: null };

function clockTime(iso) {
  const date = new Date(iso);
  return `${date.toLocaleTimeString(undefined, { hour12: false })}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function statusKind(status) {
  if (["ok", "acked", "200"].includes(String(status))) return "good";
  return ["pending", null, undefined].includes(status) ? "waiting" : "bad";
}

function details(record) {
  const part = (title, value) => (value === null || value === undefined ? null
    : h("div", { class: "inspect-part" }, h("div", { class: "inspect-part-head" }, h("h3", {}, title),
      iconButton("copy", `Copy ${title.toLowerCase()} as JSON`, () =>
        navigator.clipboard.writeText(JSON.stringify(value, null, 2)).then(() => toast("Copied")))),
    jsonTree(value, 2)));
  return h("div", { class: "inspect-body" }, part("Request", record.request), part("Response", record.response));
}

function row(record) {
  const app = store.state.apps.find((one) => one.id === record.app_id);
  const arrow = record.direction === "in" ? "→" : "←";
  const node = h("details", { class: "inspect-row", data: { n: record.n, kind: record.kind }, open: view.open.has(record.n) },
    h("summary", {}, h("span", { class: "inspect-time" }, clockTime(record.at)),
      h("span", { class: `inspect-arrow ${record.direction}`,
        title: record.direction === "in" ? "from the app" : "to the app" }, arrow),
      h("span", { class: "inspect-kind" }, record.kind), h("span", { class: "inspect-name" }, record.name),
      h("span", { class: "muted wide-only" }, app?.name ?? record.app_id ?? ""),
      h("span", { class: `inspect-status ${statusKind(record.status)}` }, String(record.status ?? "")),
      h("span", { class: "inspect-ms" }, record.ms === null || record.ms === undefined ? "" : `${Math.round(record.ms)} ms`)));
  const build = () => node.children.length < 2 && node.append(details(record));
  if (view.open.has(record.n)) build();
  node.addEventListener("toggle", () => {
    if (node.open) {
      view.open.add(record.n);
      build();
    } else view.open.delete(record.n);
  });
  return node;
}

function matches(record) {
  if (view.kind !== "all" && record.kind !== view.kind) return false;
  if (!view.filter) return true;
  return JSON.stringify(record).toLowerCase().includes(view.filter);
}

function draw() {
  const kept = [...view.records.values()].filter(({ record }) => matches(record)).sort((a, b) => b.record.n - a.record.n);
  for (const one of kept) one.node ??= row(one.record);
  const nodes = kept.map((one) => one.node);
  const same = nodes.length === view.list.children.length && nodes.every((node, i) => view.list.children[i] === node);
  if (!same) view.list.replaceChildren(...nodes);
  view.count.textContent = `${kept.length} of ${view.records.size}`;
  view.none.hidden = kept.length > 0;
}

async function poll() {
  try {
    const answer = await api.inspector(Math.max(0, view.last - AGAIN));
    for (const record of answer.records) {
      const old = view.records.get(record.n);
      if (old && JSON.stringify(old.record) === JSON.stringify(record)) continue;
      view.records.set(record.n, { record, node: null });
    }
    view.last = Math.max(view.last, ...answer.records.map((record) => record.n));
    for (const n of [...view.records.keys()].sort((a, b) => a - b).slice(0, Math.max(0, view.records.size - KEEP))) {
      view.records.delete(n);
    }
    draw();
  } catch (error) {
    view.count.textContent = error.message;
  }
}

const KINDS = ["all", "api", "event", "interactive", "command", "ack", "response_url", "socket"];

/** Show the inspector in `root` and keep it fresh until `stopInspector`. */
export function startInspector(root) {
  stopInspector();
  view.list = h("div", { class: "inspect-list", data: { testid: "inspector-list" } });
  view.count = h("span", { class: "muted small", role: "status" });
  view.none = h("p", { class: "muted inspect-none" }, "No request matches. Click something in a channel and it appears here.");
  const field = h("input", { class: "field", type: "search", placeholder: "Filter by any text in name or JSON", value: view.filter,
    aria: { label: "Filter" }, data: { testid: "inspector-filter" }, on: { input: () => { view.filter = field.value.trim().toLowerCase(); draw(); } } });
  const kind = h("select", { class: "field kind", aria: { label: "Kind" }, on: { change: () => { view.kind = kind.value; draw(); } } },
    KINDS.map((name) => h("option", { value: name, selected: name === view.kind }, name === "all" ? "all kinds" : name)));
  const legend = h("p", { class: "muted small inspect-legend" }, "→ from the app to the workspace, ← from the workspace to the app. Tokens are masked.");
  fill(root, h("div", { class: "inspect" }, h("div", { class: "inspect-tools" }, field, kind, view.count), legend, view.list, view.none));
  for (const one of view.records.values()) one.node = null;
  draw();
  poll();
  view.timer = setInterval(poll, 1500);
}

/** Stop asking for new records. */
export function stopInspector() {
  clearInterval(view.timer);
  view.timer = null;
}
