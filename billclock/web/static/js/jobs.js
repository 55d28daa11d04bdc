// The list of jobs: what is ticked is named and counted, filters act as they are chosen, keys act.

import { start as startKeys } from "./keys.js";

const MOST_NAMED = 4;

const ticks = () => [...document.querySelectorAll("[data-live='rows'] input[name=entry]")];
const tools = document.querySelector("[data-tools]");
const bulk = document.querySelector("[data-bulk]");

function why(button, chosen) {
  const states = new Set(chosen.map((tick) => tick.dataset.state));
  if (!chosen.length) {
    return tools.dataset.none;
  }
  if ("single" in button.dataset && chosen.length > 1) {
    return tools.dataset.one;
  }
  const { needs } = button.dataset;
  if (needs && !states.has(needs)) {
    return needs === "on" ? tools.dataset.off : tools.dataset.on;
  }
  return "";
}

// Buttons say why they wait. Those that the role forbids were disabled by the server and stay so.
function judge(buttons, chosen) {
  for (const button of buttons) {
    const reason = why(button, chosen);
    if (!button.disabled || "waits" in button.dataset) {
      button.disabled = Boolean(reason);
      button.title = reason;
      button.toggleAttribute("data-waits", Boolean(reason));
    }
  }
}

function show() {
  const all = ticks();
  const chosen = all.filter((tick) => tick.checked);
  judge(tools.querySelectorAll("button[name=act]"), chosen);
  judge(bulk.querySelectorAll("button[data-needs]"), chosen);
  bulk.hidden = chosen.length === 0;
  const count = bulk.querySelector("[data-count]");
  count.textContent =
    chosen.length === 1 ? count.dataset.one : count.dataset.many.replace("#", chosen.length);
  const named = chosen.slice(0, MOST_NAMED).map((tick) => tick.dataset.name);
  const more = chosen.length > MOST_NAMED ? ` +${chosen.length - MOST_NAMED}` : "";
  bulk.querySelector("[data-names]").textContent = named.join(" · ") + more;
  const every = document.querySelector("[data-all]");
  every.hidden = false;
  every.checked = chosen.length > 0 && chosen.length === all.length;
  every.indeterminate = chosen.length > 0 && chosen.length < all.length;
}

function tickAll(checked) {
  for (const tick of ticks()) {
    tick.checked = checked;
  }
  show();
}

if (tools && bulk) {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      tickAll(event.target.checked);
    } else if (event.target.matches("input[name=entry]")) {
      show();
    } else if (event.target.closest("[data-filters]")) {
      event.target.form.requestSubmit();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear]")) {
      tickAll(false);
    }
  });
  new MutationObserver(show).observe(document.querySelector(".sheet.rows"), {
    childList: true,
  });
  addEventListener("pageshow", show); // a page gone back to has its ticks again
  show();
  startKeys({ clear: () => tickAll(false) });
}
