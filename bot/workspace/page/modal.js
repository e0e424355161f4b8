// The modal of the acting user: shown while /ui/state has one, kept in place across updates.

import { ApiError, api } from "./api.js";
import { h, fill, icon, iconButton, toast } from "./dom.js";
import { renderBlocks } from "./blocks.js";
import { firstField, showDialog } from "./dialog.js";
import { plainNodes } from "./emoji.js";
import { focusPath, refocus } from "./list.js";
import { closePopover } from "./popover.js";
import { store } from "./store.js";
import { dropView, viewSurface } from "./surface.js";

const shown = { view: null, signature: null, panel: null, hide: null, errors: {}, busy: false };
let refresh = async () => {};

/** Tell how to read the state again after a submit or close. */
export function onModalChange(handler) {
  refresh = handler;
}

/** Show, update or take away the modal so that it matches the state. */
export function syncModal(view, depth) {
  if (!view) return hideModal();
  const signature = JSON.stringify([view, depth, store.user]);
  if (signature === shown.signature) return undefined;
  const same = shown.view?.id === view.id;
  if (!same) shown.errors = {};
  shown.busy = false;
  shown.view = view;
  shown.signature = signature;
  if (!shown.panel) open();
  draw(depth, same);
  return undefined;
}

function hideModal() {
  if (!shown.panel) return;
  closePopover(false);
  shown.hide();
  dropView(shown.view.id);
  Object.assign(shown, { view: null, signature: null, panel: null, hide: null, errors: {}, busy: false });
}

function open() {
  shown.panel = h("form", { class: "dialog modal", novalidate: true, aria: { labelledby: "modal-title" },
    data: { testid: "modal" }, on: { submit: (event) => { event.preventDefault(); submit(); } } });
  shown.hide = showDialog(shown.panel, { onEscape: () => close(), shadeCloses: false });
}

function draw(depth, same) {
  const { view, panel } = shown;
  const surface = viewSurface(view);
  const scroll = panel.querySelector(".modal-body")?.scrollTop ?? 0;
  const focus = same ? focusPath(panel) : null;
  surface.begin();
  panel.dataset.surface = surface.id;
  panel.dataset.viewId = view.id;
  panel.dataset.callbackId = view.callback_id ?? "";
  const app = store.state.apps.find((one) => one.id === view.app_id);
  const body = h("div", { class: "modal-body" }, renderBlocks(view.blocks, { surface, errors: shown.errors }));
  fill(panel,
    h("div", { class: "modal-head" },
      depth > 1 ? iconButton("back", "Back to the previous view", () => close()) : h("span", { class: "modal-mark" }, icon("eye", 18)),
      h("div", { class: "modal-titles" }, h("h2", { id: "modal-title" }, plainNodes(view.title?.text ?? "")),
        app ? h("span", { class: "muted small" }, app.name) : null),
      iconButton("close", "Close", () => close(), { data: { testid: "modal-x" } })),
    body,
    view.submit || view.close ? h("div", { class: "modal-foot" },
      h("button", { type: "button", class: "button", data: { testid: "modal-close" }, on: { click: () => close() } },
        plainNodes(view.close?.text ?? "Cancel")),
      view.submit ? h("button", { type: "submit", class: "button primary", data: { testid: "modal-submit" },
        "aria-busy": shown.busy ? "true" : null }, plainNodes(view.submit.text)) : null) : null);
  body.addEventListener("input", (event) => forget(event.target));
  body.scrollTop = same ? scroll : 0;
  if (focus) refocus(panel, focus);
  if (document.activeElement === panel || !panel.contains(document.activeElement)) {
    (panel.querySelector("[data-focus]") ?? firstField(body) ?? panel.querySelector(".modal-foot .primary") ?? panel).focus();
  }
}

/** What is being corrected is not shown as wrong any more. */
function forget(target) {
  const block = target.closest("[data-block]")?.dataset.block;
  if (!block || !(block in shown.errors)) return;
  delete shown.errors[block];
  const holder = target.closest(".input-block");
  holder?.classList.remove("has-error");
  holder?.querySelector(".input-error")?.remove();
}

function setBusy(on) {
  shown.busy = on;
  const button = shown.panel?.querySelector('[data-testid="modal-submit"]');
  if (on) button?.setAttribute("aria-busy", "true");
  else button?.removeAttribute("aria-busy");
}

async function submit() {
  const { view } = shown;
  if (!view?.submit || shown.busy) return;
  setBusy(true);
  try {
    await api.submit({ user: store.user, view_id: view.id, state: viewSurface(view).state() });
    shown.errors = {};
    await refresh();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.body.errors && Object.keys(error.body.errors).length) showErrors(error.body.errors);
    else toast(error.message, "error");
  } finally {
    setBusy(false);
  }
}

function showErrors(errors) {
  shown.errors = { ...errors };
  draw(store.state.modal_depth, true);
  const first = shown.panel.querySelector(".has-error");
  first?.scrollIntoView({ block: "nearest" });
  (first && firstField(first))?.focus();
  const known = new Set(shown.view.blocks.map((block) => block.block_id));
  const lost = Object.entries(errors).filter(([block]) => !known.has(block));
  if (lost.length) toast(`The app named blocks that this view does not have: ${lost.map(([block]) => block).join(", ")}`, "error");
}

async function close() {
  const { view } = shown;
  if (!view) return;
  try {
    await api.close({ user: store.user, view_id: view.id });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  await refresh();
}
