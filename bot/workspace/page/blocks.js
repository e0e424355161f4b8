// Block Kit blocks to DOM nodes. What we do not know is shown as labelled raw JSON, never dropped.

import { h } from "./dom.js";
import { lightbox } from "./dialog.js";
import { marks, plainText, renderElement, textObject } from "./elements.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { dataTable, rawTable } from "./tables.js";
import { chart } from "./charts.js";

const sizes = new Map();

/** The address of an image block or element, from this workspace or elsewhere. */
function imageSource(image) {
  if (image.image_url) return image.image_url;
  const file = image.slack_file ?? {};
  if (file.id) return `/files/${encodeURIComponent(file.id)}/image`;
  return (file.url ?? "").replace(/^https?:\/\/[^/]+(?=\/files\/)/, "");
}

/**
 * An image that can be enlarged. Its space is reserved: by the sizes that are given, by those seen
 * before, else by a usual chart's shape.
 */
export function figure({ src, alt, title = null, width = null, height = null }) {
  const known = width && height ? [width, height] : sizes.get(src);
  const image = h("img", { src, alt, loading: "eager", decoding: "async", draggable: "false" });
  const frame = h("button", { type: "button", class: `figure ${known ? "" : "guess"}`,
    aria: { label: `Enlarge image: ${alt}` }, data: { testid: "figure" },
    on: { click: () => lightbox(src, alt, title) } }, image);
  const size = ([w, hgt]) => {
    frame.style.setProperty("--ratio", `${w} / ${hgt}`);
    frame.style.setProperty("--natural", `${Math.min(w, 720)}px`);
    frame.classList.remove("guess");
  };
  if (known) size(known);
  image.addEventListener("load", () => {
    sizes.set(src, [image.naturalWidth, image.naturalHeight]);
    size(sizes.get(src));
  });
  image.addEventListener("error", () => {
    frame.replaceWith(h("div", { class: "figure-missing", role: "img", aria: { label: alt } },
      `Image not available: ${alt}`));
  });
  return frame;
}

function imageBlock(block) {
  return h("figure", { class: "image-block" },
    block.title ? h("figcaption", {}, textObject(block.title)) : null,
    figure({ src: imageSource(block), alt: block.alt_text ?? "", title: plainText(block.title) || null,
      width: block.image_width, height: block.image_height }));
}

function imageElement(element, kind) {
  return h("img", { class: kind, src: imageSource(element), alt: element.alt_text ?? "", title: element.alt_text });
}

/** Anything unknown: its type and its JSON, folded. */
export function rawJson(label, value) {
  return h("details", { class: "raw", data: { testid: "raw-block" } },
    h("summary", {}, `${label}: not drawn by this page, shown as JSON`),
    h("pre", { class: "code-block" }, JSON.stringify(value, null, 2)));
}

function element(item, ctx) {
  if (item.type === "image") return imageElement(item, "thumb");
  return renderElement(item, ctx) ?? rawJson(`Element ${item.type}`, item);
}

function section(block, ctx) {
  const wide = /checkboxes|radio_buttons/.test(block.accessory?.type ?? "");
  return h("div", { class: `section ${wide ? "stacked" : ""}` },
    h("div", { class: "section-body" },
      block.text ? h("div", { class: "text" }, textObject(block.text)) : null,
      block.fields?.length ? h("div", { class: "fields" },
        block.fields.map((field) => h("div", { class: "text" }, textObject(field)))) : null),
    block.accessory ? h("div", { class: "accessory" }, element(block.accessory, { ...ctx, dispatch: true })) : null);
}

function context(block) {
  return h("div", { class: "context" }, block.elements.map((item) => (item.type === "image"
    ? imageElement(item, "context-image") : h("span", { class: "text" }, textObject(item)))));
}

let fieldCount = 0;

function input(block, ctx) {
  fieldCount += 1;
  const ids = { labelId: `label-${fieldCount}`, hintId: `hint-${fieldCount}`, errorId: `error-${fieldCount}` };
  const error = ctx.errors?.[block.block_id] ?? null;
  const inner = { ...ctx, dispatch: Boolean(block.dispatch_action), optional: block.optional, error,
    required: !block.optional, labelId: ids.labelId, hintId: block.hint ? ids.hintId : null,
    errorId: error ? ids.errorId : null };
  return h("div", { class: `input-block ${error ? "has-error" : ""}` },
    h("div", { class: "input-label", id: ids.labelId }, textObject(block.label),
      block.optional ? h("span", { class: "optional" }, " (optional)") : null),
    element(block.element, inner),
    block.hint ? h("div", { class: "input-hint", id: ids.hintId }, textObject(block.hint)) : null,
    error ? h("div", { class: "input-error", id: ids.errorId, role: "alert" }, error) : null);
}

function video(block) {
  return h("div", { class: "card" }, h("a", { href: block.title_url ?? block.video_url, target: "_blank", rel: "noopener" },
    plainText(block.title)), block.description ? h("div", {}, textObject(block.description)) : null,
  h("img", { class: "thumb", src: block.thumbnail_url, alt: block.alt_text ?? "" }));
}

const LEVELS = { error: "✕", warning: "!", info: "i", success: "✓", default: "i" };

function alert(block) {
  const level = LEVELS[block.level] ? block.level : "default";
  return h("div", { class: `alert ${level}`, role: "note" }, h("span", { class: "alert-mark", aria: { hidden: true } },
    LEVELS[level]), h("div", { class: "text" }, textObject(block.text)));
}

function card(block, ctx) {
  return h("div", { class: "card" },
    block.hero_image ? imageElement(block.hero_image, "hero") : null,
    h("div", { class: "card-head" }, block.icon ? imageElement(block.icon, "context-image") : null,
      h("div", {}, block.title ? h("strong", {}, textObject(block.title)) : null,
        block.subtitle ? h("div", { class: "muted" }, textObject(block.subtitle)) : null)),
    block.body ? h("div", { class: "text" }, textObject(block.body)) : null,
    block.subtext ? h("div", { class: "muted" }, textObject(block.subtext)) : null,
    block.actions?.length ? h("div", { class: "actions" },
      block.actions.map((item) => element(item, { ...ctx, dispatch: true }))) : null);
}

const TASK_SIGNS = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };

function task(block) {
  return h("div", { class: `task ${block.status}` },
    h("span", { class: "task-sign", title: block.status }, TASK_SIGNS[block.status] ?? "○"),
    h("div", {}, h("strong", {}, plainText(block.title)), block.details ? richText(block.details) : null,
      block.output ? richText(block.output) : null,
      (block.sources ?? []).map((source) => h("a", { href: source.url, target: "_blank", rel: "noopener" }, source.text))));
}

function contextActions(block, ctx) {
  const dispatching = { ...ctx, dispatch: true };
  return h("div", { class: "actions quiet" }, block.elements.map((item) => {
    if (item.type === "feedback_buttons") {
      return [item.positive_button, item.negative_button].filter(Boolean).map((one, index) => h("button",
        { type: "button", class: "button", title: one.accessibility_label, ...marks(item, dispatching),
          on: { click: () => ctx.surface.act(block, item, { value: one.value }) } },
        index ? "👎 " : "👍 ", textObject(one.text)));
    }
    if (item.type === "icon_button") {
      return h("button", { type: "button", class: "button", ...marks(item, dispatching),
        on: { click: () => ctx.surface.act(block, item, { value: item.value }) } }, textObject(item.text));
    }
    return element(item, dispatching);
  }));
}

function container(block, ctx) {
  const head = [h("div", { class: "container-title" },
    block.rich_text_title ? richText(block.rich_text_title) : textObject(block.title)),
  block.subtitle ? h("div", { class: "muted" }, textObject(block.subtitle)) : null];
  const inside = renderBlocks(block.child_blocks ?? [], ctx);
  if (!block.is_collapsible) return h("section", { class: "card container" }, head, inside);
  return h("details", { class: "card container", open: !block.default_collapsed }, h("summary", {}, head), inside);
}

const RENDER = {
  section,
  context,
  input,
  video,
  alert,
  card,
  container,
  task_card: task,
  context_actions: contextActions,
  image: imageBlock,
  table: rawTable,
  data_table: dataTable,
  data_visualization: chart,
  header: (block) => h("div", { class: "header-block", role: "heading", "aria-level": "3" }, textObject(block.text)),
  divider: () => h("hr"),
  actions: (block, ctx) => h("div", { class: "actions" },
    block.elements.map((item) => element(item, { ...ctx, dispatch: true }))),
  rich_text: richText,
  markdown: (block) => h("div", { class: "markdown" }, markdown(block.text)),
  plan: (block) => h("div", { class: "card" }, h("strong", {}, plainText(block.title)), (block.tasks ?? []).map(task)),
  carousel: (block, ctx) => h("div", { class: "carousel", tabindex: "0" },
    (block.elements ?? block.cards ?? []).map((one) => card(one, { ...ctx, block: one }))),
};

function renderBlock(block, ctx) {
  const render = RENDER[block.type];
  if (!render) return rawJson(`Block ${block.type}`, block);
  try {
    return render(block, { ...ctx, block }) ?? rawJson(`Block ${block.type}`, block);
  } catch (error) {
    // A malformed block must not take the message with it: its JSON is shown instead.
    console.warn("block not drawn", block, error);
    return rawJson(`Block ${block.type}`, block);
  }
}

/** Render a list of blocks. ctx = {surface, errors?}. */
export function renderBlocks(blocks, ctx) {
  return (blocks ?? []).map((block) => h("div", { class: `block block-${block.type}`,
    data: { block: block.block_id, "block-type": block.type } }, renderBlock(block, ctx)));
}
