// Small helpers to build DOM nodes. Nothing here (or anywhere in this page) uses innerHTML:
// text from messages always becomes a text node.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Build an element. `props` keys: `class`, `data` (object), `on` (event → listener),
 * `aria` (object), `style` (object), any attribute or property. False and null are left out.
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "data") for (const [k, v] of Object.entries(value)) setData(node, k, v);
    else if (key === "aria") for (const [k, v] of Object.entries(value)) setAria(node, k, v);
    else if (key === "on") for (const [k, v] of Object.entries(value)) node.addEventListener(k, v);
    else if (key === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else if (key === "value") node.value = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

function setData(node, key, value) {
  if (value !== null && value !== undefined) node.setAttribute(`data-${key}`, value);
}

function setAria(node, key, value) {
  if (value !== null && value !== undefined) node.setAttribute(`aria-${key}`, String(value));
}

/** Append strings, nodes and nested lists; null and false are skipped. */
export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

/** Replace all children of `node`. */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  chevron: "M6 9l6 6 6-6",
  hash: "M5 9h14M5 15h14M10 4L8 20M16 4l-2 16",
  lock: "M7 11h10v8H7zM9 11V8a3 3 0 016 0v3",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM5 20c1-4 4-5 7-5s6 1 7 5",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  smile: "M12 21a9 9 0 100-18 9 9 0 000 18zM9 10h.01M15 10h.01M8 14c2 3 6 3 8 0",
  reply: "M4 5h16v11H10l-4 4v-4H4z",
  send: "M4 12l16-8-5 16-4-6zM11 14l9-10",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6z",
  sun: "M12 16a4 4 0 100-8 4 4 0 000 8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14a8 8 0 11-9-10 6 6 0 009 10z",
  braces: "M9 4c-3 0-3 2-3 4s0 3-2 4c2 1 2 2 2 4s0 4 3 4M15 4c3 0 3 2 3 4s0 3 2 4c-2 1-2 2-2 4s0 4-3 4",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  menu: "M4 7h16M4 12h16M4 17h16",
  eye: "M2 12c4-7 16-7 20 0-4 7-16 7-20 0zM12 15a3 3 0 100-6 3 3 0 000 6z",
  plus: "M12 5v14M5 12h14",
  down: "M12 5v14M6 13l6 6 6-6",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  clock: "M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3 2",
};

/** A stroke icon by name, hidden from screen readers (the button around it carries the label). */
export function icon(name, size = 18) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, class: `icon icon-${name}` };
  for (const [k, v] of Object.entries(attributes)) svg.setAttribute(k, v);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** An icon-only button with an accessible name and the same tooltip. */
export function iconButton(name, label, onClick, props = {}) {
  return h(
    "button",
    { type: "button", title: label, aria: { label }, on: { click: onClick }, ...props,
      class: `icon-button ${props.class ?? ""}` },
    icon(name),
  );
}

/** Show a short note at the bottom; errors are announced at once and stay longer. */
export function toast(text, kind = "info") {
  const holder = document.getElementById("toasts");
  const node = h("div", { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status",
    data: { testid: "toast" } }, h("span", {}, text),
    iconButton("close", "Dismiss", () => node.remove()));
  holder.append(node);
  while (holder.children.length > 3) holder.firstChild.remove();
  setTimeout(() => node.remove(), kind === "error" ? 8000 : 3500);
}

const FOCUSABLE =
  'a[href],button:not([disabled]),input:not([disabled]):not([type="hidden"]),' +
  'select:not([disabled]),textarea:not([disabled]),[tabindex="0"]';

/** The elements inside `root` that the Tab key reaches, in order. */
export function focusables(root) {
  return [...root.querySelectorAll(FOCUSABLE)].filter((node) => node.getClientRects().length > 0);
}

/** Keep Tab inside `root` (dialogs). Call from a keydown listener. */
export function trapTab(event, root) {
  if (event.key !== "Tab") return;
  const items = focusables(root);
  if (!items.length) return;
  const first = items[0];
  const last = items[items.length - 1];
  const inside = root.contains(document.activeElement);
  if (event.shiftKey && (document.activeElement === first || !inside)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && (document.activeElement === last || !inside)) {
    event.preventDefault();
    first.focus();
  }
}

/** A stable hue (0–359) for a name, for avatars. */
export function hue(text) {
  let sum = 7;
  for (const char of text ?? "") sum = (sum * 31 + char.codePointAt(0)) % 3600;
  return sum % 360;
}

/** Up to two initials of a display name. */
export function initials(name) {
  const words = (name ?? "?").replace(/[^\p{L}\p{N}\s]/gu, " ").trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0][0], words.at(-1)[0]] : [(words[0] ?? "?")[0] ?? "?"];
  return letters.join("").toUpperCase();
}

/** Run `action` at most once per `wait` ms, always with the newest call; `.flush()` runs it now. */
export function debounce(action, wait) {
  let timer = null;
  let latest = null;
  const run = () => {
    clearTimeout(timer);
    timer = null;
    const args = latest;
    latest = null;
    if (args) action(...args);
  };
  const later = (...args) => {
    latest = args;
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
  later.flush = run;
  return later;
}
