// Block Kit's interactive elements: buttons, menus, choices, dates and text fields.
// Every renderer gets (element, ctx); ctx = {surface, block, dispatch, labelId, error}.

import { ApiError, api } from "./api.js";
import { h, debounce, icon, iconButton, toast } from "./dom.js";
import { plainNodes } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { FIELDS } from "./surface.js";
import { openList } from "./popover.js";
import { multiSelect, singleSelect } from "./select.js";
import { directory, openLink } from "./directory.js";
import { confirmDialog } from "./dialog.js";

/** A Slack text object as nodes. */
export function textObject(text) {
  if (!text) return [];
  if (typeof text === "string") return plainNodes(text);
  return text.type === "mrkdwn" ? mrkdwn(text.text, { verbatim: text.verbatim })
    : plainNodes(text.text, text.emoji !== false);
}

/** The text of a text object without markup, for labels. */
export function plainText(text) {
  const node = h("span", {}, textObject(text));
  return node.textContent;
}

/** Attributes that every element carries: its ids for tests and its label. */
export function marks(element, ctx) {
  return {
    data: { "action-id": element.action_id, "block-id": ctx.block.block_id, type: element.type },
    "aria-busy": ctx.surface.isBusy(ctx.block, element) ? "true" : null,
  };
}

function labels(ctx, fallback) {
  const described = [ctx.hintId, ctx.errorId].filter(Boolean).join(" ") || null;
  const label = ctx.labelId ? { labelledby: ctx.labelId } : { label: fallback };
  return { ...label, describedby: described, invalid: ctx.error ? "true" : null,
    required: ctx.required ? "true" : null };
}

/** Keep a value; tell the app when the element dispatches. */
export function commit(element, ctx, value) {
  const before = ctx.surface.value(ctx.block, element);
  ctx.surface.keep(ctx.block, element, value);
  if (!ctx.dispatch) return Promise.resolve(true);
  const [field] = FIELDS[element.type];
  return ctx.surface.act(ctx.block, element, { [field]: value }).then((taken) => {
    if (!taken) ctx.surface.keep(ctx.block, element, before);
    return taken;
  });
}

function button(element, ctx) {
  const style = { primary: "primary", danger: "danger" }[element.style] ?? "";
  const label = element.accessibility_label ?? null;
  const click = async (event) => {
    if (!element.url) return ctx.surface.act(ctx.block, element, withoutUndefined({ value: element.value }));
    if (element.confirm && !(await confirmDialog({ ...element.confirm, nodes: textObject(element.confirm.text) }))) return false;
    const inside = new Event("click", { cancelable: true });
    openLink(inside, element.url);
    if (!inside.defaultPrevented && /^(https?:|\/)/.test(element.url)) window.open(element.url, "_blank", "noopener");
    event.target.blur?.();
    return ctx.surface.act(ctx.block, { ...element, confirm: null }, withoutUndefined({ value: element.value }), { brief: true });
  };
  return h("button", { type: "button", class: `button ${style}`, aria: { label },
    ...marks(element, ctx), on: { click } },
  h("span", { class: "button-text" }, textObject(element.text)),
  element.url ? h("span", { class: "outside", title: "Opens a link", aria: { hidden: true } }, "↗") : null);
}

function withoutUndefined(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function overflow(element, ctx) {
  const node = h("button", { type: "button", class: "button overflow", ...marks(element, ctx),
    aria: { label: "More actions", haspopup: "menu", expanded: "false" } }, icon("more"));
  node.addEventListener("click", () => openList(node, {
    label: "More actions",
    items: element.options.map((option) => ({
      label: plainText(option.text), nodes: () => textObject(option.text), data: { value: option.value },
      detail: option.description ? plainText(option.description) : null,
      run: () => {
        if (option.url) window.open(option.url, "_blank", "noopener");
        ctx.surface.act(ctx.block, element, { selected_option: option });
      },
    })),
  }));
  return node;
}

let groups = 0;

function choices(element, ctx, multiple) {
  const chosen = ctx.surface.value(ctx.block, element);
  const isOn = (option) => multiple
    ? chosen.some((one) => one.value === option.value) : chosen?.value === option.value;
  const name = `group-${(groups += 1)}`;
  const root = h("div", { class: "choices", role: multiple ? "group" : "radiogroup",
    ...marks(element, ctx), aria: labels(ctx, "Choices") });
  const changed = async () => {
    const picked = [...root.querySelectorAll("input")].flatMap((input, i) =>
      (input.checked ? [element.options[i]] : []));
    const taken = await commit(element, ctx, multiple ? picked : picked[0] ?? null);
    if (!taken) root.replaceWith(choices(element, ctx, multiple));
  };
  for (const option of element.options) {
    root.append(h("label", { class: "choice" },
      h("input", { type: multiple ? "checkbox" : "radio", name, value: option.value,
        checked: isOn(option), on: { change: changed } }),
      h("span", {}, h("span", { class: "choice-text" }, textObject(option.text)),
        option.description ? h("span", { class: "choice-detail" }, textObject(option.description)) : null)));
  }
  return root;
}

/** Native date and time fields: they know the keyboard, the locale and the phone. */
function dateField(element, ctx, type, toField, fromField) {
  const value = ctx.surface.value(ctx.block, element);
  const node = h("input", { type, class: "field date", ...marks(element, ctx),
    aria: labels(ctx, plainText(element.placeholder) || "Choose a date or time"),
    title: plainText(element.placeholder) || null, value: toField(value) });
  const send = debounce(async () => {
    const next = fromField(node.value);
    if (next === ctx.surface.value(ctx.block, element)) return;
    const taken = await commit(element, ctx, next);
    if (!taken) node.value = toField(ctx.surface.value(ctx.block, element));
  }, ctx.dispatch ? 700 : 0);
  node.addEventListener("change", send);
  node.addEventListener("blur", () => send.flush());
  return node;
}

function localDateTime(seconds) {
  if (!seconds) return "";
  const date = new Date(seconds * 1000);
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
    + `T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function textField(element, ctx) {
  const multiline = element.multiline || element.type === "rich_text_input";
  const kinds = { number_input: "text", email_text_input: "email", url_text_input: "url" };
  const rich = element.type === "rich_text_input";
  const start = ctx.surface.value(ctx.block, element);
  const node = h(multiline ? "textarea" : "input", {
    class: "field", ...marks(element, ctx), aria: labels(ctx, plainText(element.placeholder) || "Text"),
    type: multiline ? null : kinds[element.type] ?? "text", rows: multiline ? 4 : null,
    inputmode: element.type === "number_input" ? (element.is_decimal_allowed ? "decimal" : "numeric") : null,
    placeholder: element.placeholder ? plainText(element.placeholder) : null,
    maxlength: element.max_length ?? null, autocomplete: "off",
    value: rich ? richToText(start) : start ?? "", "data-focus": element.focus_on_load ? "true" : null,
  });
  const read = () => (rich ? textToRich(node.value) : node.value === "" ? null : node.value);
  const on = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  const tell = () => commit(element, ctx, read());
  const typing = debounce(tell, 300);
  node.addEventListener("input", () => {
    ctx.surface.keep(ctx.block, element, read());
    if (ctx.dispatch && on.includes("on_character_entered")) typing();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || (multiline && !event.metaKey && !event.ctrlKey)) return;
    if (ctx.dispatch && on.includes("on_enter_pressed")) {
      event.preventDefault();
      event.stopPropagation();
      tell();
    }
  });
  return node;
}

function richToText(value) {
  const pieces = value?.elements?.flatMap((section) => section.elements ?? []) ?? [];
  return pieces.map((piece) => piece.text ?? piece.url ?? "").join("");
}

function textToRich(text) {
  if (text === "") return null;
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] };
}

/** Files are uploaded as they are chosen; the state holds their ids and names. */
function fileInput(element, ctx) {
  const most = element.max_files ?? 10;
  const list = h("ul", { class: "chosen-files" });
  const field = h("input", { type: "file", hidden: true, multiple: most > 1,
    accept: (element.filetypes ?? []).map((kind) => `.${kind}`).join(",") || null });
  const choose = h("button", { type: "button", class: "button", ...marks(element, ctx), aria: labels(ctx, "Choose files"),
    on: { click: () => field.click() } }, h("span", { class: "button-text" }, most > 1 ? "Choose files…" : "Choose a file…"));
  const draw = () => {
    const files = ctx.surface.value(ctx.block, element);
    choose.disabled = files.length >= most;
    list.replaceChildren(...files.map((file) => h("li", {}, h("span", {}, file.name),
      iconButton("close", `Remove ${file.name}`, () => {
        ctx.surface.keep(ctx.block, element, ctx.surface.value(ctx.block, element).filter((one) => one.id !== file.id));
        draw();
      }))));
  };
  field.addEventListener("change", async () => {
    const room = most - ctx.surface.value(ctx.block, element).length;
    const chosen = [...field.files].slice(0, room);
    field.value = "";
    for (const file of chosen) {
      try {
        const { file: id } = await api.upload(directory.me, null, file);
        ctx.surface.keep(ctx.block, element, [...ctx.surface.value(ctx.block, element), { id, name: file.name }]);
        draw();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        toast(error.message, "error");
      }
    }
    list.dispatchEvent(new Event("input", { bubbles: true }));
  });
  draw();
  return h("div", { class: "file-input" }, choose, field, list);
}

/** A workflow's button: there are no workflows here, and it says so. */
function workflowButton(element, ctx) {
  return h("button", { type: "button", class: `button ${{ primary: "primary", danger: "danger" }[element.style] ?? ""}`,
    ...marks(element, ctx), aria: { label: element.accessibility_label ?? null },
    on: { click: () => toast("Workflows do not run in this workspace.") } },
  h("span", { class: "button-text" }, textObject(element.text)));
}

const same = (value) => value ?? "";
const orNull = (text) => text || null;

const RENDER = {
  button,
  overflow,
  checkboxes: (element, ctx) => choices(element, ctx, true),
  radio_buttons: (element, ctx) => choices(element, ctx, false),
  datepicker: (element, ctx) => dateField(element, ctx, "date", same, orNull),
  timepicker: (element, ctx) => dateField(element, ctx, "time", same, orNull),
  datetimepicker: (element, ctx) => dateField(element, ctx, "datetime-local", localDateTime,
    (text) => (text ? Math.floor(new Date(text).getTime() / 1000) : null)),
  plain_text_input: textField,
  number_input: textField,
  email_text_input: textField,
  url_text_input: textField,
  rich_text_input: textField,
  file_input: fileInput,
  workflow_button: workflowButton,
};

/** Render one interactive element, or null when its type is none of ours. */
export function renderElement(element, ctx) {
  const { type } = element;
  if (RENDER[type]) return RENDER[type](element, ctx);
  const full = { ...ctx, labels: labels(ctx, plainText(element.placeholder) || "Choose") };
  if (/^multi_.*_select$/.test(type)) return multiSelect(element, full, marks(element, ctx), commit);
  if (/_select$/.test(type)) return singleSelect(element, full, marks(element, ctx), commit);
  return null;
}
