// A section's list and form: ticks and filters; a form that is not left with its changes unsaved.

import { start as startChoosing } from "./choosing.js";
import { start as startList } from "./list.js";

startList();
startChoosing();

const form = document.querySelector("form[data-unsaved]");
if (form) {
  const before = new URLSearchParams(new FormData(form)).toString();
  const dirty = () => new URLSearchParams(new FormData(form)).toString() !== before;
  let leaving = false;
  form.addEventListener("submit", () => {
    leaving = true;
  });
  document.querySelector("[data-cancel]")?.addEventListener("click", (event) => {
    leaving = !dirty() || window.confirm(form.dataset.unsaved);
    if (!leaving) {
      event.preventDefault();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && dirty()) {
      event.preventDefault();
    }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}
document.querySelector("[data-focus]")?.focus();
