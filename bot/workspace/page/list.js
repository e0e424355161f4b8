// A scrolling list of messages: rows are kept by ts and only replaced when the message changed;
// it sticks to the bottom when the reader is there and stays where it is otherwise.

import { h, append } from "./dom.js";
import { dayOf } from "./dates.js";
import { messageNode } from "./message.js";
import { hasUnseenReplies } from "./store.js";

const NEAR = 60; // px from the bottom that still count as "at the bottom"
const GROUP_SECONDS = 300;

export class MessageList {
  /** `scroller` scrolls; `inThread` leaves out reply bars; `onTop` is called near the upper end. */
  constructor(scroller, { inThread = false, onTop = null } = {}) {
    this.scroller = scroller;
    this.inThread = inThread;
    this.rows = new Map();
    this.place = null;
    this.atBottom = true;
    this.lastTop = 0;
    this.inner = h("div", { class: "messages-inner", role: "log", aria: { live: "polite", relevant: "additions",
      label: inThread ? "Thread messages" : "Messages" } });
    this.jump = h("button", { type: "button", class: "jump", hidden: true, on: { click: () => this.toBottom() } },
      "↓ New messages");
    scroller.append(this.inner, this.jump);
    scroller.addEventListener("scroll", () => {
      this.noteScroll();
      if (onTop && scroller.scrollTop < 80) onTop();
    }, { passive: true });
    const stick = new ResizeObserver(() => this.sticks() && this.toBottom());
    stick.observe(this.inner);
    stick.observe(scroller);
  }

  noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.atBottom = scrollHeight - scrollTop - clientHeight < NEAR;
    this.lastTop = scrollTop;
    if (this.atBottom) this.jump.hidden = true;
  }

  /** Whether the reader is at the bottom still: whoever has just left it is not fetched back, though
   *  the browser tells of scrolling only before the next frame. */
  sticks() {
    if (this.scroller.scrollTop < this.lastTop) this.noteScroll();
    return this.atBottom;
  }

  toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
    this.atBottom = true;
    this.jump.hidden = true;
  }

  /** Bring one message into view and mark it for a moment. */
  reveal(ts) {
    const row = this.rows.get(ts)?.node;
    if (!row) return;
    this.atBottom = false;
    row.scrollIntoView({ block: "center" });
    row.classList.add("marked");
    setTimeout(() => row.classList.remove("marked"), 2500);
  }

  /** Show `messages` of `place` (a key: another place starts at its bottom). */
  render(messages, channel, place, intro = null) {
    const fresh = place !== this.place;
    if (fresh) this.rows.clear();
    this.place = place;
    const sticks = fresh || this.sticks();
    const anchor = sticks ? null : this.anchor();
    const known = new Set(this.rows.keys());
    const children = this.build(messages, channel, intro);
    this.sync(children);
    if (sticks) this.toBottom();
    else {
      this.restore(anchor);
      const added = messages.some((message) => !known.has(message.ts) && message.ts > this.newest);
      if (added) this.jump.hidden = false;
    }
    this.newest = messages.at(-1)?.ts ?? "0";
  }

  /** The first row in view and where it is, to hold it there. */
  anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    for (const [ts, { node }] of this.rows) {
      const box = node.getBoundingClientRect();
      if (box.bottom > top) return { ts, offset: box.top - top };
    }
    return null;
  }

  restore(anchor) {
    const node = anchor && this.rows.get(anchor.ts)?.node;
    if (!node) return;
    const now = node.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    this.scroller.scrollTop += now - anchor.offset;
  }

  build(messages, channel, intro) {
    const children = [];
    const rows = new Map();
    let day = null;
    let before = null;
    if (intro) children.push(intro);
    messages.forEach((message, index) => {
      const today = dayOf(message.ts);
      if (!this.inThread && today !== day) {
        children.push(h("div", { class: "day", role: "separator" }, h("span", {}, today)));
        before = null;
      }
      day = today;
      const compact = this.joins(before, message) && !(this.inThread && index <= 1);
      children.push(this.row(message, channel, compact, rows));
      if (this.inThread && index === 0) children.push(this.replyLine(messages.length - 1));
      before = message;
    });
    this.rows = rows;
    return children;
  }

  joins(before, message) {
    return before !== null && before.user === message.user && before.bot_id === message.bot_id
      && !before.is_ephemeral === !message.is_ephemeral && !before.subtype && !message.subtype
      && !before.reply_count && Number(message.ts) - Number(before.ts) < GROUP_SECONDS;
  }

  replyLine(count) {
    return h("div", { class: "day thread-line", role: "separator" },
      h("span", {}, count === 1 ? "1 reply" : `${count} replies`));
  }

  row(message, channel, compact, rows) {
    const signature = `${compact}${!this.inThread && hasUnseenReplies(message)}${JSON.stringify(message)}`;
    const old = this.rows.get(message.ts);
    if (old && old.signature === signature) {
      rows.set(message.ts, old);
      return old.node;
    }
    const node = messageNode(message, channel, { compact, inThread: this.inThread });
    if (old) carryOver(old.node, node);
    rows.set(message.ts, { node, signature, focus: old ? focusPath(old.node) : null });
    return node;
  }

  /** Make `inner` hold exactly `children`, moving as little as possible. */
  sync(children) {
    const wanted = new Set(children);
    for (const child of [...this.inner.children]) if (!wanted.has(child)) child.remove();
    let cursor = this.inner.firstChild;
    for (const child of children) {
      if (child === cursor) cursor = cursor.nextSibling;
      else this.inner.insertBefore(child, cursor);
    }
    for (const row of this.rows.values()) {
      if (row.focus) refocus(row.node, row.focus);
      row.focus = null;
    }
  }

  /** Forget the rows (names or the acting user changed). */
  reset() {
    this.rows.clear();
    this.place = null;
    this.inner.replaceChildren();
    append(this.inner, []);
  }
}

/** Images that stay are moved, not loaded again; unfolded details stay unfolded. */
function carryOver(old, fresh) {
  const loaded = new Map([...old.querySelectorAll("img")].map((img) => [img.getAttribute("src"), img]));
  for (const img of fresh.querySelectorAll("img")) {
    const before = loaded.get(img.getAttribute("src"));
    if (before?.complete && before.alt === img.alt && before.className === img.className) {
      loaded.delete(img.getAttribute("src"));
      img.replaceWith(before);
    }
  }
}

/** Where the focus is inside a row, as a selector that the new row understands. */
export function focusPath(root) {
  const active = document.activeElement;
  if (!active || !root.contains(active)) return null;
  const holder = active.closest("[data-action-id]");
  const path = holder ? `[data-block-id="${CSS.escape(holder.dataset.blockId)}"][data-action-id="${CSS.escape(holder.dataset.actionId)}"]`
    : active.dataset.testid ? `[data-testid="${active.dataset.testid}"]` : null;
  const inner = holder && holder !== active ? [...holder.querySelectorAll("input,button")].indexOf(active) : -1;
  const range = active.selectionStart ?? null;
  return { path, inner, range: range === null ? null : [active.selectionStart, active.selectionEnd] };
}

/** Put the focus back after a row (or a view) was rendered again. */
export function refocus(root, { path, inner, range }) {
  const holder = path ? root.querySelector(path) : null;
  if (!holder) return;
  const target = inner >= 0 ? holder.querySelectorAll("input,button")[inner] : holder;
  target?.focus({ preventScroll: true });
  if (range && target?.setSelectionRange && /^(text|url|search|)$/.test(target.type === "textarea" ? "" : target.type)) {
    target.setSelectionRange(...range);
  }
}
