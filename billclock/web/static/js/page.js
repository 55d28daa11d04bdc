// What a page does beyond its forms and links; without this file it does everything else.

import { start as startClock } from "./clock.js";
import { start as startLive } from "./live.js";

for (const chip of document.querySelectorAll("[data-now]")) {
  startClock(chip);
}

startLive();

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
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
