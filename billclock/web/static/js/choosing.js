// Fields where one of very many is chosen: the browser's own list gets what is like the text.

const WAIT = 150; // milliseconds without a key before the server is asked

class Choices {
  constructor(input) {
    this.input = input;
    this.list = document.getElementById(input.getAttribute("list"));
    this.timer = 0;
    this.asked = null;
    input.addEventListener("input", () => this.askSoon());
  }

  askSoon() {
    clearTimeout(this.timer);
    this.asked?.abort();
    const chosen = [...this.list.options].some((option) => option.value === this.input.value);
    if (!chosen) {
      this.timer = setTimeout(() => this.ask(), WAIT);
    }
  }

  async ask() {
    this.asked = new AbortController();
    const address = new URL(this.input.dataset.choices, location.href);
    address.searchParams.set("q", this.input.value);
    try {
      const answer = await fetch(address, { signal: this.asked.signal });
      if (answer.ok && !answer.redirected) {
        this.list.innerHTML = await answer.text();
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        throw error;
      }
    }
  }
}

export function start() {
  for (const input of document.querySelectorAll("input[data-choices][list]")) {
    if (document.getElementById(input.getAttribute("list"))) {
      new Choices(input);
    }
  }
}
