// The card of first steps. Once a step was taken it makes room: one line with the next step, the rest behind a button.

import { el } from "./text.js";

const KEY = "handover-demo-steps";

export function startSteps(card, toggle, take) {
  const rows = [...card.querySelectorAll("li")];
  const more = card.querySelector("#steps-more");
  const progress = card.querySelector("#steps-progress");
  const done = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
  let slim = done.size > 0;

  function draw() {
    const next = rows.findIndex((_, i) => !done.has(i));
    rows.forEach((row, i) => {
      row.classList.toggle("next", i === next);
      row.classList.toggle("done", done.has(i));
      row.querySelector(".tick").replaceChildren(done.has(i) ? el("span", { "aria-label": "done" }, "✓") : String(i + 1));
    });
    const over = next < 0;
    card.classList.toggle("slim", slim);
    card.classList.toggle("over", over);
    card.setAttribute("aria-label", over ? "First steps, all done" : `First steps, ${done.size} of ${rows.length} done`);
    progress.textContent = over ? "All done. The rest is yours to try." : `${done.size} of ${rows.length}`;
    progress.hidden = done.size === 0;
    more.textContent = slim ? "Show all" : "Show less";
    more.setAttribute("aria-expanded", String(!slim));
    toggle.setAttribute("aria-expanded", String(!card.hidden));
    return rows[next];
  }

  rows.forEach((row, i) => {
    const button = row.querySelector("button");
    row.prepend(el("span", { class: "tick" }));
    button.addEventListener("click", (event) => {
      done.add(i);
      sessionStorage.setItem(KEY, JSON.stringify([...done]));
      slim = true;
      const next = draw();
      if (event.detail === 0) (next?.querySelector("button") ?? more).focus();
      take(button.dataset);
    });
  });
  more.addEventListener("click", () => { slim = !slim; draw(); });
  card.querySelector("#steps-close").addEventListener("click", () => { card.hidden = true; draw(); toggle.focus(); });
  toggle.addEventListener("click", () => {
    if (card.hidden) [card.hidden, slim] = [false, false];
    else card.hidden = true;
    draw();
  });
  draw();
}
