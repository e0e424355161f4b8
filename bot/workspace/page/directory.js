// Who and what exists in the workspace, for names in text: filled from /ui/state.

let users = new Map();
let channels = new Map();
let follow = () => false;

export const directory = {
  /** The id of the acting user. */
  me: null,
  user: (id) => users.get(id) ?? null,
  channel: (id) => channels.get(id) ?? null,
  users: () => [...users.values()].filter((user) => !user.deleted),
  channels: () => [...channels.values()],
};

/** Take over a fresh /ui/state answer. */
export function fillDirectory(state) {
  users = new Map(state.users.map((user) => [user.id, user]));
  channels = new Map(state.channels.map((channel) => [channel.id, channel]));
  directory.me = state.me.id;
}

/** The name to show for a person or an app: the full name, else the handle. */
export function nameOf(user) {
  return user?.real_name || user?.display_name || user?.name || "someone";
}

/** The name of a user id; the id itself when it is unknown. */
export function nameOfId(id) {
  return users.has(id) ? nameOf(users.get(id)) : id;
}

/** The name to show for a channel or a direct message. */
export function channelName(channel) {
  if (!channel) return "unknown";
  if (channel.is_im) return channel.user ? nameOfId(channel.user) : channel.name || "direct message";
  return channel.name;
}

/** Tell links how to move inside the page: `handler(channel, ts, threadTs)`. */
export function onInternalLink(handler) {
  follow = handler;
}

/** Open permalinks (/archives/C…/p…) in place; anything else is left to the browser. */
export function openLink(event, url) {
  const match = /\/archives\/([A-Z0-9]+)(?:\/p(\d{10})(\d{6}))?(?:\?.*?thread_ts=([\d.]+))?/.exec(url);
  if (!match || !channels.has(match[1])) return;
  event.preventDefault();
  follow(match[1], match[2] ? `${match[2]}.${match[3]}` : null, match[4] ?? null);
}
