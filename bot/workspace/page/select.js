// Selects of every source (static, external, users, conversations, channels), single and multi,
// with type-ahead. Options are Slack option objects; people and channels are wrapped into one shape.

import { h, fill, icon } from "./dom.js";
import { api } from "./api.js";
import { channelName, directory, nameOf } from "./directory.js";
import { plainNodes } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { openList } from "./popover.js";

const nodesOf = (text) => (text?.type === "mrkdwn" ? mrkdwn(text.text) : plainNodes(text?.text ?? ""));
const wordsOf = (text) => h("span", {}, nodesOf(text)).textContent;

/** `element.type` without "multi_" and "_select": static, external, users, channels, conversations. */
function sourceOf(element) {
  return element.type.replace(/^multi_/, "").replace(/_select$/, "");
}

function optionItem(option, group = null) {
  return { label: wordsOf(option.text), nodes: () => nodesOf(option.text), value: option.value, option, group,
    detail: option.description ? wordsOf(option.description) : null, data: { value: option.value } };
}

function userItem(user) {
  return { label: nameOf(user), detail: user.title || (user.is_bot ? "app" : null), value: user.id,
    option: user.id, icon: "person", data: { value: user.id } };
}

function channelItem(channel) {
  const kind = channel.is_im ? "person" : channel.is_private ? "lock" : "hash";
  return { label: channelName(channel), value: channel.id, option: channel.id, icon: kind,
    data: { value: channel.id } };
}

function conversations(element) {
  const include = element.filter?.include ?? ["public", "private", "im", "mpim"];
  return directory.channels().filter((channel) => {
    if (channel.is_archived) return false;
    if (channel.is_im) return include.includes("im")
      && !(element.filter?.exclude_bot_users && directory.user(channel.user)?.is_bot);
    return include.includes(channel.is_private ? "private" : "public");
  });
}

function flatten(answer) {
  if (answer.option_groups) {
    return answer.option_groups.flatMap((group) =>
      group.options.map((option) => optionItem(option, wordsOf(group.label))));
  }
  return (answer.options ?? []).map((option) => optionItem(option));
}

function itemsOf(element) {
  const source = sourceOf(element);
  if (source === "users") return directory.users().filter((user) => !user.is_bot).map(userItem);
  if (source === "channels") {
    return directory.channels().filter((c) => !c.is_im && !c.is_private && !c.is_archived).map(channelItem);
  }
  if (source === "conversations") return conversations(element).map(channelItem);
  return source === "static" ? flatten(element) : [];
}

/** The item of a kept value, so that it can be named even when it is not on offer any more. */
function itemFor(element, value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "object") return optionItem(value);
  if (sourceOf(element) === "users") {
    const user = directory.user(value);
    return user ? userItem(user) : { label: value, value, option: value };
  }
  const channel = directory.channel(value);
  return channel ? channelItem(channel) : { label: value, value, option: value };
}

/** An async type-ahead against the app for external selects, null for the others. */
function loader(element, ctx, mark) {
  if (sourceOf(element) !== "external") return null;
  const least = element.min_query_length ?? 3;
  return async (text) => {
    if (text.length < least) return `Type at least ${least} character${least === 1 ? "" : "s"}`;
    await new Promise((resolve) => setTimeout(resolve, 150));
    try {
      const answer = await api.options({ user: directory.me, ...ctx.surface.place,
        block_id: ctx.block.block_id, action_id: element.action_id, value: text });
      return flatten(answer).map(mark);
    } catch (error) {
      return error.message;
    }
  };
}

function shell(element, ctx, attributes) {
  return h("button", { type: "button", class: "select-button", ...attributes,
    aria: { ...ctx.labels, haspopup: "listbox", expanded: "false", required: null } });
}

const placeholderOf = (element, plural) => (element.placeholder ? wordsOf(element.placeholder)
  : `Choose ${plural ? "some" : "one"}`);

/** A select for one option. */
export function singleSelect(element, ctx, attributes, commit) {
  const node = shell(element, ctx, attributes);
  const paint = () => {
    const item = itemFor(element, ctx.surface.value(ctx.block, element));
    fill(node, item?.icon ? icon(item.icon, 15) : null,
      h("span", { class: `select-text ${item ? "" : "placeholder"}` },
        item ? item.nodes?.() ?? item.label : placeholderOf(element, false)),
      icon("chevron", 15));
  };
  const mark = (item) => ({ ...item,
    checked: itemFor(element, ctx.surface.value(ctx.block, element))?.value === item.value });
  const choose = async (item) => {
    const done = commit(element, ctx, item.option);
    paint();
    await done;
    paint();
  };
  node.addEventListener("click", () => {
    const items = itemsOf(element).map(mark);
    const chosen = ctx.surface.value(ctx.block, element) !== null;
    const clear = ctx.optional && chosen
      ? [{ label: "Clear", icon: "close", run: () => choose({ option: null }) }] : [];
    const load = loader(element, ctx, mark);
    openList(node, { role: "listbox", label: placeholderOf(element, false), items: [...clear, ...items],
      search: Boolean(load) || items.length > 6, load, onPick: choose });
  });
  paint();
  return node;
}

/** A select for several options; what is chosen is shown as removable chips. */
export function multiSelect(element, ctx, attributes, commit) {
  const node = shell(element, ctx, attributes);
  const chips = h("div", { class: "chips" });
  const root = h("div", { class: "multi-select" }, chips, node);
  const chosen = () => ctx.surface.value(ctx.block, element);
  const keyOf = (value) => itemFor(element, value)?.value;
  const set = async (values) => {
    const done = commit(element, ctx, values);
    paint();
    await done;
    paint();
  };
  const toggle = (item) => {
    const has = chosen().some((value) => keyOf(value) === item.value);
    if (has) return set(chosen().filter((value) => keyOf(value) !== item.value));
    if (element.max_selected_items && chosen().length >= element.max_selected_items) return undefined;
    return set([...chosen(), item.option]);
  };
  const paint = () => {
    fill(chips, chosen().map((value) => {
      const item = itemFor(element, value);
      return h("span", { class: "chip" }, item.nodes?.() ?? item.label,
        h("button", { type: "button", class: "chip-remove", aria: { label: `Remove ${item.label}` },
          on: { click: () => toggle(item) } }, "×"));
    }));
    fill(node, h("span", { class: "select-text placeholder" },
      chosen().length ? `${chosen().length} chosen` : placeholderOf(element, true)), icon("chevron", 15));
  };
  const mark = (item) => {
    const copy = { ...item };
    Object.defineProperty(copy, "checked", { enumerable: true,
      get: () => chosen().some((value) => keyOf(value) === item.value) });
    return copy;
  };
  node.addEventListener("click", () => {
    const items = itemsOf(element).map(mark);
    const load = loader(element, ctx, mark);
    openList(node, { role: "listbox", label: placeholderOf(element, true), items, stay: true,
      search: Boolean(load) || items.length > 6, load, onPick: toggle,
      hint: element.max_selected_items ? `At most ${element.max_selected_items}` : null });
  });
  paint();
  return root;
}
