// The left pane: workspace, act-as-user, the apps' Home tabs, channels, direct messages, tools.

import { api } from "./api.js";
import { h, fill, icon, iconButton } from "./dom.js";
import { showDialog } from "./dialog.js";
import { channelName, directory, nameOf } from "./directory.js";
import { avatar } from "./message.js";
import { attempt } from "./menus.js";
import { openList } from "./popover.js";
import { store } from "./store.js";
import { toggleTheme, themeIsDark } from "./theme.js";

function row({ href, symbol, label, unread = 0, mentions = 0, dim = false, current = false, data = {} }) {
  const spoken = unread ? `${label}, ${unread} unread` : label;
  return h("a", { class: `nav-row ${unread ? "unread" : ""} ${dim ? "dim" : ""}`, href, data,
    aria: { current: current ? "page" : null, label: spoken } },
  typeof symbol === "string" ? icon(symbol, 16) : symbol, h("span", { class: "nav-label" }, label),
  mentions ? h("span", { class: "count" }, String(mentions))
    : unread ? h("span", { class: "unread-dot", title: `${unread} unread` }) : null);
}

function channelRow(channel) {
  const place = store.place;
  const other = channel.is_im ? directory.user(channel.user) : null;
  return row({
    href: `#/${channel.id}`, label: channelName(channel),
    symbol: other ? avatar(other, 18) : channel.is_private ? "lock" : "hash",
    unread: channel.unread, mentions: channel.mentions, dim: !channel.is_member,
    current: place.view === "channel" && place.channel === channel.id, data: { channel: channel.id },
  });
}

function section(title, rows, button = null) {
  return h("section", { class: "nav-section", aria: { label: title } },
    h("div", { class: "nav-title" }, h("h2", {}, title), button), rows);
}

/** The list of people to act as; apps can't be acted for. */
function openPeople(anchor, actAs) {
  const people = store.state.users.filter((user) => !user.is_bot && !user.deleted);
  openList(anchor, { label: "Act as", role: "listbox", search: people.length > 8, items: people.map((user) => ({
    label: nameOf(user), detail: user.title, checked: user.id === store.user, data: { user: user.id },
    run: () => actAs(user.id) })) });
}

function newChannel() {
  let hide = null;
  const field = h("input", { class: "field", type: "text", maxlength: 80, placeholder: "for example ml-oncall-eu",
    aria: { label: "Name of the channel" } });
  const secret = h("input", { type: "checkbox" });
  const create = async (event) => {
    event.preventDefault();
    const name = field.value.trim().toLowerCase().replaceAll(/[\s#]+/g, "-");
    if (!name) return;
    await attempt(async () => {
      const answer = await api.createChannel({ user: store.user, name, is_private: secret.checked });
      hide();
      location.hash = `#/${answer.channel}`;
    });
  };
  const panel = h("form", { class: "dialog", aria: { label: "New channel" }, on: { submit: create } },
    h("h2", {}, "New channel"), h("label", { class: "input-block" }, h("span", { class: "input-label" }, "Name"), field),
    h("label", { class: "choice" }, secret, "Private: only people who are invited see it"),
    h("div", { class: "dialog-buttons" }, h("button", { type: "button", class: "button", on: { click: () => hide() } }, "Cancel"),
      h("button", { type: "submit", class: "button primary" }, "Create")));
  hide = showDialog(panel, { onEscape: () => hide() });
}

function newMessage(anchor) {
  const people = store.state.users.filter((user) => user.id !== store.user && !user.deleted);
  openList(anchor, { label: "Direct message to", search: true, items: people.map((user) => ({
    label: nameOf(user), detail: user.is_bot ? "app" : user.title, run: () => attempt(async () => {
      const answer = await api.dm(store.user, user.id);
      location.hash = `#/${answer.channel}`;
    }) })) });
}

/** Ctrl + K: go to any channel, person, app or the inspector by typing a part of its name. */
export function openSwitcher(anchor) {
  const rooms = store.state.channels.filter((channel) => !channel.is_archived).map((channel) => ({
    label: channelName(channel), icon: channel.is_im ? "person" : channel.is_private ? "lock" : "hash", place: channel.id }));
  const homes = store.state.apps.filter((app) => app.home).map((app) => ({
    label: `${app.name}, Home`, icon: "home", place: `home/${app.id}` }));
  const tools = [{ label: "Payload inspector", icon: "braces", place: "inspector" }];
  openList(anchor, { label: "Go to", search: true, placeholder: "Go to …", items: [...rooms, ...homes, ...tools],
    onPick: (item) => { location.hash = `#/${item.place}`; } });
}

/** Draw the sidebar again; `actAs(id)` switches the acting user. */
export function renderSidebar(root, actAs) {
  const { state, place } = store;
  const active = document.activeElement;
  const focused = root.contains(active) ? active.dataset.channel ?? active.dataset.testid : null;
  const shown = state.channels.filter((channel) => !channel.is_archived);
  const rooms = shown.filter((channel) => !channel.is_im);
  const direct = shown.filter((channel) => channel.is_im);
  const mine = (list) => [...list].sort((a, b) => Number(b.is_member) - Number(a.is_member));
  const person = h("button", { type: "button", class: "act-as", data: { testid: "act-as" },
    aria: { haspopup: "listbox", expanded: "false", label: `Acting as ${nameOf(state.me)}. Change` } },
  avatar(state.me, 30), h("span", { class: "act-as-text" }, h("span", { class: "act-as-label" }, "You act as"),
    h("strong", {}, nameOf(state.me)), state.me.title ? h("span", { class: "act-as-title" }, state.me.title) : null),
  icon("chevron", 16));
  person.addEventListener("click", () => openPeople(person, actAs));
  const theme = iconButton(themeIsDark() ? "sun" : "moon", themeIsDark() ? "Light colours" : "Dark colours", () => {
    toggleTheme();
    renderSidebar(root, actAs);
  }, { data: { testid: "theme" } });
  const homes = state.apps.filter((app) => app.home);
  const dm = iconButton("plus", "New direct message", () => newMessage(dm),
    { "aria-haspopup": "menu", "aria-expanded": "false" });
  fill(root,
    h("div", { class: "workspace" }, h("span", { class: "workspace-mark" }, icon("eye", 20)),
      h("div", { class: "workspace-name" }, h("h1", {}, state.team.name), h("span", {}, "local workspace")), theme),
    person,
    h("nav", { class: "nav", aria: { label: "Places" } },
      homes.length ? section("Apps", homes.map((app) => row({ href: `#/home/${app.id}`, symbol: "home", label: app.name,
        current: place.view === "home" && place.app === app.id, data: { testid: "home-link", app: app.id } }))) : null,
      section("Channels", mine(rooms).map(channelRow), iconButton("plus", "New channel", newChannel)),
      section("Direct messages", direct.map(channelRow), dm)),
    h("div", { class: "nav-foot" },
      state.apps.filter((app) => app.listens).map((app) => h("div", { class: `app-state ${app.connected ? "on" : "off"}`, title: app.description },
        h("i", {}), `${app.name} ${app.connected ? "is connected" : "is not connected"}`)),
      row({ href: "#/inspector", symbol: "braces", label: "Payload inspector", current: place.view === "inspector",
        data: { testid: "inspector-link" } }),
      h("a", { class: "nav-row", href: "/ui/transcript", download: "transcript.json", data: { testid: "transcript" } },
        icon("download", 16), h("span", { class: "nav-label" }, "Download transcript"))));
  if (focused) root.querySelector(`[data-channel="${focused}"],[data-testid="${focused}"]`)?.focus();
}
