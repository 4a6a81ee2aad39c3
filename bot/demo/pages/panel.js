// The contact centre beside the chat: recent calls, a call to place, and what can be broken.

import { el } from "./text.js";

let drawn = "";

// What is broken on purpose, above the messages, so that nobody forgets it or takes it for the bot's fault.
function broken(faults, mend) {
  const on = faults.filter((fault) => fault.on);
  const node = document.getElementById("broken");
  node.hidden = !on.length;
  if (on.length) node.replaceChildren(
    el("span", {}, el("strong", {}, "Broken on purpose: "), on.map((fault) => `${fault.label}. ${fault.effect}`).join(" ")),
    el("button", { type: "button", class: "quiet", onclick: () => mend(on) }, "Repair"));
}

export function startPanel(node, act) {
  const calls = el("ul", { class: "calls" });
  const scenario = el("select", { id: "scenario" });
  const number = el("input", { id: "number", type: "tel", value: "+15550142233", autocomplete: "off" });
  const form = el("form", {},
    el("label", { for: "scenario" }, "What happens"), scenario,
    el("label", { for: "number" }, "Caller's number"), number,
    el("button", { type: "submit", class: "b-button primary" }, "Place the call"));
  const faults = el("div", { class: "switches" });
  const now = el("p", { class: "now", role: "status" });
  const refused = el("ul", { class: "refused" }, el("li", { class: "dim" }, "Nothing so far."));
  node.append(
    el("h2", {}, "Contact centre"), now,
    el("section", {}, el("h3", {}, "Recent calls"), calls),
    el("section", {}, el("h3", {}, "Place a call"), form),
    el("section", {}, el("h3", {}, "Break something"), faults),
    el("section", {}, el("h3", {}, "What Slack refused"), refused));
  let known = "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = await act.post({ what: "place", scenario: scenario.value, number: number.value });
    if (!told.error) act.toast(`A call from ${number.value} was placed.`);
    refresh();
  });

  async function refresh() {
    const answer = await fetch("/panel").then((r) => r.json()).catch(() => null);
    if (!answer || !answer.scenarios) return;
    const state = JSON.stringify(answer);
    if (state === drawn) return;
    drawn = state;
    if (known !== JSON.stringify(answer.scenarios)) {
      known = JSON.stringify(answer.scenarios);
      scenario.replaceChildren(...Object.entries(answer.scenarios).map(([group, some]) =>
        el("optgroup", { label: group }, Object.entries(some).map(([name, about]) => el("option", { value: name }, about.slice(0, 1).toUpperCase() + about.slice(1))))));
    }
    now.textContent = answer.now || "All is well.";
    now.classList.toggle("bad", Boolean(answer.now));
    calls.replaceChildren(...answer.calls.map((call) =>
      el("li", { class: call.failed ? "failed" : "" },
        el("button", { type: "button", title: "Ask the bot about this call", onclick: () => act.type(call.number ? `/handover ${call.number}` : `/handover id ${call.id}`) },
          el("span", { class: "number" }, call.number || "no number"),
          el("span", { class: "what", title: call.state }, call.state),
          el("span", { class: "when" }, call.at ? new Date(call.at).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }) : "")))));
    broken(answer.faults, mend);
    if (faults.contains(document.activeElement) && faults.childElementCount === answer.faults.length) {
      answer.faults.forEach((fault, i) => { faults.children[i].querySelector("input").checked = fault.on; });
      return;
    }
    faults.replaceChildren(...answer.faults.map((fault) => {
      const box = el("input", { type: "checkbox", role: "switch", checked: fault.on });
      box.addEventListener("change", async () => { await act.post({ what: "fault", name: fault.name, on: box.checked }); refresh(); });
      return el("label", { class: "switch" }, box, el("span", { class: "track", "aria-hidden": "true" }), fault.label);
    }));
  }

  async function mend(faults) {
    for (const fault of faults) await act.post({ what: "fault", name: fault.name, on: false });
    refresh();
  }

  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, 2000);
  return {
    refused(change) {
      if (refused.firstElementChild?.classList.contains("dim")) refused.replaceChildren();
      const pointers = (change.pointers ?? []).map((p) => el("div", { class: "pointer" }, p));
      refused.prepend(el("li", {}, el("code", {}, change.method), ` ${change.error}`, pointers));
      while (refused.children.length > 8) refused.lastElementChild.remove();
    },
  };
}
