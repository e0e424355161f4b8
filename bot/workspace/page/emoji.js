// Emoji shortcodes that are common in operations channels, and shapes that we draw ourselves:
// a bare Linux has no colour emoji font, and the state of an incident must be seen everywhere.

import { h } from "./dom.js";

const TABLE = {
  // states
  red_circle: "🔴", large_orange_circle: "🟠", orange_circle: "🟠", large_yellow_circle: "🟡",
  yellow_circle: "🟡", large_green_circle: "🟢", green_circle: "🟢", large_blue_circle: "🔵",
  blue_circle: "🔵", large_purple_circle: "🟣", purple_circle: "🟣", white_circle: "⚪",
  black_circle: "⚫", large_brown_circle: "🟤", white_check_mark: "✅", heavy_check_mark: "✔️",
  ballot_box_with_check: "☑️", x: "❌", negative_squared_cross_mark: "❎", warning: "⚠️",
  no_entry: "⛔", no_entry_sign: "🚫", rotating_light: "🚨", exclamation: "❗",
  heavy_exclamation_mark: "❗", question: "❓", grey_question: "❔", bangbang: "‼️",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰",
  clock1: "🕐", zzz: "💤", information_source: "ℹ️", sos: "🆘", new: "🆕", ok: "🆗",
  large_green_square: "🟩", large_red_square: "🟥", large_yellow_square: "🟨",
  // people and gestures
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", wave: "👋", pray: "🙏",
  clap: "👏", raised_hands: "🙌", muscle: "💪", ok_hand: "👌", point_right: "👉",
  point_left: "👈", point_up: "☝️", point_down: "👇", raised_hand: "✋", handshake: "🤝",
  shrug: "🤷", facepalm: "🤦", bow: "🙇", salute: "🫡",
  smile: "😄", smiley: "😃", grinning: "😀", slightly_smiling_face: "🙂", wink: "😉", joy: "😂",
  sweat_smile: "😅", thinking_face: "🤔", thinking: "🤔", neutral_face: "😐", confused: "😕",
  worried: "😟", cry: "😢", sob: "😭", scream: "😱", sleeping: "😴", sunglasses: "😎",
  heart_eyes: "😍", tired_face: "😫", exploding_head: "🤯", robot_face: "🤖", ghost: "👻",
  skull: "💀", partying_face: "🥳", face_with_monocle: "🧐", relieved: "😌", upside_down_face: "🙃",
  // things
  heart: "❤️", fire: "🔥", tada: "🎉", rocket: "🚀", sparkles: "✨", star: "⭐", star2: "🌟",
  zap: "⚡", boom: "💥", bulb: "💡", mag: "🔍", mag_right: "🔎", microscope: "🔬", telescope: "🔭",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊",
  clipboard: "📋", memo: "📝", pencil: "📝", pencil2: "✏️", book: "📖", books: "📚",
  bookmark: "🔖", link: "🔗", paperclip: "📎", pushpin: "📌", round_pushpin: "📍",
  calendar: "📆", date: "📅", bell: "🔔", no_bell: "🔕", loudspeaker: "📢", mega: "📣",
  speech_balloon: "💬", thought_balloon: "💭", email: "✉️", phone: "☎️", telephone_receiver: "📞",
  pager: "📟", satellite: "📡", satellite_antenna: "📡", computer: "💻", desktop_computer: "🖥️",
  floppy_disk: "💾", file_folder: "📁", open_file_folder: "📂", package: "📦", lock: "🔒",
  unlock: "🔓", key: "🔑", wrench: "🔧", hammer: "🔨", hammer_and_wrench: "🛠️", gear: "⚙️",
  nut_and_bolt: "🔩", toolbox: "🧰", test_tube: "🧪", brain: "🧠", shield: "🛡️", bug: "🐛",
  construction: "🚧", triangular_flag_on_post: "🚩", white_flag: "🏳️", checkered_flag: "🏁",
  dart: "🎯", trophy: "🏆", crystal_ball: "🔮", game_die: "🎲", jigsaw: "🧩", thermometer: "🌡️",
  airplane: "✈️", airplane_departure: "🛫", airplane_arriving: "🛬", ambulance: "🚑",
  fire_engine: "🚒", ship: "🚢", car: "🚗", coffee: "☕", pizza: "🍕", beers: "🍻", cake: "🍰",
  eagle: "🦅", owl: "🦉", dog: "🐶", cat: "🐱", whale: "🐳", bee: "🐝", snail: "🐌", turtle: "🐢",
  seedling: "🌱", evergreen_tree: "🌲", deciduous_tree: "🌳", herb: "🌿",
  sunny: "☀️", cloud: "☁️", thunder_cloud_and_rain: "⛈️", rain_cloud: "🌧️", snowflake: "❄️",
  tornado: "🌪️", fog: "🌫️", ocean: "🌊", crescent_moon: "🌙", earth_africa: "🌍",
  // arrows and signs
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️",
  arrow_upper_right: "↗️", arrow_lower_right: "↘️", arrows_counterclockwise: "🔄", repeat: "🔁",
  rewind: "⏪", fast_forward: "⏩", arrow_forward: "▶️", black_square_for_stop: "⏹️",
  double_vertical_bar: "⏸️", twisted_rightwards_arrows: "🔀", leftwards_arrow_with_hook: "↩️",
  arrow_right_hook: "↪️", heavy_plus_sign: "➕", heavy_minus_sign: "➖", infinity: "♾️",
  one: "1️⃣", two: "2️⃣", three: "3️⃣", four: "4️⃣", five: "5️⃣", six: "6️⃣", seven: "7️⃣",
  eight: "8️⃣", nine: "9️⃣", keycap_ten: "🔟", "100": "💯",
};

const DRAWN = {
  "🔴": "dot red", "🟠": "dot orange", "🟡": "dot yellow", "🟢": "dot green", "🔵": "dot blue",
  "🟣": "dot purple", "🟤": "dot brown", "⚪": "dot white", "⚫": "dot black",
  "🟥": "square red", "🟧": "square orange", "🟨": "square yellow", "🟩": "square green",
  "🟦": "square blue", "🟪": "square purple", "✅": "sign check", "❌": "sign cross",
};
const DRAWN_PATTERN = new RegExp(`(${Object.keys(DRAWN).join("|")})`, "u");

/** The character of a shortcode (skin tones are dropped), or null when we do not know it. */
export function emojiFor(name) {
  return TABLE[name.split("::")[0]] ?? null;
}

/** Names for the reaction picker, most used first. */
export const PICKER = [
  "+1", "eyes", "white_check_mark", "x", "tada", "pray", "heart", "fire", "rotating_light",
  "thinking_face", "wave", "raised_hands", "100", "warning", "rocket", "bulb", "mag", "hourglass",
  "joy", "sob", "clap", "muscle", "question", "coffee",
];

/** Every name that starts with (or contains) `text`, at most `limit`. */
export function emojiNames(text, limit = 24) {
  const names = Object.keys(TABLE);
  const starts = names.filter((name) => name.startsWith(text));
  const holds = names.filter((name) => !name.startsWith(text) && name.includes(text));
  return [...starts, ...holds].slice(0, limit);
}

/** One emoji character as a node: drawn when we have a shape for it, else text. */
export function emojiNode(char, name = null) {
  const shape = DRAWN[char];
  const label = name ? `:${name}:` : null;
  if (!shape) return h("span", { class: "emoji", title: label }, char);
  const node = h("span", { class: `emoji drawn ${shape}`, title: label }, h("span", {}, char));
  return node;
}

/** A shortcode as a node; an unknown one stays as it was typed. */
export function shortcodeNode(name) {
  const char = emojiFor(name);
  return char ? emojiNode(char, name) : document.createTextNode(`:${name}:`);
}

/** Plain text as nodes, with our drawn shapes in place of their characters. */
export function textNodes(text) {
  return text
    .split(DRAWN_PATTERN)
    .filter((part) => part !== "")
    .map((part) => (DRAWN[part] ? emojiNode(part) : document.createTextNode(part)));
}

/** Plain text (no mrkdwn) with shortcodes turned into emoji and line breaks kept. */
export function plainNodes(text, emoji = true) {
  if (!emoji) return textNodes(text ?? "");
  const nodes = [];
  for (const part of (text ?? "").split(/(:[a-z0-9_+'-]+:)/)) {
    const known = /^:(.+):$/.exec(part);
    if (known && emojiFor(known[1])) nodes.push(shortcodeNode(known[1]));
    else nodes.push(...textNodes(part));
  }
  return nodes;
}
