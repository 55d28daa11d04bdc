// A job's form previewed while one types; without this file its Preview button does it.

const WAIT = 250;
const form = document.getElementById("job");
const result = document.querySelector("[data-result]");
const five = ["minute", "hour", "day-of-month", "month", "day-of-week"];
let timer = 0;
let asked = 0;
let dirty = false;

const field = (name) => form.elements.namedItem(name);

function fill(answer) {
  // The mode that is not in force follows; the one that is typed in is left alone.
  if (field("mode").value === "basic") {
    field("line").value = answer.line;
    five.forEach((name, place) => { field(name).value = answer.five[place] ?? ""; });
  } else {
    const { interval } = answer;
    const custom = field("run_every").querySelector("[value=custom]");
    custom.hidden = custom.disabled = interval.run_every !== "custom";
    field("run_every").value = interval.run_every;
    if (interval.every) { field(interval.run_every === "hours" ? "every_hours" : "every_minutes").value = interval.every; }
    field("past").value = interval.minute ?? "0";
    field("day").value = interval.day ?? "1";
    field("of_month").value = interval.month ?? "1";
    field("time").value = interval.time;
    const days = (interval.weekdays ?? "").split(",");
    for (const box of form.querySelectorAll("[name=weekday]")) { box.checked = days.includes(box.value); }
  }
  field("line_shown").value = field("line").value;
}

async function preview() {
  const turn = ++asked;
  const response = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (!response?.ok || response.redirected || turn !== asked) { return; }
  const answer = await response.json();
  result.innerHTML = answer.html;
  document.querySelector("[data-brief]").textContent = result.querySelector(".sentence").textContent;
  for (const place of form.querySelectorAll("[data-error]")) { place.textContent = answer.errors[place.dataset.error] ?? ""; }
  for (const name of [...five, "line", "command"]) { field(name).setAttribute("aria-invalid", name in answer.errors); }
  if (!five.concat("line", "run_every").some((name) => name in answer.errors)) { fill(answer); }
}

form?.addEventListener("input", (event) => {
  dirty = true;
  if (five.includes(event.target.name)) {
    field("line").value = five.map((name) => field(name).value.trim() || "*").join(" ");
  } else if (event.target.name === "line") {
    const parts = event.target.value.trim().split(/\s+/);
    if (parts.length === 5) { five.forEach((name, place) => { field(name).value = parts[place]; }); }
    field("line_shown").value = "";
  }
  clearTimeout(timer);
  timer = setTimeout(preview, WAIT);
});
form?.addEventListener("submit", (event) => { dirty = dirty && event.submitter?.formTarget === "_blank"; });
document.querySelector("[data-cancel]")?.addEventListener("click", (event) => {
  if (dirty && !window.confirm(form.dataset.unsaved)) { event.preventDefault(); }
});
document.addEventListener("keydown", (event) => {
  const save = form?.querySelector("[data-save]");
  if (save && event.ctrlKey && event.key === "s") {
    event.preventDefault();
    form.requestSubmit(save);
  } else if (save && event.ctrlKey && event.key === "Enter") {
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-test]") ?? form.querySelector("[data-check]"));
  }
});
const tick = document.querySelector("[data-tick]");
if (tick) {
  setInterval(() => { tick.textContent = document.querySelector(".clock time").textContent; }, 1000);
}
document.querySelector("[data-focus]")?.focus();
// where there is little room the preview begins folded, and is drawn so until this is known
const peek = document.querySelector("[data-peek]");
if (matchMedia("(max-width: 1180px)").matches) { peek.open = false; }
peek.dataset.ready = "";
