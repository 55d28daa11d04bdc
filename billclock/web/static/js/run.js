// One run's output: it grows as it is printed, follows its end until somebody scrolls up, and is
// searched. Lines come by server-sent events, from the place where the page ends; where those
// don't come through they are asked for; without this file the page reloads itself.

const TRIES = 3; // failed connections after which the lines are asked for instead
const ASK_EVERY = 2000;
const MOST = 5000; // lines kept in the page

function row({ n, p, clock, since }) {
  const item = document.createElement("li");
  item.dataset.n = n;
  if (clock) {
    Object.assign(item.dataset, { clock, since });
  }
  for (const [kind, text] of p) {
    const piece = document.createElement("span");
    piece.className = kind;
    piece.textContent = text;
    item.append(kind ? piece : text);
  }
  return item;
}

class Log {
  constructor(log) {
    this.log = log;
    this.rows = log.querySelector("[data-rows]");
    this.pane = log.querySelector(".pane");
    this.state = log.querySelector("[data-state]");
    this.followed = log.querySelector("[data-follow]");
    this.gap = document.querySelector("template[data-gap]").innerHTML;
    this.place = log.dataset.from;
    this.failures = 0;
    this.waiting = 0; // lines that came while nobody followed
    for (const tool of log.querySelectorAll("[data-tool]")) {
      tool.hidden = false;
    }
    this.listen();
  }

  // tools

  listen() {
    const wrap = this.log.querySelector("[data-wrap]");
    wrap.addEventListener("click", () => {
      this.log.classList.toggle("long", !this.press(wrap));
    });
    for (const times of this.log.querySelectorAll("[data-times]")) {
      times.addEventListener("click", () => this.show(times));
    }
    const search = this.log.querySelector("[data-search]");
    search.addEventListener("input", () => this.search(search.value));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.next(event.shiftKey ? -1 : 1);
      }
    });
    this.followed?.addEventListener("click", () => {
      this.press(this.followed);
      this.follow();
    });
    this.pane.addEventListener("scroll", () => {
      const rest = this.pane.scrollHeight - this.pane.clientHeight - this.pane.scrollTop;
      this.followed?.setAttribute("aria-pressed", rest < 24);
      this.follow(rest < 24);
    });
  }

  get following() {
    return this.followed?.getAttribute("aria-pressed") === "true";
  }

  // At the end nothing waits; elsewhere what comes is only counted.
  follow(there = false) {
    if (!this.following) {
      return;
    }
    this.count(-this.waiting);
    if (!there) {
      this.toEnd();
    }
  }

  count(more) {
    this.waiting += more;
    this.followed.querySelector("[data-new]").textContent = this.waiting ? `+${this.waiting}` : "";
  }

  press(button) {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", pressed);
    return pressed;
  }

  show(chosen) {
    const pressed = this.press(chosen);
    for (const times of this.log.querySelectorAll("[data-times]")) {
      this.log.classList.toggle(`by-${times.dataset.times}`, times === chosen && pressed);
      times.setAttribute("aria-pressed", times === chosen && pressed);
    }
  }

  search(text) {
    const wanted = text.toLowerCase();
    this.hits = [];
    for (const item of this.rows.querySelectorAll("li[data-n]")) {
      const here = wanted !== "" && item.textContent.toLowerCase().includes(wanted);
      item.classList.toggle("hit", here);
      item.classList.remove("at");
      if (here) {
        this.hits.push(item);
      }
    }
    this.hit = -1;
    this.log.querySelector("[data-found]").textContent = wanted ? 0 : "";
    this.next(1);
  }

  // Goes to the hit a step further, round at the end.
  next(step) {
    const hits = (this.hits ?? []).filter((item) => item.isConnected);
    if (!hits.length) {
      return;
    }
    hits[this.hit]?.classList.remove("at");
    this.hit = (this.hit + step + hits.length) % hits.length;
    hits[this.hit].classList.add("at");
    const { top, height } = hits[this.hit].getBoundingClientRect();
    const pane = this.pane.getBoundingClientRect();
    this.pane.scrollTop += top - pane.top - (pane.height - height) / 2; // the page stays where it is
    this.log.querySelector("[data-found]").textContent = `${this.hit + 1} / ${hits.length}`;
  }

  toEnd() {
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  // lines

  add(lines) {
    this.log.querySelector("[data-nothing]")?.remove();
    for (const line of lines) {
      const last = this.rows.lastElementChild;
      if (last?.dataset.n === String(line.n)) {
        last.remove(); // it was still being printed
      }
      if (line.gap) {
        const gap = document.createElement("li");
        gap.className = "gap";
        gap.textContent = `${this.gap} ${line.gap.toLocaleString()}`;
        this.rows.append(gap);
      }
      this.rows.append(row(line));
    }
    while (this.rows.childElementCount > MOST) {
      this.rows.firstElementChild.remove();
    }
    if (this.following) {
      this.toEnd();
    } else {
      this.count(lines.length);
    }
  }

  say(name, number = "") {
    this.log.classList.toggle("lost", name === "lost");
    document.body.classList.toggle("away", name === "lost"); // what is said above is old too
    this.state.className = name === "over" ? "st" : name === "lost" ? "st warn" : "st now";
    this.state.lastElementChild.textContent = `${this.state.dataset[name]} ${number}`;
  }

  // What was said of a run that goes on is true no more.
  end() {
    this.say("over");
    this.followed.hidden = true;
    this.log.querySelector('[data-live="quiet"]')?.remove();
    const nothing = this.log.querySelector("[data-nothing]");
    if (nothing) {
      nothing.textContent = nothing.dataset.over;
    }
  }

  address(base) {
    return `${base}?from=${encodeURIComponent(this.place)}`;
  }

  connect() {
    const source = new EventSource(this.address(this.log.dataset.stream));
    this.source = source;
    source.addEventListener("open", () => {
      this.failures = 0;
      this.streamed = true;
      this.say("connected");
    });
    source.addEventListener("lines", (event) => {
      this.place = event.lastEventId;
      this.add(JSON.parse(event.data));
    });
    source.addEventListener("end", () => {
      this.close();
      this.end();
    });
    source.addEventListener("again", () => {
      this.renewed = true; // it ends by itself now and then, and the browser asks anew
    });
    source.addEventListener("error", () => {
      if (this.renewed) {
        this.renewed = false;
        return;
      }
      this.failures += 1;
      this.say("lost", this.failures);
      if (this.failures >= TRIES || source.readyState === EventSource.CLOSED) {
        this.close();
        this.ask();
      }
    });
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  // A stream says nothing of a line that is dead; that the page is not answered for does.
  refreshed(there) {
    if (!this.source) {
      return;
    }
    if (!there) {
      this.failures += 1;
      this.say("lost", this.failures);
    } else if (this.failures) {
      this.close();
      this.failures = 0;
      this.connect();
    }
  }

  async ask() {
    try {
      const answer = await fetch(this.address(this.log.dataset.lines));
      if (!answer.ok || answer.redirected) {
        throw new Error(answer.statusText);
      }
      const { lines, place, over } = await answer.json();
      this.add(lines);
      this.place = place;
      if (over) {
        this.end();
        return;
      }
      if (this.streamed && this.failures) {
        this.failures = 0;
        this.connect(); // the server was away and is back: only who never came through asks on
        return;
      }
      this.say("asking");
    } catch {
      this.failures += 1;
      this.say("lost", this.failures);
    }
    setTimeout(() => this.ask(), ASK_EVERY);
  }
}

for (const element of document.querySelectorAll("[data-log]")) {
  const log = new Log(element);
  if (element.dataset.stream) {
    log.toEnd();
    log.connect();
    document.addEventListener("refreshed", ({ detail }) => log.refreshed(detail));
  } else if ("end" in element.dataset) {
    log.toEnd(); // what went wrong is said last
  }
}

// the button comes anew with each refresh: a class of the page says whether it is any use
document.body.classList.toggle("no-clipboard", !navigator.clipboard);
document.addEventListener("click", async ({ target }) => {
  const copy = target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(location.origin + location.pathname);
    copy.querySelector("span").textContent = copy.dataset.done;
  }
});
