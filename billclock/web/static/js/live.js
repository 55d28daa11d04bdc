// Keeps what is marked data-live up to date: the page is asked for again, and parts that changed
// take the place of the old ones. Nothing moves while somebody works in such a part.

const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");

async function refresh() {
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "live" } });
  if (!answer.ok || answer.redirected) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (other && other.innerHTML !== part.innerHTML && !busy(part)) {
      part.replaceWith(other);
    }
  }
}

export function start(seconds) {
  const look = async () => {
    if (!document.hidden) {
      await refresh().catch(() => {}); // the server is away: the engine chip tells when it is back
    }
    setTimeout(look, seconds * 1000);
  };
  setTimeout(look, seconds * 1000);
}
