// Slack's mrkdwn to DOM nodes: bold, italic, strike, code, code blocks, quotes, links, mentions,
// dates in the reader's zone, emoji and the three escapes. Nodes only, never HTML text.

import { h } from "./dom.js";
import { emojiFor, shortcodeNode, textNodes } from "./emoji.js";
import { capital, formatDate } from "./dates.js";
import { directory, nameOfId, openLink } from "./directory.js";

const HOLD = 0xe000; // private-use characters hold the place of finished nodes
const HELD = /([\ue000-\uf8ff])/;

/** Turn the three escapes back into their characters. */
export function unescapeText(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** The reverse of `unescapeText`, for text that a person typed. */
export function escapeText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** mrkdwn text as a list of nodes (blocks such as quotes and code included). */
export function mrkdwn(text, { verbatim = false } = {}) {
  const nodes = [];
  const parts = (text ?? "").split(/```\n?([\s\S]*?)\n?```/);
  parts.forEach((part, index) => {
    if (index % 2) nodes.push(h("pre", { class: "code-block" }, unescapeText(stripLinks(part))));
    else if (part !== "") nodes.push(...quoted(trimAround(part, index, parts.length), verbatim));
  });
  return nodes;
}

/** A code block makes its own line break: one newline beside it is not shown twice. */
function trimAround(part, index, count) {
  let text = part;
  if (index > 0) text = text.replace(/^\n/, "");
  if (index < count - 1) text = text.replace(/\n$/, "");
  return text;
}

/** Inside code, `<url|text>` is shown as its text. */
function stripLinks(text) {
  return text.replace(/<((?:https?|mailto):[^|>]+)(?:\|([^>]+))?>/g, (_all, url, label) => label ?? url);
}

function quoted(text, verbatim) {
  const nodes = [];
  let quote = [];
  let plain = [];
  const flushQuote = () => {
    if (quote.length) nodes.push(h("blockquote", {}, inline(quote.join("\n"), verbatim)));
    quote = [];
  };
  const flushPlain = () => {
    if (plain.length) nodes.push(...inline(plain.join("\n"), verbatim));
    plain = [];
  };
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i += 1) {
    const rest = /^(?:&gt;|>){3}/.exec(lines[i]);
    const one = /^(?:&gt;|>) ?/.exec(lines[i]);
    if (rest) {
      flushPlain();
      quote.push(lines[i].slice(rest[0].length).trimStart(), ...lines.slice(i + 1));
      break;
    } else if (one) {
      flushPlain();
      quote.push(lines[i].slice(one[0].length));
    } else {
      flushQuote();
      plain.push(lines[i]);
    }
  }
  flushQuote();
  flushPlain();
  return nodes;
}

/** One run of text without code blocks and quotes. */
export function inline(text, verbatim = false) {
  const held = [];
  const hold = (node) => {
    held.push(node);
    return String.fromCharCode(HOLD + held.length - 1);
  };
  const clean = text.replace(/[\ue000-\uf8ff]/g, "");
  const withCode = clean.replace(/`([^`\n]+)`/g, (_all, code) =>
    hold(h("code", {}, unescapeText(stripLinks(code)))));
  const shown = (char) => held[char.charCodeAt(0) - HOLD].textContent;
  const withTokens = withCode.replace(/<([^<>\n]+)>/g, (_all, body, at, whole) =>
    hold(token(body.replace(HELD, shown), /(?:^|\n)[*_~]*$/.test(whole.slice(0, at)))));
  const withLinks = verbatim ? withTokens : withTokens.replace(
    /(?<![\w@/])https?:\/\/[^\s<>\ue000-\uf8ff]*[^\s<>.,;:!?)\]'"*_~\ue000-\uf8ff]/g,
    (url) => hold(link(unescapeText(url))));
  const withEmoji = withLinks.replace(/:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/g, (all, name) =>
    emojiFor(name) ? hold(shortcodeNode(name)) : all);
  return styled(withEmoji, held);
}

const STYLES = [
  ["strong", /(?<![\p{L}\p{N}_*])\*(?![\s*])([^\n*]*[^\s*])\*(?![\p{L}\p{N}*])/u],
  ["em", /(?<![\p{L}\p{N}_])_(?![\s_])([^\n]*?[^\s_])_(?![\p{L}\p{N}_])/u],
  ["s", /(?<![\p{L}\p{N}_~])~(?![\s~])([^\n~]*[^\s~])~(?![\p{L}\p{N}~])/u],
];

/** Bold, italic and strike: the earliest match wins, its inside is parsed again. */
function styled(text, held) {
  let first = null;
  for (const [tag, pattern] of STYLES) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { tag, match };
  }
  if (!first) return leaf(text, held);
  const { tag, match } = first;
  return [
    ...leaf(text.slice(0, match.index), held),
    h(tag, {}, styled(match[1], held)),
    ...styled(text.slice(match.index + match[0].length), held),
  ];
}

/** Text without style: line breaks, held nodes, unescaped characters. */
function leaf(text, held) {
  const nodes = [];
  for (const part of text.split(/(\n|[\ue000-\uf8ff])/)) {
    if (part === "") continue;
    if (part === "\n") nodes.push(h("br"));
    else if (HELD.test(part)) nodes.push(held[part.charCodeAt(0) - HOLD]);
    else nodes.push(...textNodes(unescapeText(part)));
  }
  return nodes;
}

/** The inside of `<…>`: user, channel, special mention, date or link. */
function token(body, first) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? null : unescapeText(body.slice(bar + 1));
  if (target.startsWith("@")) return userMention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!date^")) return dateToken(target, label, first);
  if (target.startsWith("!subteam^")) return mention(label ?? "@group");
  if (target.startsWith("!")) return mention(label ?? `@${target.slice(1)}`, "broadcast");
  if (/^(https?:|mailto:|\/|tel:)/i.test(target)) return link(unescapeText(target), label);
  return document.createTextNode(unescapeText(`<${body}>`));
}

function mention(text, kind = "") {
  return h("span", { class: `mention ${kind}` }, text);
}

/** A user mention; the acting user's own is marked. */
export function userMention(id, label = null) {
  const name = directory.user(id) ? nameOfId(id) : label ?? id;
  return h("span", { class: `mention ${id === directory.me ? "me" : ""}`, data: { user: id } },
    `@${name.replace(/^@/, "")}`);
}

/** A channel mention; a click opens the channel. */
export function channelMention(id, label = null) {
  const channel = directory.channel(id);
  const name = channel ? channel.name : label ?? id;
  if (!channel) return mention(`#${name}`);
  return h("a", { class: "mention", href: `#/${id}` }, `#${name}`);
}

function dateToken(target, fallback, first) {
  const [, seconds, format, url] = target.split("^");
  const text = formatDate(Number(seconds), unescapeText(format ?? ""));
  const shown = first ? capital(text) : text;
  if (shown === null) return document.createTextNode(fallback ?? "");
  const time = h("time", { datetime: new Date(Number(seconds) * 1000).toISOString(),
    title: formatDate(Number(seconds), "{date_long} {time_secs} {zone}") }, shown);
  return url ? link(url, [time]) : time;
}

/** A link; one that leads into this workspace is opened in place. */
export function link(url, label = null) {
  const safe = /^(https?:|mailto:|tel:|\/|#)/i.test(url);
  const content = typeof label === "string" ? textNodes(label) : label ?? [url.replace(/^mailto:/, "")];
  if (!safe) return h("span", {}, content);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer",
    on: { click: (event) => openLink(event, url) } }, content);
}
