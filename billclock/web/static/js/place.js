// After an act whose undo is offered the page stands where it stood: the row is under the hand still.

const KEY = "billclock.place";

function goBack() {
  const [path, height] = (sessionStorage.getItem(KEY) ?? "").split(" ");
  sessionStorage.removeItem(KEY);
  const told = document.querySelector("main > [role=alert], main > [role=status]:not(.undo)");
  if (path === location.pathname && !told && document.querySelector(".undo")) {
    scrollTo({ top: Number(height), behavior: "instant" });
  }
}

export function start() {
  document.addEventListener("submit", ({ target }) => {
    if (target.method === "post") {
      sessionStorage.setItem(KEY, `${location.pathname} ${Math.round(scrollY)}`);
    }
  });
  for (const close of document.querySelectorAll("[data-dismiss]")) {
    close.hidden = false;
    close.addEventListener("click", () => close.closest(".undo").remove());
  }
  goBack();
}
