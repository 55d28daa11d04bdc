// Single keys on the list of jobs; the dialog that lists them carries data-keys where they act.

const dialog = document.getElementById("keys");
const rows = () => [...document.querySelectorAll("tr[data-row]")];
let gone = 0; // when g was pressed, the first key of two

function row() {
  return document.activeElement.closest("tr[data-row]");
}

function step(by) {
  const all = rows();
  const at = all.indexOf(row());
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
}

function tick(on) {
  const box = row()?.querySelector("input[name=entry]");
  if (box) {
    box.checked = on ?? !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

// The job under the cursor is what a key acts on, where there is none what is ticked.
function press(key) {
  if (row()) {
    for (const box of document.querySelectorAll("input[name=entry]:checked")) {
      box.checked = false;
    }
    tick(true);
  }
  const button = document.querySelector(`[data-tools] [data-key="${key}"]`);
  if (button && !button.disabled) {
    button.click();
  }
}

function goTo(key) {
  const tabs = document.querySelectorAll(".tabs a");
  const paths = { r: "/runs", c: "/crontab", j: "/" };
  const tab = [...tabs].find((link) => new URL(link.href).pathname === paths[key]);
  tab?.click();
}

const typing = (target) =>
  target.matches("textarea, select, [contenteditable]") ||
  target.matches("input:not([type=checkbox], [type=radio])");

export function start({ clear }) {
  if (!dialog || !("keys" in dialog.dataset)) {
    return;
  }
  const acts = {
    "/": () => document.querySelector("[data-key='/']")?.focus(),
    "?": () => dialog.togglePopover(),
    j: () => step(1),
    k: () => step(-1),
    x: () => tick(),
    c: () => press("c"),
    e: () => press("e"),
    r: () => press("r"),
    g: () => {
      gone = performance.now();
    },
    Escape: clear,
  };
  document.addEventListener("keydown", (event) => {
    const taken = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey;
    if (taken || typing(event.target)) {
      return;
    }
    const second = gone && performance.now() - gone < 1000;
    const act = second ? () => goTo(event.key) : acts[event.key];
    gone = 0;
    if (act && !(event.key === "Escape" && dialog.matches(":popover-open"))) {
      if (event.key !== "Escape") {
        event.preventDefault();
      }
      act();
    }
  });
}
