// Keeps what is marked data-live up to date: the page is asked for again every data-refresh seconds
// of its body, and parts that changed take the place of the old ones. A page that no longer names
// an interval is left as it is, and nothing moves while somebody works in such a part.

const busy = (part) =>
  part.contains(document.activeElement) || part.querySelector("details[open], input:checked");

// Tells whether the server answered with the page.
async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) {
    return false;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (other && other.innerHTML !== part.innerHTML && !busy(part)) {
      part.replaceWith(other);
    }
  }
  document.body.dataset.refresh = fresh.body.dataset.refresh ?? "";
  return true;
}

// A number that takes its time comes after the page: nobody waits for it, and none shows nothing.
async function count(place) {
  const answer = await fetch(place.dataset.count);
  const number = answer.ok && !answer.redirected ? Number(await answer.text()) : 0;
  place.textContent = number || "";
  place.hidden = !number;
}

export function start() {
  for (const place of document.querySelectorAll("[data-count]:empty")) {
    count(place).catch(() => {});
  }
  const seconds = Number(document.body.dataset.refresh);
  if (!seconds) {
    return;
  }
  setTimeout(async () => {
    if (!document.hidden) {
      // while the server is away what is shown stays; who says so listens
      const detail = await refresh().catch(() => false);
      document.dispatchEvent(new CustomEvent("refreshed", { detail }));
    }
    start();
  }, seconds * 1000);
}
