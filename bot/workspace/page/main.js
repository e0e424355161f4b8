// The page: places (channel, thread, Home, inspector), the stream of changes, who acts.

import { api, follow } from "./api.js";
import { startClock } from "./clockbar.js";
import { Composer } from "./composer.js";
import { shortAgo } from "./dates.js";
import { dialogOpen } from "./dialog.js";
import { channelName, nameOfId, onInternalLink } from "./directory.js";
import { debounce, fill, h, icon, iconButton, toast } from "./dom.js";
import { openHome, renderHome } from "./home.js";
import { startInspector, stopInspector } from "./inspector.js";
import { MessageList } from "./list.js";
import { attempt, onEdit } from "./menus.js";
import { mrkdwn } from "./mrkdwn.js";
import { onModalChange, syncModal } from "./modal.js";
import { popoverOpen } from "./popover.js";
import { unpressed } from "./press.js";
import { openSwitcher, renderSidebar } from "./sidebar.js";
import { coalesce, currentChannel, loadMessages, loadOlder, loadState, loadThread, store } from "./store.js";
import { settleAll } from "./surface.js";
import { startTheme } from "./theme.js";

const el = (id) => document.getElementById(id);
const app = el("app");
const list = new MessageList(el("messages"), { onTop: () => older() });
const threadList = new MessageList(el("thread-messages"), { inThread: true });
const composer = new Composer(el("composer"), { onSent: () => list.toBottom() });
const threadComposer = new Composer(el("thread-composer"), { inThread: true, onSent: () => threadList.toBottom() });
let stopStream = () => {};

// ---- drawing -------------------------------------------------------------------------------

function intro(channel) {
  if (store.hasMore) return null;
  const title = channel.is_im ? channelName(channel) : `#${channel.name}`;
  return h("div", { class: "intro" }, h("h2", {}, title),
    h("p", { class: "muted" }, channel.purpose ? mrkdwn(channel.purpose) : "This is the beginning of the conversation."));
}

function drawHeader() {
  const { place, state } = store;
  const channel = currentChannel();
  const back = iconButton("menu", "Channels", () => { app.dataset.pane = "sidebar"; }, { class: "narrow-only", data: { testid: "back" } });
  const unread = state.channels.some((one) => one.unread && one.id !== channel?.id);
  const titles = {
    channel: () => [channel?.is_im ? null : icon(channel?.is_private ? "lock" : "hash", 18),
      h("h2", { class: "place-name" }, channel ? channelName(channel) : ""),
      h("span", { class: "topic wide-only" }, channel?.topic ? mrkdwn(channel.topic) : ""),
      channel?.is_im ? null : h("span", { class: "members", title: memberNames(channel) }, icon("person", 15), String(channel?.members.length ?? 0))],
    home: () => [icon("home"), h("h2", { class: "place-name" }, state.apps.find((one) => one.id === place.app)?.name ?? "Home"),
      h("span", { class: "topic" }, "Home")],
    inspector: () => [icon("braces"), h("h2", { class: "place-name" }, "Payload inspector")],
  };
  fill(el("main-head"), h("span", { class: unread ? "has-unread" : "" }, back), titles[place.view]());
  const news = state.channels.some((one) => one.unread) ? "• " : "";
  document.title = `${news}${channel && place.view === "channel" ? channelName(channel) : state.team.name} · ${state.team.name}`;
}

function memberNames(channel) {
  return (channel?.members ?? []).map(nameOfId).join(", ");
}

function drawComposer() {
  const channel = currentChannel();
  const joined = !channel || channel.is_member;
  el("composer").hidden = store.place.view !== "channel" || !joined;
  el("join").hidden = store.place.view !== "channel" || joined;
  if (channel) composer.show(`${store.user}:${channel.id}`, `Message ${channel.is_im ? "" : "#"}${channelName(channel)}`);
  if (joined) return;
  fill(el("join"), h("span", {}, `You are looking at #${channel.name}.`), h("button", { type: "button", class: "button primary",
    on: { click: () => attempt(() => api.join({ user: store.user, channel: channel.id })) } }, "Join the channel"));
}

function drawMessages() {
  const channel = currentChannel();
  if (store.place.view === "channel" && channel) {
    list.render(store.messages, channel.id, `${store.user}:${channel.id}`, intro(channel));
  }
  el("thread").hidden = !store.place.thread;
  if (!store.place.thread) return;
  fill(el("thread-where"), channel ? `${channel.is_im ? "" : "#"}${channelName(channel)}` : "");
  threadList.render(store.thread, store.place.channel, `${store.user}:${store.place.channel}:${store.place.thread}`);
  threadComposer.show(`${store.user}:${store.place.channel}:${store.place.thread}`, "Reply …");
}

function draw() {
  const { view } = store.place;
  el("messages").hidden = view !== "channel";
  el("other").hidden = view === "channel";
  renderSidebar(el("sidebar"), actAs);
  drawHeader();
  drawComposer();
  drawMessages();
  if (view === "home") renderHome(el("other"), store.place.app);
  syncModal(store.state.modal, store.state.modal_depth);
}

// ---- refreshing ----------------------------------------------------------------------------

const refresh = coalesce(async () => {
  try {
    await loadState();
    const jobs = store.place.view === "channel" && store.place.channel ? [loadMessages(), loadThread()] : [];
    await Promise.all(jobs);
    unpressed(draw);
    markRead();
  } catch (error) {
    if (error.code === "user_not_found") actAs(null);
    else if (["thread_not_found", "message_not_found"].includes(error.code)) location.hash = `#/${store.place.channel}`;
    else if (error.code !== "network") toast(error.message, "error");
  }
});

const refreshSoon = debounce(() => refresh(), 30);

function markRead() {
  const channel = currentChannel();
  if (store.place.view !== "channel" || document.hidden || !channel?.is_member || !channel.unread) return;
  api.read(store.user, channel.id).catch(() => {}); // the dot stays, and the next look tries again
}

async function older() {
  if (!store.hasMore || older.busy) return;
  older.busy = true;
  if (await attempt(loadOlder)) {
    list.atBottom = false;
    drawMessages();
  }
  older.busy = false;
}

const VISIBLE = /^(message|ephemeral|view_|home)/;

function onEvent(event) {
  if (VISIBLE.test(event.type)) settleAll(event.channel ?? null);
  refreshSoon();
}

function connect() {
  stopStream();
  stopStream = follow(store.user, store.state.seq, onEvent, (up) => {
    const was = el("offline").hidden;
    el("offline").hidden = up;
    if (!up || !was) refresh(); // while down this finds out whether the workspace was replaced
  });
}

// ---- places --------------------------------------------------------------------------------

function route() {
  const [first, second] = location.hash.replace(/^#\/?/, "").split("/");
  if (first === "inspector") return { view: "inspector", channel: null, thread: null };
  if (first === "home" && second) return { view: "home", app: second, channel: null, thread: null };
  const known = isKnown(first);
  return { view: "channel", channel: known ? first : firstChannel(), thread: known ? second || null : null };
}

function isKnown(channel) {
  return store.state.channels.some(({ id }) => id === channel);
}

/** Where a newcomer starts: the joined channel in which something happened last. */
function firstChannel() {
  const rooms = store.state.channels.filter((channel) => !channel.is_im && !channel.is_archived);
  const joined = rooms.filter((channel) => channel.is_member);
  const busiest = [...joined].sort((a, b) => Number(b.last_ts ?? 0) - Number(a.last_ts ?? 0));
  return (busiest[0] ?? rooms[0] ?? store.state.channels[0])?.id ?? null;
}

async function navigate() {
  const [asked] = location.hash.replace(/^#\/?/, "").split("/");
  if (/^[CDG][A-Z0-9]+$/.test(asked) && !isKnown(asked)) await attempt(loadState); // just made
  const next = route();
  const before = store.place;
  if (next.channel !== before.channel) {
    store.messages = [];
    store.hasMore = false;
  }
  if (next.thread !== before.thread) store.thread = [];
  store.place = next;
  app.dataset.view = next.view;
  app.dataset.pane = next.thread ? "thread" : "main";
  stopInspector();
  if (next.view === "inspector") startInspector(el("other"));
  if (next.view === "home") {
    fill(el("other"));
    await openHome(next.app);
  }
  await refresh();
  if (next.thread && next.thread !== before.thread && window.innerWidth > 700) threadComposer.field.focus();
}

/** Act as another person (null: the first one); the place stays when they may see it. */
async function actAs(user) {
  store.user = user;
  try {
    await loadState();
  } catch (error) {
    if (user === null || error.code !== "user_not_found") throw error;
    store.user = null;
    await loadState();
  }
  const url = new URL(location.href);
  url.searchParams.set("user", store.user);
  history.replaceState(null, "", url);
  list.reset();
  threadList.reset();
  store.messages = [];
  connect();
  await navigate();
}

function closeThread() {
  location.hash = `#/${store.place.channel}`;
}

function openPermalink(channel, ts, thread) {
  const root = thread ?? store.messages.find((message) => message.ts === ts && message.reply_count)?.ts;
  location.hash = `#/${channel}${root ? `/${root}` : ""}`;
  setTimeout(() => (thread ? threadList : list).reveal(ts), 400);
}

function onKey(event) {
  if (dialogOpen() || popoverOpen()) return;
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    openSwitcher(el("main-head"));
  } else if (event.key === "Escape" && store.place.thread) closeThread();
}

/** A permalink that was opened in a new tab. */
function fromArchive() {
  const match = /^\/archives\/([A-Z0-9]+)(?:\/p(\d{10})(\d{6}))?/.exec(location.pathname);
  if (!match) return;
  const thread = new URLSearchParams(location.search).get("thread_ts") ?? (match[2] ? `${match[2]}.${match[3]}` : null);
  history.replaceState(null, "", `/${location.search}#/${match[1]}${thread ? `/${thread}` : ""}`);
}

/** "3 min ago" grows older while nothing else happens. */
function agePhrases() {
  for (const node of document.querySelectorAll("[data-since]")) node.textContent = `Last reply ${shortAgo(node.dataset.since)}`;
}

async function start() {
  fromArchive();
  startTheme(() => store.state && draw());
  onModalChange(refresh);
  onInternalLink(openPermalink);
  onEdit((channel, message, inThread) => (inThread ? threadComposer : composer).edit(channel, message));
  fill(el("thread-tools"), iconButton("close", "Close thread", closeThread, { data: { testid: "thread-close" } }));
  el("thread-back").append(iconButton("back", "Back to the channel", closeThread, { data: { testid: "thread-back" } }));
  window.addEventListener("hashchange", navigate);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => document.hidden || refreshSoon());
  startClock(el("clock"));
  setInterval(agePhrases, 20_000);
  await actAs(new URLSearchParams(location.search).get("user"));
  app.dataset.ready = "true";
}

start().catch((error) => {
  toast(error.message, "error");
  el("offline").hidden = false;
});
