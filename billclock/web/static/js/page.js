// What a page does beyond its forms and links; without this file it does everything else.

import { start as startClock } from "./clock.js";
import { start as startLive } from "./live.js";
import { start as startPalette } from "./palette.js";
import { start as startPlace } from "./place.js";

for (const chip of document.querySelectorAll("[data-now]")) {
  startClock(chip);
}

startLive();
startPalette();
startPlace();

// In a row of places that is wider than a phone, where one is comes into sight.
for (const place of document.querySelectorAll(":is(.rooms, .tabs, .family) > [aria-current]")) {
  const [row, here] = [place.parentElement, place.getBoundingClientRect()];
  const whole = row.getBoundingClientRect();
  row.scrollLeft += here.left + here.width / 2 - whole.left - whole.width / 2;
}

// A choice that leads to another page does so at once; its button is for who has no scripts.
for (const form of document.querySelectorAll("[data-leads]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
  if (menu) {
    event.preventDefault(); // one press closes one thing
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
