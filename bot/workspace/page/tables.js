// The table block and the data_table block (sorting and pages).

import { h, fill } from "./dom.js";
import { plainNodes } from "./emoji.js";
import { richText } from "./richtext.js";

function cellNodes(cell) {
  if (!cell) return [];
  if (cell.type === "rich_text") return [richText(cell)];
  return plainNodes(String(cell.text ?? cell.value ?? ""), false);
}

const cellValue = (cell) => cell?.value ?? cell?.text ?? "";

function scroller(label, table) {
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", aria: { label } }, table);
}

/** The table block: the first row is its head. */
export function rawTable(block) {
  const settings = block.column_settings ?? [];
  const row = (cells, tag) => h("tr", {}, cells.map((cell, i) => h(tag, {
    class: `align-${settings[i]?.align ?? "left"} ${settings[i]?.is_wrapped ? "wrapped" : ""}`,
    scope: tag === "th" ? "col" : null,
  }, cellNodes(cell))));
  const [head, ...body] = block.rows;
  return scroller("Table", h("table", {}, h("thead", {}, row(head, "th")),
    h("tbody", {}, body.map((cells) => row(cells, "td")))));
}

/** The data_table block: a caption, a click on a head sorts, long tables have pages. */
export function dataTable(block) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? 5;
  const view = { page: 0, sort: null, down: false };
  const root = h("div", { class: "data-table" });
  const numeric = head.map((_cell, i) => rows.every((row) => row[i]?.type === "raw_number"));
  const ordered = () => {
    if (view.sort === null) return rows;
    const sign = view.down ? -1 : 1;
    const compare = (a, b) => (typeof a === "number" && typeof b === "number"
      ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));
    return [...rows].sort((a, b) => sign * compare(cellValue(a[view.sort]), cellValue(b[view.sort])));
  };
  const sortBy = (i) => {
    view.down = view.sort === i ? !view.down : false;
    view.sort = i;
    view.page = 0;
    paint();
  };
  const paint = () => {
    const pages = Math.max(1, Math.ceil(rows.length / size));
    const shown = ordered().slice(view.page * size, (view.page + 1) * size);
    const arrow = (i) => (view.sort === i ? (view.down ? " ↓" : " ↑") : "");
    const align = (i) => `align-${numeric[i] ? "right" : "left"}`;
    fill(root,
      block.caption ? h("div", { class: "table-caption" }, block.caption) : null,
      scroller(block.caption ?? "Table", h("table", {},
        h("thead", {}, h("tr", {}, head.map((cell, i) => h("th", { scope: "col", class: align(i) },
          h("button", { type: "button", class: "sort", on: { click: () => sortBy(i) } }, cellNodes(cell), arrow(i)))))),
        h("tbody", {}, shown.map((row) => h("tr", {}, row.map((cell, i) =>
          h(i === (block.row_header_column_index ?? 0) ? "th" : "td",
            { class: align(i), scope: i === (block.row_header_column_index ?? 0) ? "row" : null }, cellNodes(cell)))))))),
      pages > 1 ? h("div", { class: "pager" },
        h("button", { type: "button", class: "button", disabled: view.page === 0,
          on: { click: () => { view.page -= 1; paint(); } } }, "Previous"),
        h("span", {}, `Page ${view.page + 1} of ${pages}`),
        h("button", { type: "button", class: "button", disabled: view.page === pages - 1,
          on: { click: () => { view.page += 1; paint(); } } }, "Next")) : null);
  };
  paint();
  return root;
}
