// The palette: Ctrl-K, Cmd-K or the button in the masthead opens it; what is typed is looked up by
// the server, arrow keys choose, Enter goes. The focus stays in the field, as in every combobox.
// Without this file the button is a link to a page that does the same.

const WAIT = 120; // milliseconds without a key before the server is asked

const isOpening = (event) =>
  (event.ctrlKey !== event.metaKey) && !event.altKey && !event.shiftKey &&
  (event.key.toLowerCase() === "k" || (event.code === "KeyK" && !/[a-z]/i.test(event.key)));

class Palette {
  constructor(dialog, opener) {
    Object.assign(this, { dialog, opener, asked: null, timer: 0, waiting: null });
    this.input = dialog.querySelector("input");
    this.list = dialog.querySelector("[role=listbox]");
    this.status = dialog.querySelector("[role=status]");
    this.input.addEventListener("input", () => this.askSoon());
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("mousemove", ({ target }) => this.mark(target.closest("[role=option]"), false));
    this.list.addEventListener("click", (event) => {
      this.mark(event.target.closest("[role=option]"), false);
      this.choose(event.ctrlKey || event.metaKey);
    });
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog || target.closest("[data-close]")) {
        dialog.close();
      }
    });
    dialog.addEventListener("close", () => this.empty());
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get chosen() {
    return this.list.querySelector("[aria-selected=true]");
  }

  open() {
    this.job = jobAtHand(this.opener);
    this.input.value = "";
    this.dialog.showModal();
    this.ask();
  }

  // what is found

  askSoon() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.waiting = new Promise((resolve) => {
      this.timer = setTimeout(() => resolve(this.ask()), WAIT);
    });
  }

  ask() {
    this.asked = new AbortController();
    this.waiting = this.fill(this.asked.signal);
    return this.waiting;
  }

  async fill(signal) {
    const address = new URL(this.dialog.dataset.choices, location.href);
    address.searchParams.set("q", this.input.value);
    address.searchParams.set("job", this.job);
    address.searchParams.set("from", location.pathname + location.search);
    try {
      const answer = await fetch(address, { signal });
      if (answer.redirected) {
        location.reload(); // signed out meanwhile
      }
      this.show(answer.ok ? await answer.text() : "", answer.ok);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.show("", false);
      }
    }
  }

  show(html, answered) {
    if (!this.dialog.open) {
      return;
    }
    this.list.innerHTML = html;
    const options = this.options;
    for (const [index, option] of options.entries()) {
      option.id = `palette-${index}`;
    }
    this.list.hidden = !options.length;
    this.list.scrollTop = 0;
    this.input.setAttribute("aria-expanded", options.length > 0);
    this.status.textContent = options.length ? "" : this.dialog.dataset[answered ? "none" : "away"];
    this.mark(options[0]);
  }

  empty() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.list.replaceChildren();
    this.list.hidden = true;
    this.status.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  // the choice

  mark(option, scroll = true) {
    if (!option) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    this.chosen?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    this.input.setAttribute("aria-activedescendant", option.id);
    if (scroll) {
      option.scrollIntoView({ block: "nearest" });
    }
  }

  step(by) {
    const options = this.options;
    const at = options.indexOf(this.chosen) + by;
    this.mark(options[(at + options.length) % options.length]);
  }

  press(event) {
    const acts = {
      ArrowDown: () => this.step(1),
      ArrowUp: () => this.step(-1),
      Enter: async () => {
        const elsewhere = event.ctrlKey || event.metaKey;
        await this.waiting; // what was typed last is what is meant
        this.choose(elsewhere);
      },
    };
    if (acts[event.key] && !event.isComposing) {
      event.preventDefault();
      acts[event.key]();
    }
  }

  choose(elsewhere) {
    const option = this.chosen;
    if (!option) {
      return;
    }
    const { href } = option.dataset;
    if (!href) {
      option.querySelector("form").requestSubmit();
    } else if (elsewhere) {
      window.open(href, "_blank", "noopener");
    } else {
      location.assign(href);
    }
    this.dialog.close();
  }
}

// The job under the cursor in a list, else the only one that is ticked, else the page's own.
function jobAtHand(opener) {
  const row = document.activeElement.closest("[data-row]");
  const ticked = document.querySelectorAll("input[name=entry]:checked");
  if (row) {
    return row.dataset.row;
  }
  return ticked.length === 1 ? ticked[0].value : new URL(opener.href).searchParams.get("job") ?? "";
}

export function start() {
  const dialog = document.getElementById("palette");
  const opener = document.querySelector("[data-palette]");
  if (!dialog || !opener) {
    return;
  }
  const palette = new Palette(dialog, opener);
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-haspopup", "dialog");
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    opener.querySelector("kbd").textContent = "⌘K";
  }
  opener.addEventListener("click", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      palette.open();
    }
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      event.preventDefault();
      opener.click();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (isOpening(event)) {
      event.preventDefault();
      dialog.open ? dialog.close() : palette.open();
    }
  });
}
