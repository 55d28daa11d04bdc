// The server's clock, ticking: the page brings the right time, this keeps it right.
// A browser whose own clock is more than five seconds off is told so.

const APART = 5000;

function arrival() {
  const [navigation] = performance.getEntriesByType("navigation");
  return performance.timeOrigin + (navigation ? navigation.responseStart : 0);
}

function face(chip, seconds) {
  const minutes = seconds / 60;
  chip.querySelector("[data-hour]").setAttribute("transform", `rotate(${(minutes / 2) % 360} 16 16)`);
  chip.querySelector("[data-minute]").setAttribute("transform", `rotate(${(minutes * 6) % 360} 16 16)`);
}

export function start(chip) {
  const { now, zone } = chip.dataset;
  const ahead = Number(now) - arrival();
  const words = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" });
  const time = chip.querySelector("time");
  chip.classList.toggle("apart", Math.abs(ahead) > APART);
  if (Math.abs(ahead) > APART) {
    chip.title = chip.dataset.apart;
  }
  const tick = () => {
    const moment = Date.now() + ahead;
    const text = words.format(moment);
    const [hours, minutes, seconds] = text.split(":").map(Number);
    time.textContent = text;
    face(chip, hours * 3600 + minutes * 60 + seconds);
    setTimeout(tick, 1000 - (moment % 1000));
  };
  tick();
}
