// The data_visualization block: line, area, bar and pie charts as SVG, with their data as a table
// for screen readers.

import { h } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";
const BOX = { width: 560, height: 240, left: 52, right: 12, top: 12, bottom: 34 };

function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** About four round numbers that cover [low, high]. */
function ticks(low, high) {
  const span = high - low || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((one) => one >= rough);
  const list = [];
  for (let tick = Math.floor(low / step) * step; list.length < 8; tick += step) {
    list.push(Number(tick.toPrecision(12)));
    if (tick >= high) break;
  }
  return list;
}

const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });

function frame(chart, marks) {
  const categories = chart.axis_config?.categories ?? chart.series[0].data.map((point) => point.label);
  const values = chart.series.flatMap((series) => series.data.map((point) => point.value));
  const list = ticks(chart.type === "line" ? Math.min(...values) : Math.min(0, ...values), Math.max(...values));
  const inner = { width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom };
  const y = (value) => BOX.top + inner.height * (1 - (value - list[0]) / (list.at(-1) - list[0] || 1));
  const step = inner.width / categories.length;
  const x = (index) => BOX.left + step * (index + 0.5);
  const svg = s("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, class: "chart-svg", "aria-hidden": "true" });
  for (const tick of list) {
    svg.append(s("line", { x1: BOX.left, x2: BOX.width - BOX.right, y1: y(tick), y2: y(tick), class: "grid" }),
      s("text", { x: BOX.left - 6, y: y(tick) + 4, "text-anchor": "end" }, short.format(tick)));
  }
  const every = Math.ceil(categories.length / 8);
  categories.forEach((name, i) => {
    if (i % every === 0) svg.append(s("text", { x: x(i), y: BOX.height - 14, "text-anchor": "middle" }, name));
  });
  marks(svg, { categories, x, y, step, base: y(Math.max(list[0], 0)) });
  return svg;
}

const valueAt = (series, label) => series.data.find((point) => point.label === label)?.value ?? null;

function lines(chart) {
  return frame(chart, (svg, { categories, x, y, base }) => {
    chart.series.forEach((series, n) => {
      const points = categories.map((label, i) => [i, valueAt(series, label)]).filter(([, v]) => v !== null)
        .map(([i, v]) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`);
      if (chart.type === "area" && points.length) {
        const [first, last] = [points[0].split(",")[0], points.at(-1).split(",")[0]];
        svg.append(s("polygon", { points: `${first},${base} ${points.join(" ")} ${last},${base}`, class: `area series-${n % 6}` }));
      }
      svg.append(s("polyline", { points: points.join(" "), class: `line series-${n % 6}` }));
    });
  });
}

function bars(chart) {
  return frame(chart, (svg, { categories, x, y, step, base }) => {
    const width = (step * 0.76) / chart.series.length;
    chart.series.forEach((series, n) => categories.forEach((label, i) => {
      const value = valueAt(series, label);
      if (value === null) return;
      svg.append(s("rect", { x: x(i) - step * 0.38 + n * width, width: Math.max(1, width - 1), y: Math.min(y(value), base),
        height: Math.max(1, Math.abs(y(value) - base)), rx: 2, class: `bar series-${n % 6}` }, s("title", {}, `${label}: ${value}`)));
    }));
  });
}

function pie(chart) {
  const total = chart.segments.reduce((sum, segment) => sum + segment.value, 0) || 1;
  const svg = s("svg", { viewBox: "0 0 240 240", class: "chart-svg pie", "aria-hidden": "true" });
  let angle = -Math.PI / 2;
  chart.segments.forEach((segment, n) => {
    const turn = Math.min((segment.value / total) * 2 * Math.PI, 2 * Math.PI - 1e-4);
    const at = (a) => `${(120 + 110 * Math.cos(a)).toFixed(2)} ${(120 + 110 * Math.sin(a)).toFixed(2)}`;
    svg.append(s("path", { class: `bar series-${n % 6}`,
      d: `M120 120L${at(angle)}A110 110 0 ${turn > Math.PI ? 1 : 0} 1 ${at(angle + turn)}Z` }));
    angle += turn;
  });
  return svg;
}

function dataFor(chart) {
  if (chart.type === "pie") return chart.segments.map((one) => [one.label, one.value]);
  return chart.series.flatMap((series) => series.data.map((point) => [`${series.name}, ${point.label}`, point.value]));
}

/** A chart, its legend, and its figures as a table that only screen readers meet. */
export function chart(block) {
  const { chart: spec } = block;
  const svg = spec.type === "pie" ? pie(spec) : spec.type === "bar" ? bars(spec) : lines(spec);
  const names = spec.type === "pie" ? spec.segments.map((one) => one.label) : spec.series.map((one) => one.name);
  const axis = [spec.axis_config?.y_label, spec.axis_config?.x_label].filter(Boolean).join(" by ");
  return h("figure", { class: "chart card" },
    h("figcaption", {}, block.title, axis ? h("span", { class: "muted" }, ` ${axis}`) : null),
    svg,
    h("div", { class: "legend" }, names.map((name, n) =>
      h("span", {}, h("i", { class: `key series-${n % 6}` }), name))),
    // A table ignores height and overflow, so something around it has to clip it.
    h("div", { class: "only-readers" }, h("table", {}, h("tbody", {},
      dataFor(spec).map(([label, value]) => h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, String(value))))))));
}
