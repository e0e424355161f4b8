// The rich_text block: sections, lists, quotes and preformatted text with styled pieces.

import { h } from "./dom.js";
import { emojiFor, emojiNode, textNodes } from "./emoji.js";
import { channelMention, link, userMention } from "./mrkdwn.js";
import { formatDate } from "./dates.js";

const STYLE_TAGS = { code: "code", strike: "s", italic: "em", bold: "strong", underline: "u" };

function styledNode(nodes, style = {}) {
  return Object.entries(STYLE_TAGS).reduce(
    (inside, [name, tag]) => (style[name] ? [h(tag, {}, inside)] : inside), nodes);
}

function lines(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), ...textNodes(line)] : textNodes(line)));
}

const PIECES = {
  text: (piece) => lines(piece.text),
  link: (piece) => [link(piece.url, piece.text ?? piece.url)],
  user: (piece) => [userMention(piece.user_id)],
  channel: (piece) => [channelMention(piece.channel_id)],
  usergroup: (piece) => [h("span", { class: "mention" }, `@${piece.usergroup_id}`)],
  broadcast: (piece) => [h("span", { class: "mention broadcast" }, `@${piece.range}`)],
  emoji: (piece) => [emojiFor(piece.name) ? emojiNode(emojiFor(piece.name), piece.name)
    : document.createTextNode(`:${piece.name}:`)],
  date: (piece) => [h("time", {}, formatDate(piece.timestamp, piece.format) ?? piece.fallback ?? "")],
  color: (piece) => [h("span", { class: "swatch", style: { "--swatch": piece.value } }), piece.value],
};

function pieces(elements = []) {
  return elements.flatMap((piece) => styledNode(
    PIECES[piece.type]?.(piece) ?? [document.createTextNode(piece.text ?? JSON.stringify(piece))], piece.style));
}

/** Consecutive lists of growing indent become nested lists of one level each. */
function list(element) {
  const ordered = element.style === "ordered";
  return h(ordered ? "ol" : "ul", { class: `rich-list indent-${Math.min(element.indent ?? 0, 6)}`,
    start: ordered && element.offset ? element.offset + 1 : null },
  element.elements.map((item) => h("li", {}, pieces(item.elements))));
}

const PARTS = {
  rich_text_section: (part) => h("div", { class: "rich-section" }, pieces(part.elements)),
  rich_text_list: list,
  rich_text_quote: (part) => h("blockquote", {}, pieces(part.elements)),
  rich_text_preformatted: (part) => h("pre", { class: "code-block" }, pieces(part.elements)),
};

/** A whole rich_text object (a block, or a table's cell). */
export function richText(block) {
  return h("div", { class: "rich-text" }, (block.elements ?? []).map((part) =>
    PARTS[part.type]?.(part) ?? h("pre", { class: "code-block" }, JSON.stringify(part, null, 2))));
}
