// Dates as Slack's `<!date^…>` shows them, in the reader's own time zone and language.

/** The clock that "today" and "yesterday" refer to: the demo's, when there is one. */
export const clock = { now: () => new Date() };

function part(date, options) {
  return new Intl.DateTimeFormat(undefined, options).format(date);
}

/** Whole days from `date` back to the clock's day, or null when it is not near. */
function daysAgo(date, now = clock.now()) {
  const day = (value) => new Date(value.getFullYear(), value.getMonth(), value.getDate()).getTime();
  return Math.round((day(now) - day(date)) / 86_400_000);
}

function pretty(date, otherwise) {
  const near = { 0: "today", 1: "yesterday", "-1": "tomorrow" }[daysAgo(date)];
  return near ?? otherwise;
}

function ago(date) {
  const seconds = (date.getTime() - clock.now().getTime()) / 1000;
  const units = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? units[3];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" })
    .format(Math.round(seconds / size), unit);
}

function yearIfOther(date, now = clock.now()) {
  return date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
}

const FORMATS = {
  date_num: (d) => [d.getFullYear(), d.getMonth() + 1, d.getDate()]
    .map((n) => String(n).padStart(2, "0")).join("-"),
  date_slash: (d) => part(d, { year: "numeric", month: "2-digit", day: "2-digit" }),
  date: (d) => part(d, { month: "long", day: "numeric", year: "numeric" }),
  date_short: (d) => part(d, { month: "short", day: "numeric", year: "numeric" }),
  date_long: (d) => part(d, { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  date_pretty: (d) => pretty(d, part(d, { month: "long", day: "numeric", ...yearIfOther(d) })),
  date_short_pretty: (d) => pretty(d, part(d, { month: "short", day: "numeric", ...yearIfOther(d) })),
  date_long_pretty: (d) =>
    pretty(d, part(d, { weekday: "long", month: "long", day: "numeric", ...yearIfOther(d) })),
  day_divider_pretty: (d) =>
    pretty(d, part(d, { weekday: "long", month: "long", day: "numeric", ...yearIfOther(d) })),
  time: (d) => part(d, { hour: "numeric", minute: "2-digit" }),
  time_secs: (d) => part(d, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago,
  zone: (d) => new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(d)
    .find((piece) => piece.type === "timeZoneName")?.value ?? "",
};

/** Seconds since 1970 in a Slack date format; null for an unknown placeholder or a bad number. */
export function formatDate(seconds, format) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return null;
  let known = true;
  const text = format.replace(/\{([a-z_]+)\}/g, (_all, name) => {
    if (!FORMATS[name]) known = false;
    return FORMATS[name]?.(date) ?? "";
  });
  return known ? text : null;
}

/** The same with a capital letter, for the beginning of a line. */
export function capital(text) {
  return text === null ? null : text.charAt(0).toUpperCase() + text.slice(1);
}

/** The time of a message, "14:05", from its ts. */
export function timeOf(ts) {
  return FORMATS.time(new Date(Number(ts) * 1000));
}

/** The full date and time of a message, for tooltips. */
export function fullTimeOf(ts) {
  return formatDate(Number(ts), "{date_long} {time_secs} {zone}") ?? "";
}

/** Messages may be dated by the demo's clock or by the real one: the nearer is meant. */
function nowFor(ts) {
  const far = (date) => Math.abs(date.getTime() / 1000 - Number(ts));
  return far(clock.now()) < far(new Date()) ? clock.now() : new Date();
}

/** The day of a message for the dividers. */
export function dayOf(ts) {
  const date = new Date(Number(ts) * 1000);
  const near = { 0: "Today", 1: "Yesterday" }[daysAgo(date, nowFor(ts))];
  return near ?? part(date, { weekday: "long", month: "long", day: "numeric", ...yearIfOther(date, nowFor(ts)) });
}

/** How long ago a message was, in a few characters. */
export function shortAgo(ts) {
  const seconds = Math.max(0, nowFor(ts).getTime() / 1000 - Number(ts));
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
