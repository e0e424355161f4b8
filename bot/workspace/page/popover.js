// One kind of pop-up list for every menu and every select: keyboard, type-ahead, a bottom sheet
// on a phone. Only one is open at a time.

import { h, fill, icon } from "./dom.js";

let open = null;

/** Close the open pop-up, if any; focus returns to what opened it unless told otherwise. */
export function closePopover(refocus = true) {
  if (!open) return false;
  const { root, anchor, before, onClose } = open;
  open = null;
  root.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (refocus) (before?.isConnected && before !== document.body ? before : anchor).focus();
  onClose?.();
  return true;
}

/** True while a pop-up is open (Escape then belongs to it). */
export function popoverOpen() {
  return open !== null;
}

document.addEventListener("pointerdown", (event) => {
  if (open && !open.root.contains(event.target) && !open.anchor.contains(event.target)) closePopover(false);
});
window.addEventListener("resize", () => open && place(open.root, open.anchor.getBoundingClientRect()));

/** Show `content` beside `anchor`; returns the pop-up's element. */
export function openPopover(anchor, content, { label, onClose = null, wide = false } = {}) {
  closePopover(false);
  const before = document.activeElement;
  const root = h("div", { class: `popover ${wide ? "wide" : ""}`, data: { testid: "popover" },
    aria: { label }, role: "group" }, content);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      closePopover();
    } else if (event.key === "Tab") closePopover();
  });
  document.getElementById("layer").append(root);
  anchor.setAttribute("aria-expanded", "true");
  open = { root, anchor, before, onClose };
  place(root, anchor.getBoundingClientRect());
  return root;
}

function place(root, rect) {
  if (window.innerWidth <= 700) return; // the stylesheet makes it a bottom sheet
  const box = root.getBoundingClientRect();
  const below = window.innerHeight - rect.bottom - 12;
  const above = rect.top - 12;
  const up = below < Math.min(box.height, 260) && above > below;
  root.style.maxHeight = `${Math.max(140, Math.min(360, up ? above : below))}px`;
  const height = Math.min(box.height, parseFloat(root.style.maxHeight));
  root.style.top = `${up ? Math.max(8, rect.top - height - 4) : rect.bottom + 4}px`;
  root.style.left = `${Math.max(8, Math.min(rect.left, window.innerWidth - box.width - 8))}px`;
  root.style.minWidth = `${Math.min(rect.width, 420)}px`;
}

/**
 * A list to choose from. Items: {label, nodes?, detail?, icon?, danger?, checked?, group?, disabled?, data?, run?}.
 * `search` adds a type-ahead field; `load(text)` (async) asks for the items as the reader types.
 * `stay` keeps the list open after a pick (multi-selects). `role` is "menu" or "listbox".
 */
export function openList(anchor, options) {
  const { items = [], label, role = "menu", search = false, load = null, onPick, stay = false,
    placeholder = "Search", empty = "Nothing matches", hint = null, onClose = null } = options;
  const state = { items, shown: [], active: -1, asked: 0 };
  const list = h("div", { class: "popover-list", role, tabindex: "-1", aria: { label },
    id: `list-${Math.random().toString(36).slice(2)}` });
  const field = search ? h("input", { class: "popover-search", type: "text", placeholder,
    aria: { label: placeholder, controls: list.id, autocomplete: "list", expanded: "true" }, role: "combobox",
    autocomplete: "off", spellcheck: "false" }) : null;
  const note = h("div", { class: "popover-note", role: "status" });

  const choose = (item) => {
    if (!item || item.disabled) return;
    if (!stay) closePopover();
    if (item.run) item.run();
    else onPick?.(item);
    if (stay) show(state.shown, state.active);
  };
  const activate = (index) => {
    const rows = [...list.querySelectorAll("[data-row]")];
    if (!rows.length) return;
    state.active = (index + rows.length) % rows.length;
    rows.forEach((row, i) => row.classList.toggle("active", i === state.active));
    const row = rows[state.active];
    row.scrollIntoView({ block: "nearest" });
    (field ?? list).setAttribute("aria-activedescendant", row.id);
  };
  const show = (shown, active = 0) => {
    state.shown = shown;
    fill(list, rowsOf(shown, role, list.id, choose));
    note.textContent = shown.length ? "" : empty;
    if (shown.length) activate(Math.min(Math.max(active, 0), shown.length - 1));
  };
  const refresh = async () => {
    const text = field?.value.trim() ?? "";
    if (!load) return show(filterItems(state.items, text));
    const turn = (state.asked += 1);
    note.textContent = "Loading …";
    const answer = await load(text);
    if (turn !== state.asked || open?.root !== root) return undefined;
    if (typeof answer === "string") {
      show([]);
      note.textContent = answer;
    } else show(answer);
    return place(root, anchor.getBoundingClientRect());
  };
  const keys = (event) => {
    const moves = { ArrowDown: state.active + 1, ArrowUp: state.active - 1 };
    if (event.key in moves) activate(moves[event.key]);
    else if (event.key === "Home" && !field) activate(0);
    else if (event.key === "End" && !field) activate(-1);
    else if (event.key === "Enter" || (event.key === " " && !field)) choose(state.shown[state.active]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const root = openPopover(anchor, [field, hint ? h("div", { class: "popover-hint" }, hint) : null, list, note],
    { label, onClose });
  root.addEventListener("keydown", keys);
  field?.addEventListener("input", refresh);
  const current = state.items.findIndex((item) => item.checked);
  if (load) refresh();
  else show(state.items, Math.max(0, current));
  place(root, anchor.getBoundingClientRect());
  (field ?? list).focus();
  return { close: closePopover, refresh, setItems: (next) => { state.items = next; refresh(); } };
}

function filterItems(items, text) {
  const wanted = text.toLowerCase();
  return items.filter((item) => `${item.label} ${item.detail ?? ""}`.toLowerCase().includes(wanted));
}

function rowsOf(items, role, listId, choose) {
  const rows = [];
  let group = null;
  items.forEach((item, index) => {
    if (item.group && item.group !== group) {
      group = item.group;
      rows.push(h("div", { class: "popover-group", role: "presentation" }, group));
    }
    rows.push(h("div", {
      class: `popover-row ${item.danger ? "danger" : ""}`, role: role === "menu" ? "menuitem" : "option",
      id: `${listId}-${index}`, data: { row: index, ...item.data },
      aria: { selected: role === "listbox" ? Boolean(item.checked) : null, disabled: item.disabled ? true : null },
      on: { click: () => choose(item) },
    },
    item.icon ? icon(item.icon, 16) : null,
    h("span", { class: "popover-label" }, item.nodes?.() ?? item.label,
      item.detail ? h("span", { class: "popover-detail" }, item.detail) : null),
    item.checked ? h("span", { class: "check", aria: { hidden: true } }, "✓") : null));
  });
  return rows;
}
