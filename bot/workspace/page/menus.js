// Menus of messages and of the workspace: shortcuts, reactions, edit, delete, copy.

import { api } from "./api.js";
import { h, fill, toast } from "./dom.js";
import { confirmDialog, showDialog } from "./dialog.js";
import { directory } from "./directory.js";
import { PICKER, emojiFor, emojiNames, emojiNode } from "./emoji.js";
import { openList, openPopover, closePopover } from "./popover.js";
import { store } from "./store.js";
import { jsonTree } from "./json.js";

/** Run an API call; a failure becomes a toast. True when it worked. */
export async function attempt(job) {
  try {
    await job();
    return true;
  } catch (error) {
    toast(error.message, "error");
    return false;
  }
}

let startEdit = () => {};

/** The composer tells how a message is edited. */
export function onEdit(handler) {
  startEdit = handler;
}

/** Add or take back a reaction of the acting user. */
export function react(channel, ts, name, remove = false) {
  return attempt(() => api.react({ user: directory.me, channel, ts, name, remove }));
}

/** A grid of emoji with a search field. */
export function openReactionPicker(anchor, channel, message) {
  const grid = h("div", { class: "emoji-grid", role: "group", aria: { label: "Emoji" } });
  const pick = (name) => {
    closePopover();
    const mine = message.reactions?.find((one) => one.name === name)?.users.includes(directory.me);
    react(channel, message.ts, name, Boolean(mine));
  };
  const show = (names) => fill(grid, names.map((name) => h("button", { type: "button", class: "emoji-button",
    title: `:${name}:`, aria: { label: name }, data: { reaction: name }, on: { click: () => pick(name) } },
  emojiNode(emojiFor(name)))));
  const field = h("input", { class: "popover-search", type: "text", placeholder: "Find an emoji",
    aria: { label: "Find an emoji" }, on: {
      input: () => show(field.value ? emojiNames(field.value.toLowerCase().replaceAll(":", "")) : PICKER),
      keydown: (event) => {
        if (event.key === "Enter") grid.firstChild?.click();
      },
    } });
  show(PICKER);
  const root = openPopover(anchor, [field, grid], { label: "Add a reaction" });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    event.stopImmediatePropagation();
  }, true);
  field.focus();
}

/** Shortcuts of one type ("message" or "global") as menu items. */
function shortcutItems(type, body) {
  return store.state.shortcuts.filter((one) => one.type === type).map((one) => ({
    label: one.name, icon: "bolt", group: appName(one.app_id), data: { "callback-id": one.callback_id },
    detail: one.description ?? null,
    run: () => attempt(() => api.shortcut({ user: directory.me, callback_id: one.callback_id, ...body })),
  }));
}

const appName = (id) => store.state.apps.find((app) => app.id === id)?.name ?? "App";

/** The menu of global shortcuts. */
export function openShortcuts(anchor, channel) {
  openList(anchor, { label: "Shortcuts", items: shortcutItems("global", { channel }),
    empty: "No app offers a global shortcut" });
}

/** The address of a message inside this workspace. */
function permalink(channel, message) {
  const thread = message.thread_ts && message.thread_ts !== message.ts ? `?thread_ts=${message.thread_ts}` : "";
  return `${location.origin}/archives/${channel}/p${message.ts.replace(".", "")}${thread}`;
}

async function remove(channel, message) {
  const sure = await confirmDialog({ title: { text: "Delete this message?" }, style: "danger",
    text: { text: "This can't be undone." }, confirm: { text: "Delete" }, deny: { text: "Cancel" } });
  if (sure) await attempt(() => api.remove({ user: directory.me, channel, ts: message.ts }));
}

function showJson(message) {
  let hide = null;
  const panel = h("div", { class: "dialog wide", aria: { label: "Message as JSON" }, data: { testid: "message-json" } },
    h("h2", {}, "Message as JSON"), h("div", { class: "dialog-scroll" }, jsonTree(message, 2)),
    h("div", { class: "dialog-buttons" }, h("button", { type: "button", class: "button", on: { click: () => hide() } }, "Close")));
  hide = showDialog(panel, { onEscape: () => hide() });
}

/** The "⋯" menu of a message. */
export function openMessageMenu(anchor, channel, message, inThread) {
  const mine = message.user === directory.me && !message.bot_id && !message.is_ephemeral;
  const basic = message.is_ephemeral
    ? [{ label: "Dismiss", icon: "close",
      run: () => attempt(() => api.dismiss({ user: directory.me, channel, ts: message.ts })) }]
    : [
      { label: "Add reaction", icon: "smile", run: () => openReactionPicker(anchor, channel, message) },
      ...(inThread ? [] : [{ label: "Reply in thread", icon: "reply",
        run: () => { location.hash = `#/${channel}/${message.thread_ts ?? message.ts}`; } }]),
    ];
  const own = mine ? [
    { label: "Edit message", run: () => startEdit(channel, message, inThread) },
    { label: "Delete message", danger: true, run: () => remove(channel, message) },
  ] : [];
  const shortcuts = message.is_ephemeral ? [] : shortcutItems("message", { channel, message_ts: message.ts });
  const tail = [
    { label: "Copy link", group: "Message", run: () => attempt(async () => {
      await navigator.clipboard.writeText(permalink(channel, message));
      toast("Link copied");
    }) },
    { label: "Show as JSON", icon: "braces", group: "Message", run: () => showJson(message) },
  ];
  openList(anchor, { label: "Message actions", items: [...basic, ...own, ...shortcuts, ...tail] });
}
