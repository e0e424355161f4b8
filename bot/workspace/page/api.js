// The workspace's UI API: one function per endpoint, and the stream of changes.

/** An answer that was not ok: `code` is Slack's error code, `message` a sentence, `body` all of it. */
export class ApiError extends Error {
  constructor(code, message, body = {}) {
    super(message);
    this.code = code;
    this.body = body;
  }
}

const SENTENCES = {
  operation_timeout: "This app did not respond.",
  slash_command_in_thread: "Slash commands can't be used inside threads. Mention the app instead.",
};

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError("network", "The workspace does not answer. Is it still running?");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok && body.ok !== false) return body;
  const code = body.error ?? `http_${response.status}`;
  throw new ApiError(code, body.message ?? SENTENCES[code] ?? `The workspace said: ${code}`, body);
}

function get(path, query = {}) {
  const given = Object.entries(query).filter(([, v]) => v !== null && v !== undefined);
  const text = new URLSearchParams(given).toString();
  return call(text ? `${path}?${text}` : path);
}

function post(path, body = {}) {
  return call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

export const api = {
  state: (user) => get("/ui/state", { user }),
  messages: (user, channel, before = null) => get("/ui/messages", { channel, user, before, limit: 100 }),
  thread: (user, channel, ts) => get("/ui/thread", { channel, ts, user }),
  read: (user, channel) => post("/ui/read", { user, channel }),
  send: (body) => post("/ui/send", body),
  edit: (body) => post("/ui/edit", body),
  remove: (body) => post("/ui/delete", body),
  dismiss: (body) => post("/ui/dismiss", body),
  react: (body) => post("/ui/reaction", body),
  join: (body) => post("/ui/join", body),
  leave: (body) => post("/ui/leave", body),
  invite: (body) => post("/ui/invite", body),
  createChannel: (body) => post("/ui/channel", body),
  dm: (user, other) => post("/ui/dm", { user, with: other }),
  action: (body) => post("/ui/action", body),
  attachment: (body) => post("/ui/attachment", body),
  options: (body) => post("/ui/options", body),
  submit: (body) => post("/ui/view/submit", body),
  close: (body) => post("/ui/view/close", body),
  shortcut: (body) => post("/ui/shortcut", body),
  home: (user, app_id) => post("/ui/home", { user, app_id }),
  inspector: (after, limit = 200) => get("/ui/inspector", { after, limit }),
  clock: () => get("/demo/clock"),
  control: (path) => post(path, {}),
  /** Share a file in a channel; without one it is only kept, for a modal's file input. */
  upload(user, channel, file, thread_ts = null) {
    const query = new URLSearchParams({ user, name: file.name });
    if (channel) query.set("channel", channel);
    if (thread_ts) query.set("thread_ts", thread_ts);
    return call(`/ui/upload?${query}`, {
      method: "POST",
      headers: { "Content-Type": file.type || "application/octet-stream" },
      body: file,
    });
  },
};

/**
 * Follow the changes that `user` may see, from number `after` on. The browser reconnects by itself;
 * `onStatus(false)` says that the connection is down, `onStatus(true)` that it is back.
 * Returns a function that stops.
 */
export function follow(user, after, onEvent, onStatus) {
  let stopped = false;
  let source = null;
  let last = after;
  let retry = null;
  const open = () => {
    const query = new URLSearchParams({ user });
    if (last !== null && last !== undefined) query.set("after", last);
    source = new EventSource(`/ui/stream?${query}`);
    source.onopen = () => onStatus(true);
    source.onmessage = (message) => {
      const event = JSON.parse(message.data);
      if (event.seq !== undefined && event.seq !== null) last = event.seq;
      onEvent(event);
    };
    source.onerror = () => {
      onStatus(false);
      source.close();
      if (!stopped) retry = setTimeout(open, 1000);
    };
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(retry);
    source.close();
  };
}
