// A surface is a place with interactive elements: one message, one modal view, one Home tab.
// It keeps what the reader chose or typed (also across updates) and sends Slack's actions.

import { ApiError, api } from "./api.js";
import { directory } from "./directory.js";
import { confirmDialog } from "./dialog.js";
import { mrkdwn } from "./mrkdwn.js";
import { toast } from "./dom.js";

/** type → [field of the value in state and actions, field of the initial value in the block]. */
export const FIELDS = {
  plain_text_input: ["value", "initial_value"],
  number_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"],
  rich_text_input: ["rich_text_value", "initial_value"],
  static_select: ["selected_option", "initial_option"],
  external_select: ["selected_option", "initial_option"],
  radio_buttons: ["selected_option", "initial_option"],
  checkboxes: ["selected_options", "initial_options"],
  multi_static_select: ["selected_options", "initial_options"],
  multi_external_select: ["selected_options", "initial_options"],
  users_select: ["selected_user", "initial_user"],
  multi_users_select: ["selected_users", "initial_users"],
  channels_select: ["selected_channel", "initial_channel"],
  multi_channels_select: ["selected_channels", "initial_channels"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  multi_conversations_select: ["selected_conversations", "initial_conversations"],
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  file_input: ["files", "initial_files"],
};

const BUSY_MS = 8000;
const surfaces = new Map();

export class Surface {
  /** `place` is {channel, message_ts} or {view_id}. */
  constructor(id, place) {
    this.id = id;
    this.place = place;
    this.values = new Map();
    this.present = new Map();
    this.busy = new Map();
  }

  /** Call before the blocks are rendered (again): elements that are gone leave the state. */
  begin() {
    this.present = new Map();
  }

  /** The value of an element: what the reader chose, else the block's initial value. */
  value(block, element) {
    const [field, initial] = FIELDS[element.type];
    const key = `${block.block_id}\n${element.action_id}`;
    this.present.set(key, { block, element });
    const kept = this.values.get(key);
    if (kept && kept.type === element.type) return kept[field];
    const start = element[initial] ?? (field.endsWith("s") ? [] : null);
    this.values.set(key, { type: element.type, [field]: start });
    return start;
  }

  /** Remember a choice. */
  keep(block, element, value) {
    const [field] = FIELDS[element.type];
    this.values.set(`${block.block_id}\n${element.action_id}`, { type: element.type, [field]: value });
  }

  /** Slack's `state` object of everything that is shown now. */
  state() {
    const values = {};
    for (const [key, { block, element }] of this.present) {
      values[block.block_id] ??= {};
      values[block.block_id][element.action_id] = this.values.get(key);
    }
    return { values };
  }

  isBusy(block, element) {
    return this.busy.has(`${block.block_id}\n${element.action_id}`);
  }

  /**
   * Send an action; asks first when the element has a confirm object. True when the app took it.
   * `brief`: no update is expected, so the element is free as soon as the app has acknowledged.
   */
  async act(block, element, fields = {}, { brief = false } = {}) {
    const key = `${block.block_id}\n${element.action_id}`;
    if (this.busy.has(key)) return false;
    if (element.confirm && !(await this.agree(element.confirm))) return false;
    this.setBusy(key, true);
    try {
      await api.action({
        user: directory.me, ...this.place, block_id: block.block_id, action_id: element.action_id,
        type: element.type, ...fields, state: this.state(),
      });
      const mark = this.busy.get(key);
      if (mark) mark.answered = true;
      if (mark?.seen || brief) this.setBusy(key, false);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.setBusy(key, false);
      toast(error.message, "error");
      return false;
    }
  }

  agree(confirm) {
    const text = confirm.text;
    const nodes = text?.type === "mrkdwn" ? mrkdwn(text.text) : null;
    return confirmDialog({ ...confirm, nodes });
  }

  setBusy(key, on) {
    clearTimeout(this.busy.get(key)?.timer);
    if (on) {
      const timer = setTimeout(() => this.setBusy(key, false), BUSY_MS);
      this.busy.set(key, { timer, answered: false, seen: false });
    } else this.busy.delete(key);
    const [block, action] = key.split("\n").map((part) => CSS.escape(part));
    const place = `[data-surface="${CSS.escape(this.id)}"]`;
    const found = document.querySelectorAll(`${place} [data-block-id="${block}"][data-action-id="${action}"]`);
    for (const node of found) {
      if (on) node.setAttribute("aria-busy", "true");
      else node.removeAttribute("aria-busy");
    }
  }

  /** Something visible happened: whatever was waiting for it is free again. */
  settle() {
    for (const [key, mark] of [...this.busy]) {
      mark.seen = true;
      if (mark.answered) this.setBusy(key, false);
    }
  }
}

function surface(id, place) {
  if (!surfaces.has(id)) surfaces.set(id, new Surface(id, place));
  return surfaces.get(id);
}

/** The surface of a message (the same in the channel and in the thread pane). */
export function messageSurface(channel, ts) {
  return surface(`${directory.me}:${channel}:${ts}`, { channel, message_ts: ts });
}

/** The surface of a modal view or a Home tab. */
export function viewSurface(view) {
  return surface(`${directory.me}:${view.id}`, { view_id: view.id });
}

/** Forget a view that was closed. */
export function dropView(viewId) {
  surfaces.delete(`${directory.me}:${viewId}`);
}

/** Free the busy elements of one channel, or of every place when `channel` is null. */
export function settleAll(channel = null) {
  for (const one of surfaces.values()) {
    if (channel === null || !one.place.channel || one.place.channel === channel) one.settle();
  }
}
