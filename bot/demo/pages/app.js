// The page: channels, messages, threads, the composer. State comes from /state and /messages, changes from /poll.

import { showJson, showModal } from "./dialogs.js";
import { startPanel } from "./panel.js";
import { blocks } from "./render.js";
import { startSteps } from "./steps.js";
import { el, mrkdwn, names } from "./text.js";

const $ = (id) => document.getElementById(id);
const list = $("messages");
const scroll = $("scroll");
const input = $("composer-text");
const state = { version: 0, me: "", at: null, thread: null, home: null, commands: [], sent: [], back: 0 };

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function post(wish) {
  const told = await fetch("/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish) })
    .then((r) => r.json())
    .catch(() => ({ error: "The workspace does not answer; is the demo still running?" }));
  if (told.error && wish.what !== "command") toast(`That did not work: ${told.error}`, true);
  return told;
}

function toast(text, bad = false) {
  const node = el("div", { class: bad ? "toast bad" : "toast" }, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), 6000);
}

async function use(where, e, value, node, what = "use") {
  if (what === "options") return post({ what, where, action_id: e.action_id, query: value });
  node.setAttribute("aria-busy", "true");
  node.disabled = true;
  const told = await post({ what, where, action_id: e.action_id, block_id: e.block_id, value });
  node.disabled = false;
  node.removeAttribute("aria-busy");
  return told;
}

const act = {
  post,
  toast,
  use,
  type: (text) => {
    document.body.classList.remove("panel");
    send(text);
  },
};

// ---- messages

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dateOf = (ts) => new Date(Number(ts) * 1000);

function author(message) {
  if (message.user === "USLACKBOT") return { name: "Slackbot", bot: true, mark: "S" };
  const user = names.users[message.user];
  const name = user?.real ?? message.username ?? message.user ?? "unknown";
  return { name, bot: Boolean(message.bot_id), mark: name.slice(0, 1).toUpperCase() };
}

function draw(message, inThread = false) {
  const who = author(message);
  const where = { channel: message.channel, ts: message.ts };
  const body = message.blocks?.length
    ? blocks(message.blocks, (e, value, node, what) => use(where, e, value, node, what))
    : [mrkdwn(message.text ?? "")];
  const tools = el("div", { class: "tools" },
    inThread || message.is_ephemeral ? null : el("button", { type: "button", onclick: () => openThread(message.channel, message.thread_ts ?? message.ts) }, "Reply"),
    el("button", { type: "button", onclick: () => showJson(message), "aria-label": "View the JSON of this message" }, "JSON"),
    message.is_ephemeral ? el("button", { type: "button", onclick: () => post({ what: "dismiss", ...where }) }, "Dismiss") : null);
  const replies = !inThread && message.reply_count && message.thread_ts === message.ts
    ? el("button", { type: "button", class: "replies", onclick: () => openThread(message.channel, message.ts) },
        `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`)
    : null;
  return el("article", { class: `message${message.is_ephemeral ? " ephemeral" : ""}${who.bot ? " bot" : ""}`, "data-ts": message.ts, "aria-label": `${who.name}, ${clock.format(dateOf(message.ts))}` },
    el("span", { class: "face", "aria-hidden": "true" }, who.mark),
    el("div", { class: "content" },
      message.is_ephemeral ? el("p", { class: "only" }, "Only visible to you") : null,
      message.subtype === "thread_broadcast" && !inThread
        ? el("p", { class: "only" }, "Replied to a thread · ", el("button", { type: "button", class: "replies", onclick: () => openThread(message.channel, message.thread_ts) }, "open it"))
        : null,
      el("p", { class: "who" }, el("strong", {}, who.name), who.bot ? el("span", { class: "app" }, "APP") : null,
        el("time", { datetime: dateOf(message.ts).toISOString(), title: dateOf(message.ts).toString() }, clock.format(dateOf(message.ts)))),
      el("div", { class: "body" }, body, message.edited ? el("span", { class: "edited" }, "(edited)") : null),
      replies),
    tools);
}

const divider = (text) => el("div", { class: "day", "data-day": text }, el("span", {}, text));
const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
const toEnd = () => { pinned = true; held = false; scroll.scrollTop = scroll.scrollHeight; $("newer").hidden = true; };
// Of an answer that is longer than the view, the beginning tells more than the end.
function tall(node) {
  node.style.contentVisibility = "visible"; // else its height is only a guess
  const height = node.offsetHeight;
  node.style.contentVisibility = "";
  return height > scroll.clientHeight;
}
const toTop = (node) => { pinned = false; held = true; node.scrollIntoView({ block: "start" }); };
// Heights are known only once a message was drawn: whoever is at the end stays there while they settle.
let pinned = true;
// Whoever reads the beginning of an answer stays there, also where its end is near, until they scroll or type.
let held = false;
let latest = null; // the newest message, if the bot wrote it
const settle = () => (latest?.isConnected && tall(latest) ? toTop(latest) : toEnd());
new ResizeObserver(() => { if (pinned && state.at !== "home") settle(); }).observe(list);
const belongs = (m) => m.channel === state.at && (!m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast");

function place(message) {
  const stay = pinned || (!held && atEnd());
  const old = list.querySelector(`[data-ts="${CSS.escape(message.ts)}"]`);
  const node = draw(message);
  if (!old || old === latest) latest = message.bot_id ? node : null;
  if (old) old.replaceWith(node);
  else {
    const label = day.format(dateOf(message.ts));
    const days = list.querySelectorAll("[data-day]");
    if (days[days.length - 1]?.dataset.day !== label) list.append(divider(label));
    node.classList.add("fresh");
    list.append(node);
  }
  if (stay) settle();
  else if (!old) $("newer").hidden = false;
}

async function more() {
  const first = list.querySelector("[data-ts]");
  const answer = await get(`/messages?channel=${encodeURIComponent(state.at)}&before=${first?.dataset.ts ?? ""}`);
  const height = scroll.scrollHeight;
  fill(answer, true);
  scroll.scrollTop += scroll.scrollHeight - height;
}

function fill(answer, before = false) {
  list.querySelector(".earlier")?.remove();
  const nodes = [];
  let last = "";
  for (const message of answer.messages) {
    const label = day.format(dateOf(message.ts));
    if (label !== last) nodes.push(divider(label));
    last = label;
    nodes.push(draw(message));
  }
  if (before && list.firstElementChild?.dataset.day === last) list.firstElementChild.remove();
  if (answer.more) nodes.unshift(el("button", { type: "button", class: "earlier", onclick: more }, "Earlier messages"));
  list.prepend(...nodes);
}

async function show(channel) {
  state.at = channel;
  closeThread();
  const info = names.channels[channel];
  $("title").textContent = info.im ? "Handover" : `${info.private ? "🔒" : "#"} ${info.name}`;
  document.title = `${info.name} · Handover demo`;
  $("composer").hidden = false;
  $("hint").textContent = "";
  tabs(info.im ? "messages" : "");
  mark();
  const answer = await get(`/messages?channel=${encodeURIComponent(channel)}`);
  if (state.at !== channel) return;
  list.replaceChildren();
  fill(answer);
  if (!answer.messages.length) list.append(el("p", { class: "empty" }, info.im ? "Messages from Handover come here." : `This is the beginning of #${info.name}.`));
  toEnd();
}

function mark() {
  for (const button of document.querySelectorAll(".place")) {
    const here = button.dataset.home ? state.at === "home" || names.channels[state.at]?.im : button.dataset.channel === state.at;
    button.setAttribute("aria-current", here ? "page" : "false");
    if (here) count(button, 0);
  }
  document.body.classList.remove("menu");
  $("menu").setAttribute("aria-expanded", "false");
}

function count(button, number) {
  const badge = button.querySelector(".count");
  badge.textContent = number || "";
  badge.hidden = !number;
}

// ---- home

// The app has two faces: its home, and the direct messages with it as soon as there are any.
function tabs(at) {
  const direct = Object.values(names.channels).find((c) => c.im);
  const tab = (name, text, open) => el("button", { type: "button", class: "tab", "aria-current": at === name ? "page" : "false", onclick: open }, text);
  $("tabs").replaceChildren(...(at && direct ? [tab("home", "Home", showHome), tab("messages", "Messages", () => show(direct.id))] : []));
}

function showHome() {
  state.at = "home";
  scroll.scrollTop = 0;
  closeThread();
  $("title").textContent = "Handover";
  $("composer").hidden = true;
  tabs("home");
  mark();
  drawHome();
  post({ what: "home" });
}

function drawHome() {
  if (state.at !== "home") return;
  const where = state.home && { id: state.home.id, is_view: true };
  list.replaceChildren(el("div", { class: "home" },
    state.home ? blocks(state.home.blocks, (e, value, node, what) => use(where, e, value, node, what)) : el("p", { class: "empty" }, "Handover is preparing its home …")));
}

// ---- threads

async function openThread(channel, ts) {
  state.thread = { channel, ts };
  const pane = $("thread");
  const box = el("div", { class: "thread-list", tabindex: "0", "aria-label": "Replies" });
  const text = el("textarea", { id: "thread-text", rows: "1", placeholder: "Reply" });
  const reply = el("form", { class: "thread-form" }, el("label", { class: "hidden", for: "thread-text" }, "Reply"), text, el("button", { type: "submit", class: "send" }, "Send"));
  const submit = async (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    if (words.startsWith("/")) return toast("Commands do not work in threads; that is so in Slack too.", true);
    text.value = "";
    await post({ what: "say", channel, text: words, thread_ts: ts });
  };
  reply.addEventListener("submit", submit);
  text.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey) submit(event); });
  pane.replaceChildren(
    el("header", {}, el("h2", {}, "Thread"), el("button", { type: "button", class: "icon", "aria-label": "Close the thread", onclick: closeThread }, "×")),
    box, reply);
  pane.hidden = false;
  document.body.classList.add("threaded");
  await drawThread();
  text.focus();
}

async function drawThread() {
  if (!state.thread) return;
  const { channel, ts } = state.thread;
  const answer = await get(`/thread?channel=${encodeURIComponent(channel)}&ts=${ts}`).catch(() => null);
  const box = $("thread").querySelector(".thread-list");
  if (!answer || !box) return closeThread();
  box.replaceChildren(...answer.messages.map((m) => draw(m, true)));
  box.scrollTop = box.scrollHeight;
}

function closeThread() {
  state.thread = null;
  $("thread").hidden = true;
  $("thread").replaceChildren();
  document.body.classList.remove("threaded");
}

// ---- composer

async function send(text) {
  const words = text.trim();
  if (!words) return;
  if (state.at === "home") await show(Object.keys(names.channels)[0]);
  state.sent.push(words);
  state.back = 0;
  toEnd();
  const known = state.commands.find((c) => words === c.command || words.startsWith(`${c.command} `));
  if (known) {
    $("hint").textContent = "Sent to Handover …";
    const told = await post({ what: "command", command: known.command, text: words.slice(known.command.length).trim(), channel: state.at });
    $("hint").textContent = told.error ? "" : `Acknowledged in ${Math.round(told.seconds * 1000)} ms`;
    if (told.error?.includes(" ")) toast(told.error, true);
  } else if (words.startsWith("/")) {
    toast(`${words.split(" ")[0]} is not a command here. Try /handover help.`, true);
  } else {
    await post({ what: "say", channel: state.at, text: words });
  }
}

function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
  const box = $("suggestions");
  const found = input.value.startsWith("/") && !input.value.includes("\n")
    ? state.commands.filter((c) => c.command.startsWith(input.value.split(" ")[0]))
    : [];
  box.hidden = !found.length;
  box.replaceChildren(...found.map((c) => el("li", { role: "option", "aria-selected": "true", onmousedown: (event) => { event.preventDefault(); complete(c); } },
    el("strong", {}, c.command), el("span", { class: "usage" }, c.hint), el("span", { class: "dim" }, c.about))));
}

function complete(command) {
  if (!input.value.startsWith(`${command.command} `)) input.value = `${command.command} `;
  input.focus();
  grow();
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value;
  input.value = "";
  grow();
  send(text);
});
input.addEventListener("input", grow);
input.addEventListener("blur", () => { $("suggestions").hidden = true; });
input.addEventListener("focus", grow);
input.addEventListener("keydown", (event) => {
  const open = !$("suggestions").hidden;
  const command = open && state.commands.find((c) => c.command.startsWith(input.value.split(" ")[0]));
  const partial = command && input.value.length <= command.command.length && input.value !== command.command;
  if (event.key === "Tab" && command && !event.shiftKey && !input.value.includes(" ")) {
    event.preventDefault();
    complete(command);
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (partial) complete(command);
    else $("composer").requestSubmit();
  } else if (event.key === "Escape") $("suggestions").hidden = true;
  else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && state.sent.length && (!input.value || state.back)) {
    event.preventDefault();
    state.back = Math.min(Math.max(state.back + (event.key === "ArrowUp" ? 1 : -1), 0), state.sent.length);
    input.value = state.back ? state.sent[state.sent.length - state.back] : "";
    grow();
  }
});

// ---- what happens meanwhile

function happened(change) {
  if (change.kind === "message" && change.message) {
    const message = change.message;
    if (belongs(message)) {
      list.querySelector(".empty")?.remove();
      place(message);
    } else if (message.channel !== state.at && change.new && message.user !== state.me) {
      const info = names.channels[message.channel];
      const button = document.querySelector(info?.im ? "[data-home]" : `[data-channel="${CSS.escape(message.channel)}"]`);
      if (button) count(button, Number(button.querySelector(".count").textContent || 0) + 1);
    }
    if (state.thread && (message.thread_ts === state.thread.ts || message.ts === state.thread.ts)) drawThread();
  } else if (change.kind === "removed" && change.channel === state.at) {
    list.querySelector(`[data-ts="${CSS.escape(change.ts)}"]`)?.remove();
  } else if (change.kind === "home") {
    state.home = change.view;
    drawHome();
  } else if (change.kind === "modal") showModal(change.view, act);
  else if (change.kind === "channels") {
    learn(change.channels);
    if (state.at === "home") tabs("home");
  }
  else if (change.kind === "refused") panel?.refused(change);
}

function learn(channels) {
  for (const channel of channels) {
    if (!names.channels[channel.id] && !channel.im && !document.querySelector(`[data-channel="${CSS.escape(channel.id)}"]`)) {
      const button = el("button", { type: "button", class: "place", "data-channel": channel.id },
        el("span", { class: "hash", "aria-hidden": "true" }, channel.private ? "🔒" : "#"), el("span", { class: "name" }, channel.name), el("span", { class: "count", hidden: true }));
      button.addEventListener("click", () => show(channel.id));
      $("channels").append(el("li", {}, button));
    }
    names.channels[channel.id] = channel;
  }
}

async function overview() {
  const now = await get("/state");
  Object.assign(state, { version: now.version, me: now.me, home: now.home, commands: now.commands });
  names.users = now.users;
  names.groups = now.groups;
  learn(now.channels);
  showModal(now.modal, act);
}

async function poll() {
  for (;;) {
    try {
      const answer = await get(`/poll?since=${state.version}`);
      document.body.classList.remove("offline");
      if (answer.reset) {
        await overview();
        if (state.at !== "home") await show(state.at);
      } else {
        state.version = answer.version;
        for (const change of answer.changes) happened(change);
      }
    } catch {
      document.body.classList.add("offline");
      $("hint").textContent = "The workspace does not answer. Trying again …";
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
  }
}

let panel = null;
let before = 0;

for (const button of document.querySelectorAll(".place")) {
  button.addEventListener("click", () => (button.dataset.home ? showHome() : show(button.dataset.channel)));
}
$("menu").addEventListener("click", () => $("menu").setAttribute("aria-expanded", String(document.body.classList.toggle("menu"))));
$("newer").addEventListener("click", toEnd);
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) scroll.addEventListener(kind, () => requestAnimationFrame(() => { held = false; pinned = atEnd(); }), { passive: true });
scroll.addEventListener("scroll", () => {
  if (atEnd()) $("newer").hidden = true;
  else if (scroll.scrollTop < before) pinned = false;
  before = scroll.scrollTop;
}, { passive: true });
startSteps($("steps"), $("steps-toggle"), async ({ text, channel, place }) => {
  if (channel && state.at !== channel) await show(channel);
  if (!place) return send(text);
  const told = await post({ what: "place_some", calls: place });
  if (!told.error) toast("Three callers are on the phone. The alert comes as soon as the first has hung up.");
});
$("panel-toggle").addEventListener("click", () => {
  document.body.classList.toggle("no-panel");
  document.body.classList.toggle("panel");
  $("panel-toggle").setAttribute("aria-expanded", String(Boolean($("panel").offsetParent)));
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && state.thread && !document.querySelector("dialog")) closeThread(); });

await overview();
if (!$("panel").hidden) panel = startPanel($("panel"), act);
await show(Object.keys(names.channels)[0]);
input.focus();
poll();
