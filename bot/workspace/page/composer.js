// The field to write in: sends with Enter, completes commands, people, channels and emoji.

import { api } from "./api.js";
import { h, fill, iconButton, toast } from "./dom.js";
import { channelName, directory, nameOf } from "./directory.js";
import { emojiFor, emojiNames, emojiNode } from "./emoji.js";
import { attempt, openShortcuts } from "./menus.js";
import { unescapeText } from "./mrkdwn.js";
import { store } from "./store.js";

const drafts = new Map();

/** What a person typed, from the stored text: names in place of ids. */
function editable(text) {
  return unescapeText((text ?? "")
    .replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (_all, id) => `@${directory.user(id)?.name ?? id}`)
    .replace(/<#([A-Z0-9]+)(?:\|[^>]*)?>/g, (_all, id) => `#${directory.channel(id)?.name ?? id}`)
    .replace(/<!(here|channel|everyone)(?:\|[^>]*)?>/g, "@$1")
    .replace(/<((?:https?|mailto):[^|>]+)(?:\|[^>]*)?>/g, "$1"));
}

export class Composer {
  /** `inThread` decides what is on offer; `onSent` is called after a message went out. */
  constructor(root, { inThread = false, onSent = () => {} } = {}) {
    this.root = root;
    this.inThread = inThread;
    this.onSent = onSent;
    this.key = null;
    this.editing = null;
    this.options = [];
    this.active = 0;
    this.build();
  }

  build() {
    const id = this.inThread ? "thread-suggestions" : "suggestions";
    this.field = h("textarea", { class: "composer-field", rows: 1, aria: { label: "Message", autocomplete: "list",
      controls: id, expanded: "false" }, data: { testid: this.inThread ? "thread-composer" : "composer" },
    on: { input: () => this.changed(), keydown: (event) => this.keyed(event), blur: () => setTimeout(() => this.suggest([]), 150),
      paste: (event) => this.pasted(event) } });
    this.list = h("div", { class: "suggestions", id, role: "listbox", aria: { label: "Suggestions" }, hidden: true });
    this.banner = h("div", { class: "composer-banner", hidden: true });
    this.sendButton = iconButton("send", "Send", () => this.send(), { class: "send" });
    this.file = h("input", { type: "file", hidden: true, on: { change: () => this.upload([...this.file.files]) } });
    const tools = this.inThread ? [] : [iconButton("bolt", "Shortcuts", (event) => openShortcuts(event.currentTarget, store.place.channel),
      { "aria-haspopup": "menu", "aria-expanded": "false", data: { testid: "shortcuts" } })];
    fill(this.root, this.list, h("div", { class: "composer" }, this.banner, this.field,
      h("div", { class: "composer-tools" }, iconButton("plus", "Attach a file", () => this.file.click()), this.file, tools,
        h("span", { class: "composer-hint wide-only" }, "Enter sends, Shift + Enter starts a new line"), this.sendButton)));
  }

  /** Write to another place; the draft of the old one is kept. */
  show(key, placeholder) {
    if (this.key === key) return;
    if (this.key !== null && !this.editing) drafts.set(this.key, this.field.value);
    this.stopEdit();
    this.key = key;
    this.field.placeholder = placeholder;
    this.field.value = drafts.get(key) ?? "";
    this.resize();
  }

  /** Change an own message instead of writing a new one. */
  edit(channel, message) {
    drafts.set(this.key, this.field.value);
    this.editing = { channel, ts: message.ts };
    this.field.value = editable(message.text);
    this.banner.hidden = false;
    fill(this.banner, "Editing your message", h("button", { type: "button", class: "link-button",
      on: { click: () => this.stopEdit() } }, "Cancel"));
    this.resize();
    this.field.focus();
  }

  stopEdit() {
    if (!this.editing) return;
    this.editing = null;
    this.banner.hidden = true;
    this.field.value = drafts.get(this.key) ?? "";
    this.resize();
  }

  changed() {
    this.resize();
    this.complete();
  }

  resize() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(200, this.field.scrollHeight)}px`;
    this.sendButton.disabled = this.field.value.trim() === "";
  }

  keyed(event) {
    if (event.isComposing) return;
    if (this.options.length && ["ArrowDown", "ArrowUp", "Tab", "Enter", "Escape"].includes(event.key)
      && !(event.key === "Enter" && this.exact())) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "ArrowDown") this.mark(this.active + 1);
      else if (event.key === "ArrowUp") this.mark(this.active - 1);
      else if (event.key === "Escape") this.suggest([]);
      else this.options[this.active].use();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape" && this.editing) {
      event.stopPropagation();
      this.stopEdit();
    }
  }

  /** True when the typed text already is the command that is on offer (Enter then sends it). */
  exact() {
    const text = this.field.value.trim();
    return text.startsWith("/") && this.options.some((option) => option.command === text.split(/\s/)[0]);
  }

  async send() {
    const text = this.field.value.trim();
    if (!text || !this.key) return;
    const { key } = this;
    if (this.editing) {
      const done = await attempt(() => api.edit({ user: store.user, ...this.editing, text }));
      if (done) this.stopEdit();
      return;
    }
    if (this.inThread && /^\/[a-z]/.test(text)) {
      toast("Slash commands can't be used inside threads. Mention the app instead, for example @app help.", "error");
      return;
    }
    this.field.value = "";
    this.suggest([]);
    this.resize();
    const sent = await attempt(() => api.send({ user: store.user, channel: store.place.channel, text,
      ...(this.inThread ? { thread_ts: store.place.thread } : {}) }));
    if (sent) {
      drafts.delete(key);
      this.onSent();
    } else if (this.key === key && this.field.value === "") {
      this.field.value = text;
      this.resize();
    }
  }

  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.upload(files);
  }

  async upload(files) {
    for (const file of files) {
      await attempt(() => api.upload(store.user, store.place.channel, file, this.inThread ? store.place.thread : null));
    }
    this.file.value = "";
  }

  /** Offer completions for the word before the cursor. */
  complete() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    if (before.startsWith("/") && !before.includes("\n") && !this.inThread) return this.suggest(this.commands(before));
    const word = /(?:^|\s)([@#:][\p{L}\p{N}_+.-]*)$/u.exec(before)?.[1];
    if (!word) return this.suggest([]);
    const text = word.slice(1).toLowerCase();
    if (word[0] === "@") return this.suggest(this.people(text, word.length));
    if (word[0] === "#") return this.suggest(this.channels(text, word.length));
    return this.suggest(text.length < 2 ? [] : emojiNames(text, 6).map((name) => ({
      nodes: [emojiNode(emojiFor(name)), ` :${name}:`], use: () => this.insert(`:${name}: `, word.length) })));
  }

  commands(before) {
    const typed = before.split(/\s/)[0];
    const complete = before !== typed;
    return store.state.commands.filter((one) => (complete ? one.command === typed : one.command.startsWith(typed))).map((one) => ({
      command: one.command, hintOnly: complete,
      nodes: [h("strong", {}, one.command), " ", h("span", { class: "muted mono" }, one.usage_hint ?? ""),
        h("span", { class: "suggestion-detail" }, one.description ?? "")],
      use: () => this.insert(complete ? "" : `${one.command} `, complete ? 0 : before.length) }));
  }

  people(text, length) {
    const specials = ["here", "channel", "everyone"].map((name) => ({ name, title: "notify everyone in the channel" }));
    return [...directory.users(), ...specials]
      .filter((user) => user.id !== directory.me && `${user.name} ${user.real_name ?? ""} ${user.display_name ?? ""}`.toLowerCase().includes(text))
      .slice(0, 8).map((user) => ({ nodes: [h("strong", {}, user.id ? nameOf(user) : `@${user.name}`), " ",
        h("span", { class: "muted" }, user.is_bot ? `@${user.name} · app` : user.title ?? "")], use: () => this.insert(`@${user.name} `, length) }));
  }

  channels(text, length) {
    return directory.channels().filter((one) => !one.is_im && one.name.includes(text)).slice(0, 8).map((one) => ({
      nodes: [h("strong", {}, `#${channelName(one)}`)], use: () => this.insert(`#${one.name} `, length) }));
  }

  insert(text, replaced) {
    const end = this.field.selectionStart;
    this.field.setRangeText(text, end - replaced, end, "end");
    this.suggest([]);
    this.changed();
    this.field.focus();
  }

  suggest(options) {
    this.options = options.filter((option) => !option.hintOnly);
    this.list.hidden = options.length === 0;
    this.field.setAttribute("aria-expanded", String(options.length > 0));
    fill(this.list, options.map((option, index) => h("div", { class: "suggestion", role: "option",
      id: `${this.list.id}-${index}`, on: { mousedown: (event) => { event.preventDefault(); option.use(); } } }, option.nodes)));
    this.mark(0);
  }

  mark(index) {
    const count = this.options.length;
    if (!count) {
      this.field.removeAttribute("aria-activedescendant");
      return;
    }
    this.active = (index + count) % count;
    [...this.list.children].forEach((row, i) => {
      row.classList.toggle("active", i === this.active);
      row.setAttribute("aria-selected", String(i === this.active));
    });
    this.field.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
  }
}
