// The demo's clock: a small bar above everything, only when the demo world runs here.

import { api } from "./api.js";
import { h, fill, icon } from "./dom.js";
import { clock, formatDate } from "./dates.js";
import { attempt } from "./menus.js";

let controls = null;

function draw(root, answer) {
  const seconds = new Date(answer.now).getTime() / 1000;
  clock.now = () => new Date(answer.now);
  const speed = answer.speed === 1 ? "real time" : answer.speed === 0 ? "paused" : `${answer.speed} × real time`;
  if (controls === null || controls.key !== JSON.stringify(answer.controls)) {
    controls = { key: JSON.stringify(answer.controls), time: h("strong", { class: "clock-time" }), label: h("span", { class: "clock-label" }) };
    controls.buttons = (answer.controls ?? []).map((one) => h("button", { type: "button", class: "button small",
      data: { post: one.post }, on: { click: async () => {
        await attempt(() => api.control(one.post));
        await poll(root);
      } } }, one.label));
    fill(root, icon("clock", 15), controls.time, controls.label, h("span", { class: "clock-controls" }, controls.buttons));
    root.hidden = false;
  }
  // A label that is itself a time is the clock's face; the reader's own time stands beside it.
  const face = /\d:\d\d/.test(answer.label ?? "");
  const own = formatDate(seconds, "{date_short} {time}");
  const offset = new Date(answer.now).getTimezoneOffset();
  const yours = face && offset !== 0 ? `${formatDate(seconds, "{time}")} here` : null;
  controls.time.textContent = face ? answer.label : own;
  controls.time.title = formatDate(seconds, "{date_long} {time_secs} {zone}");
  controls.label.textContent = [face ? yours : answer.label, speed].filter(Boolean).join(" · ");
  for (const button of controls.buttons) {
    const set = /\/speed\/([\d.]+)$/.exec(button.dataset.post);
    if (set) button.setAttribute("aria-pressed", String(Number(set[1]) === answer.speed));
  }
}

async function poll(root) {
  try {
    draw(root, await api.clock());
    return true;
  } catch (error) {
    return error.code === "network";
  }
}

/** Show the bar when there is a demo clock, and refresh it each second. */
export async function startClock(root) {
  const there = await poll(root);
  if (there) setInterval(() => document.hidden || poll(root), 1000);
}
