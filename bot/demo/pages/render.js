// Block Kit as DOM nodes: the blocks that messages, modals and the home are made of.

import { ask } from "./dialogs.js";
import { el, emoji, everybody, group, link, mrkdwn, moment, person, place, textObject } from "./text.js";

// `use(element, value, node)` does what the person asked; `inputs` collects the fields of a modal.
export function blocks(list, use, inputs = null) {
  return (list ?? []).map((block) => {
    const draw = BLOCKS[block.type];
    const here = (e, ...rest) => use({ ...e, block_id: block.block_id }, ...rest);
    const node = draw ? draw(block, here, inputs) : el("pre", {}, JSON.stringify(block, null, 2));
    node.classList.add("block");
    node.dataset.blockId = block.block_id ?? "";
    return node;
  });
}

const BLOCKS = {
  header: (b) => el("h3", { class: "b-header" }, textObject(b.text)),
  divider: () => el("hr", {}),
  section: (b, use, inputs) =>
    el("div", { class: "b-section" },
      el("div", { class: "b-body" },
        b.text ? el("div", { class: "b-text" }, textObject(b.text)) : null,
        b.fields ? el("div", { class: "b-fields" }, b.fields.map((f) => el("div", {}, textObject(f)))) : null),
      b.accessory ? el("div", { class: "b-accessory" }, element(b.accessory, use, inputs)) : null),
  context: (b) =>
    el("div", { class: "b-context" },
      b.elements.map((e) => (e.type === "image" ? el("span", {}, `[${e.alt_text}]`) : textObject(e)))),
  actions: (b, use, inputs) => el("div", { class: "b-actions" }, b.elements.map((e) => element(e, use, inputs))),
  rich_text: (b) => el("div", { class: "b-rich" }, b.elements.map(richPart)),
  markdown: (b) => el("div", { class: "b-text" }, mrkdwn(b.text)),
  image: (b) => el("div", { class: "b-context" }, `[image: ${b.alt_text}]`),
  table: (b) => table(b),
  input: (b, use, inputs) => {
    const id = `in-${b.block_id}`;
    const field = element(b.element, use, inputs, id);
    return el("div", { class: "b-input" },
      el("label", { for: id }, textObject(b.label), b.optional ? el("span", { class: "dim" }, " (optional)") : null),
      field,
      b.hint ? el("p", { class: "dim" }, textObject(b.hint)) : null,
      el("p", { class: "fault", role: "alert", "data-fault": b.block_id }));
  },
};

function table(block) {
  const settings = block.column_settings ?? [];
  const cell = (tag) => (c, i) =>
    el(tag, { class: `${settings[i]?.align ?? "left"} ${settings[i]?.is_wrapped ? "wrap" : "nowrap"}`, scope: tag === "th" ? "col" : null },
      c.type === "rich_text" ? c.elements.map(richPart) : String(c.text ?? c.value ?? ""));
  const [head, ...rows] = block.rows;
  return el("div", { class: "b-table", tabindex: "0", role: "region", "aria-label": "Table" },
    el("table", {},
      el("thead", {}, el("tr", {}, head.map(cell("th")))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell("td")))))));
}

function richPart(part) {
  switch (part.type) {
    case "rich_text_list": {
      const props = { class: `indent-${part.indent ?? 0}`, start: part.offset ? part.offset + 1 : null };
      return el(part.style === "ordered" ? "ol" : "ul", props, part.elements.map((item) => el("li", {}, item.elements.map(richInline))));
    }
    case "rich_text_preformatted":
      return el("pre", { tabindex: "0" }, part.elements.map(richInline));
    case "rich_text_quote":
      return el("blockquote", {}, part.elements.map(richInline));
    default:
      return el("div", { class: "rich-line" }, part.elements.map(richInline));
  }
}

const STYLES = { code: "code", bold: "strong", italic: "em", strike: "s", underline: "u" };

function richInline(piece) {
  let node;
  switch (piece.type) {
    case "text": node = document.createTextNode(piece.text); break;
    case "link": node = link(piece.url, piece.text); break;
    case "user": node = person(piece.user_id); break;
    case "channel": node = place(piece.channel_id); break;
    case "usergroup": node = group(piece.usergroup_id, piece.usergroup_id); break;
    case "broadcast": node = everybody(piece.range); break;
    case "emoji": node = document.createTextNode(emoji(piece.name)); break;
    case "date": node = moment(piece.timestamp, piece.format, piece.fallback); break;
    default: node = document.createTextNode(piece.value ?? "");
  }
  for (const [style, tag] of Object.entries(STYLES)) if (piece.style?.[style]) node = el(tag, {}, node);
  return node;
}

function element(e, use, inputs, id) {
  if (e.type === "button") return button(e, use);
  if (e.type === "overflow") return overflow(e, use);
  if (e.type === "plain_text_input" || e.type.endsWith("_input")) return written(e, inputs, id);
  if (e.type === "radio_buttons" || e.type === "checkboxes") return ticks(e, use, inputs, id);
  if (["datepicker", "timepicker", "datetimepicker"].includes(e.type)) return picker(e, use, inputs, id);
  return select(e, use, inputs, id);
}

async function sure(e) {
  return !e.confirm || ask(e.confirm);
}

function button(e, use) {
  const node = el("button", { type: "button", class: `b-button ${e.style ?? ""}`, "aria-label": e.accessibility_label }, textObject(e.text));
  node.addEventListener("click", async () => {
    if (e.url && /^https?:/i.test(e.url)) window.open(e.url, "_blank", "noopener");
    if (await sure(e)) use(e, e.value, node);
  });
  return node;
}

function choices(e) {
  const option = (o) => el("option", { value: o.value }, o.text.text);
  if (!e.option_groups) return (e.options ?? []).map(option);
  return e.option_groups.map((g) => el("optgroup", { label: g.label.text }, g.options.map(option)));
}

// A menu fires when something is chosen, in a modal it also keeps what was chosen.
function select(e, use, inputs, id) {
  const several = e.type.startsWith("multi_");
  const label = e.placeholder?.text ?? "Choose";
  const node = el("select", { class: "b-select", id, multiple: several, "aria-label": id ? null : label });
  if (!several) node.append(el("option", { value: "" }, label));
  node.append(...choices(e));
  if (e.initial_option) node.value = e.initial_option.value;
  const value = () => (several ? [...node.selectedOptions].map((o) => o.value) : node.value || null);
  if (inputs) inputs.set(e.action_id, value);
  if (e.type === "external_select") fill(e, use, node);
  node.addEventListener("change", async () => {
    if (!several && !node.value) return;
    if (await sure(e)) use(e, value(), node);
    if (!inputs) node.value = "";
  });
  return node;
}

function fill(e, use, node) {
  node.addEventListener("focus", async () => {
    const { options = [] } = await use(e, "", node, "options");
    const first = node.firstElementChild;
    node.replaceChildren(first, ...choices({ options }));
  });
}

function overflow(e, use) {
  const node = el("select", { class: "b-select b-overflow", "aria-label": "More" }, el("option", { value: "" }, "⋯"), choices(e));
  node.addEventListener("change", async () => {
    const value = node.value;
    node.value = "";
    if (value && (await sure(e))) use(e, value, node);
  });
  return node;
}

function written(e, inputs, id) {
  const kinds = { number_input: "number", email_text_input: "email", url_text_input: "url" };
  const node = e.multiline ? el("textarea", { rows: 4, id }) : el("input", { type: kinds[e.type] ?? "text", id });
  node.value = e.initial_value ?? "";
  if (e.max_length) node.maxLength = e.max_length;
  node.placeholder = e.placeholder?.text ?? "";
  if (inputs) inputs.set(e.action_id, () => node.value || null);
  return node;
}

function picker(e, use, inputs, id) {
  const type = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" }[e.type];
  const node = el("input", { type, id, value: e.initial_date ?? e.initial_time });
  const value = () => (e.type === "datetimepicker" ? Math.floor(new Date(node.value) / 1000) : node.value || null);
  if (inputs) inputs.set(e.action_id, value);
  else node.addEventListener("change", () => use(e, value(), node));
  return node;
}

function ticks(e, use, inputs, id) {
  const type = e.type === "checkboxes" ? "checkbox" : "radio";
  const first = [e.initial_option, ...(e.initial_options ?? [])].filter(Boolean).map((o) => o.value);
  const boxes = e.options.map((o) => {
    const box = el("input", { type, name: `${id}-${e.action_id}`, value: o.value, checked: first.includes(o.value) });
    return [box, el("label", { class: "tick" }, box, textObject(o.text))];
  });
  const value = () => {
    const chosen = boxes.filter(([box]) => box.checked).map(([box]) => box.value);
    return type === "checkbox" ? chosen : chosen[0] ?? null;
  };
  if (inputs) inputs.set(e.action_id, value);
  else for (const [box] of boxes) box.addEventListener("change", () => use(e, value(), box));
  return el("div", { class: "ticks", role: "group", id }, boxes.map(([, label]) => label));
}
