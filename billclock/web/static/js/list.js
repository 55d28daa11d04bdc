// A list: what is ticked is named and counted, filters act as they are chosen.

const MOST_NAMED = 4;

export const ticks = () => [...document.querySelectorAll("[data-live='rows'] input[name=entry]")];
const bulk = document.querySelector("[data-bulk]");

function show(judge) {
  const all = ticks();
  const chosen = all.filter((tick) => tick.checked);
  judge(chosen);
  bulk.hidden = chosen.length === 0;
  const count = bulk.querySelector("[data-ticked]");
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

function startTicks(judge) {
  const again = () => show(judge);
  const tickAll = (checked) => {
    for (const tick of ticks()) {
      tick.checked = checked;
    }
    again();
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      tickAll(event.target.checked);
    } else if (event.target.matches("input[name=entry]")) {
      again();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear]")) {
      tickAll(false);
    }
  });
  new MutationObserver(again).observe(document.querySelector(".sheet.rows"), { childList: true });
  addEventListener("pageshow", again); // a page gone back to has its ticks again
  again();
  return () => tickAll(false);
}

// Starts a list; `judge` looks at what is ticked. Gives a function that clears all ticks.
export function start(judge = () => {}) {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-filters]");
    if (form && event.target.type !== "date") {
      form.requestSubmit();
    }
  });
  return bulk ? startTicks(judge) : () => {};
}
