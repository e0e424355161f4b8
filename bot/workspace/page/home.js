// The Home tab of an app, as the acting user sees it.

import { api } from "./api.js";
import { h, fill } from "./dom.js";
import { renderBlocks } from "./blocks.js";
import { focusPath, refocus } from "./list.js";
import { attempt } from "./menus.js";
import { store } from "./store.js";
import { viewSurface } from "./surface.js";

let signature = null;

/** Tell the app that its Home tab was opened; what it publishes arrives with the next state. */
export function openHome(app) {
  signature = null;
  return attempt(() => api.home(store.user, app));
}

/** Draw the Home tab of `app` into `root`; unchanged views are left alone. */
export function renderHome(root, app) {
  const view = store.state.homes?.[app] ?? null;
  const next = JSON.stringify([app, store.user, view]);
  if (next === signature && root.firstChild) return;
  signature = next;
  const about = store.state.apps.find((one) => one.id === app);
  if (!view) {
    fill(root, h("div", { class: "home-empty" }, h("h2", {}, about?.name ?? "App"),
      h("p", { class: "muted" }, about?.connected === false ? "The app is not connected, so its Home tab is empty."
        : "Nothing here yet. The app fills this page when it hears that it was opened.")));
    return;
  }
  const focus = focusPath(root);
  const surface = viewSurface(view);
  surface.begin();
  fill(root, h("div", { class: "home-view", data: { surface: surface.id, "view-id": view.id } },
    renderBlocks(view.blocks, { surface })));
  if (focus) refocus(root, focus);
}
