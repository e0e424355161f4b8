// Dialogs over the page: focus stays inside, Escape closes, focus returns afterwards.

import { h, focusables, iconButton, trapTab } from "./dom.js";
import { plainNodes } from "./emoji.js";
import { popoverOpen } from "./popover.js";

const stack = [];

/** True while any dialog is open. */
export function dialogOpen() {
  return stack.length > 0;
}

// On the document, not on the dialog: a click beside it leaves the focus nowhere.
document.addEventListener("keydown", (event) => {
  const top = stack.at(-1);
  if (!top || popoverOpen()) return;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    top.onEscape();
  } else trapTab(event, top.panel);
}, true);

function updateInert() {
  document.getElementById("app").inert = stack.length > 0;
  stack.forEach(({ shade }, index) => { shade.inert = index < stack.length - 1; });
}

/**
 * Show `panel` (role dialog) over the page. `onEscape` decides what Escape does, and a click on the
 * shade unless `shadeCloses` is false (a form must not be lost by a slip of the hand).
 * Returns a function that takes it away.
 */
export function showDialog(panel, { onEscape, focus = null, kind = "", shadeCloses = true }) {
  const before = document.activeElement;
  const shade = h("div", { class: `shade ${kind}` }, panel);
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-modal", "true");
  panel.tabIndex = -1;
  let pressedOnShade = false;
  shade.addEventListener("pointerdown", (event) => { pressedOnShade = event.target === shade; });
  shade.addEventListener("click", (event) => {
    if (shadeCloses && event.target === shade && pressedOnShade) onEscape();
  });
  const entry = { shade, panel, onEscape };
  stack.push(entry);
  document.getElementById("dialogs").append(shade);
  updateInert();
  (focus?.() ?? firstField(panel) ?? panel).focus();
  return () => {
    const index = stack.indexOf(entry);
    if (index < 0) return;
    stack.splice(index, 1);
    shade.remove();
    updateInert();
    if (before?.isConnected) before.focus();
  };
}

/** The first place to type in, else the first thing that can be focused. */
export function firstField(panel) {
  const items = focusables(panel);
  return items.find((node) => node.matches("input,textarea,select,.select-button")) ?? items[0] ?? null;
}

/** Slack's confirm object as a dialog; resolves to true when the reader agrees. */
export function confirmDialog(confirm) {
  return new Promise((resolve) => {
    let hide = null;
    const done = (answer) => {
      hide();
      resolve(answer);
    };
    const yes = h("button", { type: "button", class: `button ${confirm.style === "danger" ? "danger" : "primary"}`,
      data: { testid: "confirm-yes" }, on: { click: () => done(true) } },
    plainNodes(confirm.confirm?.text ?? "Yes"));
    const no = h("button", { type: "button", class: "button", data: { testid: "confirm-no" },
      on: { click: () => done(false) } }, plainNodes(confirm.deny?.text ?? "Cancel"));
    const panel = h("div", { class: "dialog confirm", aria: { labelledby: "confirm-title" },
      data: { testid: "confirm" } },
    h("h2", { id: "confirm-title" }, plainNodes(confirm.title?.text ?? "Are you sure?")),
    h("div", { class: "confirm-text" }, confirm.nodes ?? plainNodes(confirm.text?.text ?? "")),
    h("div", { class: "dialog-buttons" }, no, yes));
    hide = showDialog(panel, { onEscape: () => done(false), focus: () => yes, kind: "top" });
  });
}

/** Show an image as large as the window allows; its alt text stands below it. */
export function lightbox(src, alt, title = null) {
  let hide = null;
  const image = h("img", { src, alt, class: "lightbox-image", on: { click: () => image.classList.toggle("full") } });
  const panel = h("div", { class: "dialog lightbox", aria: { label: title || alt || "Image" }, data: { testid: "lightbox" } },
    h("div", { class: "lightbox-bar" }, h("strong", {}, title ?? ""),
      h("a", { href: src, target: "_blank", rel: "noopener", class: "quiet-link" }, "Open the file"),
      iconButton("close", "Close", () => hide())),
    h("div", { class: "lightbox-frame" }, image),
    h("p", { class: "lightbox-alt" }, alt));
  hide = showDialog(panel, { onEscape: () => hide(), kind: "dark" });
}
