// Modals, confirmations and the look at a message's JSON, in the browser's own dialog: focus stays inside, Escape closes.

import { el, textObject } from "./text.js";
import { blocks } from "./render.js";

function dialog(name, ...children) {
  const node = el("dialog", { class: name }, ...children);
  document.body.append(node);
  node.addEventListener("close", () => node.remove());
  node.showModal();
  return node;
}

export function ask(confirm) {
  return new Promise((resolve) => {
    const yes = el("button", { type: "button", class: `b-button ${confirm.style ?? "primary"}` }, textObject(confirm.confirm));
    const no = el("button", { type: "button", class: "b-button" }, textObject(confirm.deny));
    const node = dialog("confirm", el("h2", {}, textObject(confirm.title)), el("p", {}, textObject(confirm.text)), el("footer", {}, no, yes));
    yes.addEventListener("click", () => { resolve(true); node.close(); });
    no.addEventListener("click", () => node.close());
    node.addEventListener("close", () => resolve(false));
  });
}

export function showJson(value) {
  const text = JSON.stringify(value, null, 2);
  const close = el("button", { type: "button", class: "b-button" }, "Close");
  const copy = el("button", { type: "button", class: "b-button" }, "Copy");
  const node = dialog("json", el("h2", {}, "JSON of this message"), el("pre", { tabindex: "0" }, text), el("footer", {}, copy, close));
  close.addEventListener("click", () => node.close());
  copy.addEventListener("click", () => navigator.clipboard?.writeText(text));
}

let open = null;

// Draw the topmost modal, or none. A modal whose hash is unchanged keeps what was typed into it.
export function showModal(view, act) {
  if (open && view && open.view.id === view.id && open.view.hash === view.hash) return;
  if (open) {
    open.left = true;
    open.node.close();
    open = null;
  }
  if (!view) return;
  const inputs = new Map();
  const where = { id: view.id, is_view: true, user: view.user };
  const body = el("div", { class: "modal-body" }, blocks(view.blocks, (e, value, node, what) => act.use(where, e, value, node, what), inputs));
  const submit = view.submit ? el("button", { type: "submit", class: "b-button primary" }, textObject(view.submit)) : null;
  const cancel = el("button", { type: "button", class: "b-button" }, view.close ? textObject(view.close) : view.submit ? "Cancel" : "Close");
  const cross = el("button", { type: "button", class: "icon", "aria-label": "Close" }, "×");
  const form = el("form", {}, el("header", {}, el("h2", {}, textObject(view.title)), cross), body, el("footer", {}, cancel, submit));
  const node = dialog("modal", form);
  const mine = { view, node, left: false };
  open = mine;
  node.addEventListener("close", () => {
    if (mine.left) return;
    open = null;
    act.post({ what: "close", where });
  });
  cross.addEventListener("click", () => node.close());
  cancel.addEventListener("click", () => node.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...inputs].map(([name, value]) => [name, value()]));
    const told = await act.post({ what: "submit", where, values });
    for (const fault of form.querySelectorAll("[data-fault]")) fault.textContent = told.errors?.[fault.dataset.fault] ?? "";
  });
}
