// The markdown block (standard Markdown, as Slack's `markdown` block takes it) to DOM nodes.

import { h } from "./dom.js";
import { plainNodes } from "./emoji.js";
import { inline as mrkdwnInline, link } from "./mrkdwn.js";

const INLINE = [
  [/`([^`]+)`/, (m) => [h("code", {}, m[1])]],
  [/!\[([^\]]*)\]\(([^)\s]+)\)/, (m) => [link(m[2], m[1] || m[2])]],
  [/\[([^\]]+)\]\(([^)\s]+)\)/, (m) => [link(m[2], span(m[1]))]],
  [/<([@#!][^>]+|https?:[^>]+)>/, (m) => mrkdwnInline(m[0])],
  [/\*\*(?=\S)(.+?\S?)\*\*/, (m) => [h("strong", {}, span(m[1]))]],
  [/__(?=\S)(.+?\S?)__/, (m) => [h("strong", {}, span(m[1]))]],
  [/~~(?=\S)(.+?\S?)~~/, (m) => [h("s", {}, span(m[1]))]],
  [/(?<![\w*])\*(?=[^\s*])(.+?)\*(?![\w*])/, (m) => [h("em", {}, span(m[1]))]],
  [/(?<![\w_])_(?=[^\s_])(.+?)_(?![\w_])/, (m) => [h("em", {}, span(m[1]))]],
  [/https?:\/\/[^\s<>]*[^\s<>.,;:!?)\]'"]/, (m) => [link(m[0])]],
];

/** One line of Markdown as nodes: the earliest construct wins. */
function span(text) {
  let best = null;
  for (const [pattern, build] of INLINE) {
    const match = pattern.exec(text);
    if (match && (!best || match.index < best.match.index)) best = { match, build };
  }
  if (!best) return plainNodes(text);
  const { match, build } = best;
  return [...plainNodes(text.slice(0, match.index)), ...build(match),
    ...span(text.slice(match.index + match[0].length))];
}

const isTableRule = (line) => /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/.test(line ?? "") && line.includes("-");
const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());

function table(lines) {
  const align = cells(lines[1]).map((rule) =>
    (rule.endsWith(":") ? (rule.startsWith(":") ? "center" : "right") : "left"));
  const row = (line, tag) => h("tr", {}, cells(line).map((cell, i) =>
    h(tag, { class: `align-${align[i] ?? "left"}`, scope: tag === "th" ? "col" : null }, span(cell))));
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", aria: { label: "Table" } },
    h("table", {}, h("thead", {}, row(lines[0], "th")),
      h("tbody", {}, lines.slice(2).map((line) => row(line, "td")))));
}

const ITEM = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;

function list(lines) {
  const ordered = /\d/.test(ITEM.exec(lines[0])[2]);
  const indent = ITEM.exec(lines[0])[1].length;
  const root = h(ordered ? "ol" : "ul", { class: "rich-list" });
  let nested = [];
  const close = () => {
    if (nested.length) root.lastChild.append(list(nested));
    nested = [];
  };
  for (const line of lines) {
    const match = ITEM.exec(line);
    if (match && match[1].length <= indent + 1) {
      close();
      const task = /^\[([ xX])\]\s+(.*)$/.exec(match[3]);
      root.append(h("li", {}, task ? [task[1] === " " ? "☐ " : "☑ ", ...span(task[2])] : span(match[3])));
    } else if (match) nested.push(line);
    else root.lastChild.append(" ", ...span(line.trim()));
  }
  close();
  return root;
}

/** A whole Markdown text as a list of block nodes. */
export function markdown(text) {
  const lines = (text ?? "").replace(/\r/g, "").split("\n");
  const nodes = [];
  let i = 0;
  const take = (test) => {
    const from = i;
    while (i < lines.length && test(lines[i])) i += 1;
    return lines.slice(from, i);
  };
  while (i < lines.length) {
    const line = lines[i];
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (line.trim() === "") i += 1;
    else if (/^```/.test(line)) {
      i += 1;
      nodes.push(h("pre", { class: "code-block" }, take((l) => !/^```/.test(l)).join("\n")));
      i += 1;
    } else if (heading) {
      nodes.push(h("div", { class: `md-heading level-${heading[1].length}`, role: "heading",
        "aria-level": Math.min(6, heading[1].length + 2) }, span(heading[2])));
      i += 1;
    } else if (/^(-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      nodes.push(h("hr"));
      i += 1;
    } else if (/^>/.test(line)) {
      nodes.push(h("blockquote", {}, markdown(take((l) => /^>/.test(l)).map((l) => l.replace(/^> ?/, "")).join("\n"))));
    } else if (line.includes("|") && isTableRule(lines[i + 1])) {
      nodes.push(table(take((l) => l.includes("|"))));
    } else if (ITEM.test(line)) {
      nodes.push(list(take((l) => ITEM.test(l) || /^\s+\S/.test(l))));
    } else {
      const from = i;
      const paragraph = take((l) => l.trim() !== "" && (i === from || !/^(#{1,6}\s|```|>|\s*[-*+]\s|\s*\d+[.)]\s)/.test(l)));
      nodes.push(h("p", {}, paragraph.flatMap((l, n) => (n ? [h("br"), ...span(l)] : span(l)))));
    }
  }
  return nodes;
}
