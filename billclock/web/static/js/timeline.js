// The timeline under the hand: arrow keys go from run to run, a click on an empty place asks for
// a quiet minute there and shows it beside the click. Without this file the runs are links in their
// order, and a form asks.

const middle = (link) => {
  const box = link.getBoundingClientRect();
  return box.left + box.width / 2;
};

function beside(link, step) {
  const runs = [...link.parentNode.querySelectorAll("a")].sort((a, b) => middle(a) - middle(b));
  return runs[runs.indexOf(link) + step];
}

function above(link, step) {
  const lanes = [...new Set([...link.closest("[data-lanes]").querySelectorAll("a")].map((a) => a.parentNode))];
  const lane = lanes[lanes.indexOf(link.parentNode) + step];
  const from = middle(link);
  const runs = lane ? [...lane.querySelectorAll("a")] : [];
  return runs.sort((a, b) => Math.abs(middle(a) - from) - Math.abs(middle(b) - from))[0];
}

const MOVES = {
  ArrowLeft: (link) => beside(link, -1),
  ArrowRight: (link) => beside(link, 1),
  ArrowUp: (link) => above(link, -1),
  ArrowDown: (link) => above(link, 1),
};

// One stop for the Tab key, however many runs there are: the one gone to last, else the first.
function stop(drawing, link = drawing?.querySelector("a")) {
  for (const each of drawing?.querySelectorAll("a") ?? []) {
    each.tabIndex = each === link ? 0 : -1;
  }
}

stop(document.querySelector("[data-lanes]"));
document.addEventListener("refreshed", () => {
  const drawing = document.querySelector("[data-lanes]");
  if (!drawing?.contains(document.activeElement)) {
    stop(drawing);
  }
});
document.addEventListener("focusin", ({ target }) => {
  const link = target.closest?.("[data-lanes] a");
  if (link) {
    stop(link.closest("[data-lanes]"), link);
  }
});

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("[data-lanes] a");
  const move = link && MOVES[event.key];
  if (move && !event.altKey && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    move(link)?.focus();
  }
});

document.addEventListener("click", (event) => {
  const drawing = event.target.closest?.("[data-lanes]");
  if (!drawing || event.target.closest("a")) {
    return;
  }
  const { begin, close } = drawing.closest("[data-begin]").dataset;
  const box = drawing.getBoundingClientRect();
  const share = (event.clientX - box.left) / box.width;
  const moment = new Date((Number(begin) + share * (close - begin)) * 1000);
  const zone = document.querySelector("[data-zone]").dataset.zone;
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "short" }).format(moment);
  const address = new URL(location.href);
  address.searchParams.set("quiet", time);
  address.hash = "quiet";
  propose(address, event).catch(() => location.assign(address));
});

// Says beside the click what the page at an address answers, with its ways to a new job.
async function propose(address, { clientX, clientY }) {
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const spot = document.querySelector("[data-spot]");
  spot.replaceChildren(page.querySelector("#quiet .answer-box"));
  spot.showPopover();
  const { width, height } = spot.getBoundingClientRect();
  spot.style.left = `${Math.max(Math.min(clientX, innerWidth - width - 8), 8)}px`;
  spot.style.top = `${clientY + 14 + height > innerHeight ? clientY - height - 14 : clientY + 14}px`;
  spot.querySelector("a:last-of-type")?.focus();
}
