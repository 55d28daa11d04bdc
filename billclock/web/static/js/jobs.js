// The list of jobs: its buttons say why they wait, its keys act.

import { start as startKeys } from "./keys.js";
import { start as startList } from "./list.js";

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

if (tools && bulk) {
  const clear = startList((chosen) => {
    judge(tools.querySelectorAll("button[name=act]"), chosen);
    judge(bulk.querySelectorAll("button[data-needs]"), chosen);
  });
  startKeys({ clear });
}

// A menu offers to copy where the browser lets a page do so; the toggle event does not bubble.
document.addEventListener(
  "toggle",
  ({ target }) => {
    const copy = target.querySelector?.("[data-copies]");
    if (copy) {
      copy.hidden = !navigator.clipboard;
    }
  },
  true,
);
document.addEventListener("click", async ({ target }) => {
  const copy = target.closest("[data-copies]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copies);
    copy.closest("details").open = false;
    copy.closest("details").querySelector("summary").focus();
  }
});
