// One message as a node: head, blocks or text, attachments, files, reactions, replies, tools.

import { ApiError, api } from "./api.js";
import { confirmDialog } from "./dialog.js";
import { h, icon, iconButton, hue, initials, toast } from "./dom.js";
import { renderBlocks, figure, rawJson } from "./blocks.js";
import { directory, nameOf, nameOfId } from "./directory.js";
import { emojiFor, emojiNode, plainNodes } from "./emoji.js";
import { fullTimeOf, shortAgo, timeOf } from "./dates.js";
import { mrkdwn, link } from "./mrkdwn.js";
import { hasUnseenReplies } from "./store.js";
import { openList } from "./popover.js";
import { messageSurface } from "./surface.js";
import { openMessageMenu, openReactionPicker, react } from "./menus.js";

/** A square with initials in the person's colour. */
export function avatar(user, size = 36) {
  const color = user?.color && /^#?[0-9a-f]{6}$/i.test(user.color) ? `#${user.color.replace("#", "")}`
    : `hsl(${hue(user?.name)} 45% 42%)`;
  return h("span", { class: `avatar ${user?.is_bot ? "app" : ""}`, aria: { hidden: "true" },
    style: { "--avatar": color, "--size": `${size}px` } },
  user?.is_bot ? icon("eye", Math.round(size * 0.6)) : user?.initials || initials(nameOf(user)));
}

/** Who wrote a message: the author object of the server, else the directory. */
export function authorOf(message) {
  const user = directory.user(message.user);
  const author = message.author ?? user ?? {};
  const name = message.username || (user && nameOf(user)) || author.name || message.bot_id || message.user || "someone";
  return { ...user, ...author, name, is_bot: author.is_bot ?? Boolean(message.bot_id) };
}

function head(message, author) {
  const ephemeral = message.is_ephemeral;
  return h("div", { class: "message-head" },
    h("span", { class: "author" }, author.name),
    author.is_bot ? h("span", { class: "badge" }, "APP") : null,
    h("time", { class: "when", title: fullTimeOf(message.ts), datetime: new Date(message.ts * 1000).toISOString() },
      timeOf(message.ts)),
    message.edited && author.is_bot ? h("span", { class: "edited", title: editedTitle(message) }, "updated") : null,
    message.pinned_to?.length ? h("span", { class: "edited" }, "pinned") : null,
    ephemeral ? h("span", { class: "only-you" }, icon("eye", 13), "Only visible to you") : null);
}

const editedTitle = (message) => `Changed ${fullTimeOf(message.edited.ts)}`;

function body(message, author, surface) {
  const parts = [];
  if (message.subtype === "thread_broadcast") {
    parts.push(h("div", { class: "muted small" }, "also sent to the channel from a thread"));
  }
  if (message.blocks?.length) parts.push(...renderBlocks(message.blocks, { surface }));
  else if (message.text) {
    parts.push(h("div", { class: "text" }, message.mrkdwn === false ? plainNodes(message.text) : mrkdwn(message.text),
      message.edited && !author.is_bot ? h("span", { class: "edited", title: editedTitle(message) }, " (edited)") : null));
  }
  for (const one of message.attachments ?? []) parts.push(attachment(one, surface));
  for (const file of message.files ?? []) parts.push(fileNode(file));
  return h("div", { class: "message-body" }, parts);
}

const ATTACHMENT_COLORS = { good: "#2f9e5b", warning: "#d9a400", danger: "#c8384c" };

/** A legacy attachment: bar of colour, texts, fields, image, or blocks. */
function attachment(one, surface) {
  const color = ATTACHMENT_COLORS[one.color] ?? (one.color ? `#${one.color.replace("#", "")}` : "var(--line-strong)");
  const known = one.blocks?.length || one.text || one.title || one.fields?.length || one.pretext || one.image_url || one.fallback;
  return h("div", {}, one.pretext ? h("div", { class: "text" }, mrkdwn(one.pretext)) : null,
    h("div", { class: "attachment", style: { "--bar": color } },
      one.author_name ? h("div", { class: "small" }, one.author_link ? link(one.author_link, one.author_name) : one.author_name) : null,
      one.title ? h("div", { class: "attachment-title" }, one.title_link ? link(one.title_link, one.title) : plainNodes(one.title)) : null,
      one.text ? h("div", { class: "text" }, mrkdwn(one.text)) : null,
      one.fields?.length ? h("div", { class: "fields" }, one.fields.map((field) =>
        h("div", { class: `text ${field.short ? "" : "full"}` }, h("strong", {}, plainNodes(field.title ?? "")), h("br"),
          mrkdwn(String(field.value ?? ""))))) : null,
      one.blocks?.length ? renderBlocks(one.blocks, { surface }) : null,
      one.image_url ? figure({ src: one.image_url, alt: one.fallback ?? "", width: one.image_width, height: one.image_height }) : null,
      one.actions?.length ? legacyActions(one, surface) : null,
      known ? null : rawJson("Attachment", one),
      one.footer ? h("div", { class: "muted small" }, one.footer, one.ts ? ` · ${fullTimeOf(one.ts)}` : "") : null));
}

/** Buttons and menus of a legacy attachment; the app is told by interactive_message. */
function legacyActions(part, surface) {
  const press = async (action, value) => {
    const { title, text, ok_text: ok, dismiss_text: no } = action.confirm ?? {};
    const asks = action.confirm && { title: { text: title ?? "Are you sure?" }, text: { text },
      confirm: { text: ok ?? "Okay" }, deny: { text: no ?? "Cancel" } };
    if (asks && !(await confirmDialog(asks))) return;
    try {
      await api.attachment({ user: directory.me, ...surface.place, attachment_id: part.id, name: action.name, value });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "error");
    }
  };
  return h("div", { class: "actions" }, part.actions.map((one) => {
    const text = plainNodes(one.text ?? one.name ?? "");
    if (one.url) return h("a", { class: "button", href: one.url, target: "_blank", rel: "noopener" }, text);
    const node = h("button", { type: "button", class: `button ${one.style === "primary" || one.style === "danger" ? one.style : ""}`,
      "aria-haspopup": one.type === "select" ? "menu" : null }, text);
    const offered = one.options ?? (one.option_groups ?? []).flatMap((group) => group.options);
    node.addEventListener("click", () => (one.type === "select" ? openList(node, { label: one.text ?? one.name,
      items: offered.map((option) => ({ label: option.text, nodes: () => plainNodes(option.text), data: { value: option.value },
        run: () => press(one, option.value) })) }) : press(one, one.value)));
    return node;
  }));
}

function fileNode(file) {
  const url = file.url ?? `/files/${file.id}/${encodeURIComponent(file.name ?? "file")}`;
  if (file.mimetype?.startsWith("image/")) {
    return h("figure", { class: "image-block file" }, h("figcaption", {}, file.title || file.name),
      figure({ src: url, alt: file.alt_txt || file.title || file.name, title: file.title, width: file.width, height: file.height }));
  }
  const size = file.size ? ` · ${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(file.size / 1024)} KB` : "";
  return h("a", { class: "file-chip", href: url, download: file.name ?? true },
    icon("download"), h("span", {}, h("strong", {}, file.title || file.name), h("span", { class: "muted" }, `${file.mimetype ?? ""}${size}`)));
}

function reactions(message, channel) {
  if (!message.reactions?.length) return null;
  const row = h("div", { class: "reactions", role: "group", aria: { label: "Reactions" } });
  for (const one of message.reactions) {
    const mine = one.users.includes(directory.me);
    const names = one.users.map(nameOfId).join(", ");
    row.append(h("button", { type: "button", class: `reaction ${mine ? "mine" : ""}`, title: `${names}: :${one.name}:`,
      aria: { pressed: mine, label: `${one.name}, ${one.count}: ${names}` }, data: { reaction: one.name },
      on: { click: () => react(channel, message.ts, one.name, mine) } },
    emojiFor(one.name) ? emojiNode(emojiFor(one.name)) : `:${one.name}:`, h("span", {}, String(one.count))));
  }
  row.append(iconButton("smile", "Add reaction", (event) =>
    openReactionPicker(event.currentTarget, channel, message), { class: "reaction add" }));
  return row;
}

function replies(message, channel) {
  if (!message.reply_count) return null;
  const people = (message.reply_users ?? []).slice(0, 4).map((id) => avatar(directory.user(id) ?? { name: id }, 20));
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return h("a", { class: `replies ${hasUnseenReplies(message) ? "fresh" : ""}`, href: `#/${channel}/${message.thread_ts ?? message.ts}`, data: { testid: "replies" } },
    h("span", { class: "faces" }, people), h("strong", {}, count),
    hasUnseenReplies(message) ? h("span", { class: "unread-dot", title: "New replies" }) : null,
    message.latest_reply ? h("span", { class: "muted", data: { since: message.latest_reply } }, `Last reply ${shortAgo(message.latest_reply)}`) : null);
}

function tools(message, channel, inThread) {
  const root = h("div", { class: "tools", role: "toolbar", aria: { label: "Message actions" } });
  if (!message.is_ephemeral) {
    root.append(iconButton("smile", "Add reaction", (event) =>
      openReactionPicker(event.currentTarget, channel, message), { tabindex: "-1", class: "wide-only" }));
    if (!inThread) {
      root.append(iconButton("reply", "Reply in thread", () => {
        location.hash = `#/${channel}/${message.thread_ts ?? message.ts}`;
      }, { tabindex: "-1", class: "wide-only" }));
    }
  }
  const more = iconButton("more", "More message actions", () => openMessageMenu(more, channel, message, inThread),
    { "aria-haspopup": "menu", "aria-expanded": "false", data: { testid: "message-menu" } });
  root.append(more);
  return root;
}

/** One message. `compact` leaves out the head (same author, shortly after). */
export function messageNode(message, channel, { compact = false, inThread = false } = {}) {
  const author = authorOf(message);
  if (/^(channel|group)_/.test(message.subtype ?? "") && !message.blocks?.length) {
    return h("article", { class: "message system", data: { ts: message.ts, channel } },
      h("span", { class: "gutter" }), h("div", { class: "message-main" }, h("span", { class: "muted small" },
        mrkdwn(message.text), h("span", { class: "when" }, ` ${timeOf(message.ts)}`))));
  }
  const surface = messageSurface(channel, message.ts);
  surface.begin();
  return h("article", {
    class: `message ${compact ? "compact" : ""} ${message.is_ephemeral ? "ephemeral" : ""}`,
    aria: { label: `${author.name}, ${timeOf(message.ts)}` },
    data: { ts: message.ts, channel, surface: surface.id, testid: "message", author: author.name },
  },
  compact ? h("span", { class: "gutter when", title: fullTimeOf(message.ts) }, timeOf(message.ts)) : avatar(author),
  h("div", { class: "message-main" }, compact ? null : head(message, author), body(message, author, surface),
    reactions(message, channel), inThread ? null : replies(message, channel)),
  tools(message, channel, inThread));
}
