// Slack's text forms as DOM nodes. Everything becomes a text node or a known element; nothing is ever parsed as HTML.

export const names = { users: {}, channels: {}, groups: {} };

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const EMOJI = {
  red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", large_orange_circle: "🟠", white_circle: "⚪",
  white_check_mark: "✅", heavy_check_mark: "✔️", warning: "⚠️", x: "❌", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  rotating_light: "🚨", bell: "🔔", no_bell: "🔕", mag: "🔍", telephone_receiver: "📞", phone: "☎️", robot_face: "🤖",
  information_source: "ℹ️", eyes: "👀", tada: "🎉", wave: "👋", large_blue_circle: "🔵", question: "❓", lock: "🔒",
};

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// Only these may be followed; anything else is shown as the text that it is.
export function link(url, text) {
  const shown = text || url.replace(/^(mailto|tel):/, "");
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(url)) return document.createTextNode(text ? `<${url}|${text}>` : `<${url}>`);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, shown);
}

const mention = (text, loud = false) => el("span", { class: loud ? "mention loud" : "mention" }, text);
export const person = (id, name) => mention(`@${names.users[id]?.name ?? name ?? id}`);
export const place = (id, name) => mention(`#${names.channels[id]?.name ?? name ?? id}`);
export const group = (id, name) => mention(`@${names.groups[id] ?? (name || id).replace(/^@/, "")}`, true);
export const everybody = (range) => mention(`@${range}`, true);

const zoned = (options) => (date) => new Intl.DateTimeFormat(undefined, options).format(date);
const DAY = { day: "numeric", month: "long", year: "numeric" };
const TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`,
  date: zoned(DAY),
  date_short: zoned({ ...DAY, month: "short" }),
  date_long: zoned({ ...DAY, weekday: "long" }),
  time: zoned({ hour: "numeric", minute: "2-digit" }),
  time_secs: zoned({ hour: "numeric", minute: "2-digit", second: "2-digit" }),
  day_divider_pretty: zoned({ weekday: "long", day: "numeric", month: "long" }),
};
for (const name of ["date", "date_short", "date_long"]) {
  TOKENS[`${name}_pretty`] = (d) => near(d) ?? TOKENS[name](d);
}
TOKENS.ago = (d) => {
  const minutes = Math.round((Date.now() - d) / 60000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (Math.abs(minutes) < 60) return words.format(-minutes, "minute");
  return Math.abs(minutes) < 1440 ? words.format(-Math.round(minutes / 60), "hour") : words.format(-Math.round(minutes / 1440), "day");
};

function near(date) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate());
  const days = Math.round((midnight(date) - midnight(new Date())) / 86400000);
  return { 0: "today", 1: "tomorrow", "-1": "yesterday" }[days];
}

// A moment in the reader's own zone, as Slack's date elements show it.
export function moment(timestamp, format, fallback) {
  const date = new Date(timestamp * 1000);
  if (Number.isNaN(date.getTime())) return document.createTextNode(fallback ?? "");
  const text = format.replace(/\{(\w+)\}/g, (whole, token) => (TOKENS[token] ? TOKENS[token](date) : whole));
  return el("time", { datetime: date.toISOString(), title: date.toString() }, text);
}

function angled(inside) {
  const [target, label] = inside.split(/\|(.*)/s);
  const text = label === undefined ? undefined : unescape(label);
  if (target.startsWith("@")) return person(target.slice(1), text);
  if (target.startsWith("#")) return place(target.slice(1), text);
  if (target.startsWith("!subteam^")) return group(target.slice(9), text);
  if (target.startsWith("!date^")) {
    const [, timestamp, format] = target.split("^");
    return moment(Number(timestamp), unescape(format ?? ""), text);
  }
  if (target.startsWith("!")) return everybody(target.slice(1));
  return link(unescape(target), text);
}

const INLINE = new RegExp(
  [
    "```\\n?([\\s\\S]+?)```", "`([^`\\n]+)`", "<([^<>\\n]+)>",
    "(?<![\\w*])\\*(?=[^\\s*])([^*\\n]*[^\\s*])\\*(?![\\w*])",
    "(?<![\\w_])_(?=[^\\s_])([^_\\n]*[^\\s_])_(?![\\w_])",
    "(?<![\\w~])~(?=[^\\s~])([^~\\n]*[^\\s~])~(?![\\w~])",
    ":([a-z0-9_+-]+):",
  ].join("|"),
  "g",
);

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > end) nodes.push(unescape(text.slice(end, found.index)));
    const [whole, pre, code, angle, bold, italic, strike, name] = found;
    if (pre !== undefined) nodes.push(el("pre", {}, unescape(pre)));
    else if (code !== undefined) nodes.push(el("code", {}, unescape(code)));
    else if (angle !== undefined) nodes.push(angled(angle));
    else if (bold !== undefined) nodes.push(el("strong", {}, inline(bold)));
    else if (italic !== undefined) nodes.push(el("em", {}, inline(italic)));
    else if (strike !== undefined) nodes.push(el("s", {}, inline(strike)));
    else nodes.push(EMOJI[name] ?? whole);
    end = found.index + whole.length;
  }
  if (end < text.length) nodes.push(unescape(text.slice(end)));
  return nodes;
}

// mrkdwn: quotes by line, the rest inline.
export function mrkdwn(text) {
  const box = el("div", { class: "mrkdwn" });
  let quote = [];
  let plain = [];
  const flush = () => {
    if (quote.length) box.append(el("blockquote", {}, inline(quote.join("\n"))));
    if (plain.length) box.append(el("span", {}, inline(plain.join("\n"))));
    quote = [];
    plain = [];
  };
  let inCode = false;
  for (const line of text.split("\n")) {
    const quoted = !inCode && line.startsWith("&gt;");
    if (quoted ? plain.length : quote.length) flush();
    (quoted ? quote : plain).push(quoted ? line.slice(4).replace(/^ /, "") : line);
    if ((line.match(/```/g) ?? []).length % 2) inCode = !inCode;
  }
  flush();
  return box;
}

export function textObject(object) {
  if (object?.type === "mrkdwn") return mrkdwn(object.text ?? "");
  const text = object?.text ?? "";
  return el("span", { class: "plain" }, object?.emoji === false ? text : text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole));
}
