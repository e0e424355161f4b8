// What the page knows: who acts, where the reader is, the newest state and messages.

import { api } from "./api.js";
import { fillDirectory } from "./directory.js";

export const store = {
  /** The newest /ui/state answer. */
  state: null,
  /** Id of the acting user. */
  user: null,
  /** {view: "channel", channel, thread} | {view: "home", app} | {view: "inspector"} */
  place: { view: "channel", channel: null, thread: null },
  /** Messages of the open channel and of the open thread, oldest first. */
  messages: [],
  thread: [],
  hasMore: false,
};

const seenReplies = new Map();

/** True when a thread has replies that the acting user has not looked at in this page. */
export function hasUnseenReplies(message) {
  const seen = seenReplies.get(`${store.user}:${message.ts}`) ?? "";
  return Boolean(message.reply_count) && (message.latest_reply ?? "") > seen;
}

/** The open thread has been looked at. */
function noteThreadSeen() {
  const last = store.thread.filter((message) => !message.is_ephemeral).at(-1);
  if (last) seenReplies.set(`${store.user}:${store.place.thread}`, last.ts);
}

/** Read /ui/state again. */
export async function loadState() {
  const state = await api.state(store.user);
  store.state = state;
  store.user = state.me.id;
  fillDirectory(state);
  return state;
}

/** The channel object of the place where the reader is, or null. */
export function currentChannel() {
  return store.state?.channels.find((channel) => channel.id === store.place.channel) ?? null;
}

/** Read the newest messages of the open channel; older pages that were loaded stay. */
export async function loadMessages() {
  const { channel } = store.place;
  const answer = await api.messages(store.user, channel);
  if (channel !== store.place.channel) return;
  const first = answer.messages[0]?.ts;
  const older = first ? store.messages.filter((message) => message.ts < first) : [];
  store.messages = [...older, ...answer.messages];
  if (!older.length) store.hasMore = answer.has_more;
}

/** Read one page of older messages. */
export async function loadOlder() {
  const { channel } = store.place;
  const before = store.messages[0]?.ts;
  if (!before) return;
  const answer = await api.messages(store.user, channel, before);
  if (channel !== store.place.channel) return;
  store.hasMore = answer.has_more;
  store.messages = [...answer.messages, ...store.messages];
}

/** Read the open thread. */
export async function loadThread() {
  const { channel, thread } = store.place;
  if (!thread) {
    store.thread = [];
    return;
  }
  const answer = await api.thread(store.user, channel, thread);
  if (thread !== store.place.thread) return;
  store.thread = answer.messages;
  noteThreadSeen();
}

/** Run an async job so that calls made while it runs cause exactly one more run. */
export function coalesce(job) {
  let running = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await job();
    } while (again);
    running = null;
  };
  return () => {
    if (running) again = true;
    else running = run().catch((error) => { running = null; throw error; });
    return running;
  };
}
