"""What can be wrong with a screen: looked for in a real browser, told in words."""

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Response

from tests.web.stage.play import Stage
from tests.web.stage.screens import Screen

AXE = (Path(__file__).parents[2] / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 360, 390, 640, 641, 820, 901, 1024, 1360, 2200)
WIDE, PHONE, PAPER = 1360, 390, 720  # PAPER: the width of A4 without its margins, in CSS pixels
MOST_BYTES = 100_000  # of a page's own styles and scripts, compressed
MOST_SHIFT = 0.1  # the limit of what Core Web Vitals call good
SMALLEST = 43.5  # pixels of what one presses on a phone; 44 less a rounding
SHIFTS = """
globalThis.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    globalThis.shifted += entry.hadRecentInput ? 0 : entry.value;
  }
}).observe({ type: "layout-shift", buffered: true });
"""
FRAME = """() => ({
  headings: document.querySelectorAll("h1").length,
  language: document.documentElement.lang,
  title: document.title,
  nameless: [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")]
    .filter(e => e.checkVisibility() && e.tabIndex >= 0 && !e.textContent.trim())
    .filter(e => !(e.getAttribute("aria-label") || e.labels?.[0]?.textContent.trim()))
    .map(e => e.outerHTML),
})"""
SMALL = """smallest => [...document.querySelectorAll(
    "button, summary, select, .seg a, .tabs a, a.b, main input:not([type=checkbox], [type=radio])")]
  .filter(e => e.checkVisibility() && !e.closest("label") && e.tabIndex >= 0)
  .filter(e => e.getBoundingClientRect().height < smallest)
  .map(e => e.outerHTML.slice(0, 160))"""
PRINTED = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = colour => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b] = paint.getImageData(0, 0, 1, 1).data;
    return (r + g + b) / 765;
  };
  const shown = [...document.querySelectorAll(".mast, .tabs, .tools, .go-to, dialog")]
    .filter(e => e.checkVisibility()).map(e => e.className);
  const heading = document.querySelector("h1");
  return {
    ink: light(getComputedStyle(heading).color),
    heading: heading.checkVisibility(),
    shown,
    wider: document.documentElement.scrollWidth - innerWidth,
  };
}"""


@contextmanager
def opened(browser: Browser, stage: Stage, screen: Screen, **how: Any) -> Iterator["Looked"]:
    """Open a screen in a context of its own, as it is when everything has come."""
    state = {"storage_state": stage.session} if screen.signed_in else {}
    context = browser.new_context(**{"reduced_motion": "reduce", **state, **how})
    context.add_init_script(SHIFTS)
    try:
        yield Looked(context.new_page(), stage, screen)
    finally:
        context.close()


class Looked:
    """A screen that is open, what it fetched, and what its console said."""

    def __init__(self, page: Page, stage: Stage, screen: Screen) -> None:
        self.page, self.screen = page, screen
        self.said: list[str] = []
        self.outside: list[str] = []
        self.own: list[Response] = []
        address = stage.server.address
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url, address))
        page.on("response", self._answered)
        self._address = address + screen.path.format(**stage.known)
        self.go()

    def go(self, language: str = "", width: int = 0) -> None:
        """Open it, or open it again in a language and a width, with what the browser keeps."""
        page = self.page
        if width:
            page.set_viewport_size({"width": width, "height": 844})
        if language:
            chosen = {"name": "billclock-language", "value": language, "url": self._address}
            page.context.add_cookies([chosen])  # type: ignore[list-item]
        self.said.clear()
        self.own.clear()
        answer = page.goto(self._address, wait_until="load")
        self.status = answer.status if answer else 0
        page.evaluate("document.fonts.ready.then(() => true)")
        self.shift = float(page.evaluate("shifted"))
        if self.screen.pressed:
            page.keyboard.press(self.screen.pressed)
            page.locator(self.screen.shown).first.wait_for()

    def _asked(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.outside.append(url)

    def _answered(self, response: Response) -> None:
        if response.request.resource_type in ("stylesheet", "script"):
            self.own.append(response)

    # faults, each a sentence

    def coming(self) -> Iterator[str]:
        """Tell what went wrong while it came: answer, console, outside, weight, shift."""
        if self.status != self.screen.status:
            yield f"answered {self.status}"
        failed = f"status of {self.screen.status}"  # the console names every answer above 399
        kept_out = "Blocked script execution"  # SHIFTS, which a sandboxed frame does not let in
        passed = (failed, kept_out)
        said = (text for text in self.said if not any(each in text for each in passed))
        yield from (f"console: {text}" for text in said)
        yield from (f"fetched {url}" for url in self.outside)
        weight = sum(len(gzip.compress(response.body())) for response in self.own)
        if weight >= MOST_BYTES:
            yield f"styles and scripts weigh {weight} bytes"
        if self.shift > MOST_SHIFT:
            yield f"moved by {self.shift:.3f} while it came"

    def frame(self) -> Iterator[str]:
        """Tell what its head and its controls lack."""
        found = self.page.evaluate(FRAME)
        if found["headings"] != 1:
            yield f"{found['headings']} headings h1"
        if found["language"] not in ("en", "ru"):
            yield f"language {found['language']!r}"
        if "Billclock" not in found["title"] or len(found["title"]) < len("Billclock") + 3:
            yield f"title {found['title']!r}"
        yield from (f"without a name: {html}" for html in found["nameless"])

    def widths(self, widths: Sequence[int] = WIDTHS) -> Iterator[str]:
        """Tell in which widths one would have to scroll sideways."""
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": 900})
            wider = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wider > 0:
                yield f"{wider} pixels too wide for {width}"

    def small(self) -> Iterator[str]:
        """Tell what is too small for a thumb."""
        self.page.set_viewport_size({"width": PHONE, "height": 844})
        yield from (f"small: {html}" for html in self.page.evaluate(SMALL, SMALLEST))

    def rules(self, theme: Any, width: int, only: str = "") -> Iterator[str]:
        """Tell what axe finds against WCAG 2.2 AA and good practice."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.evaluate(AXE)
        run = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": RULES}
        how = {"runOnly": run, "resultTypes": ["violations"]}
        found = self.page.evaluate("how => axe.run(document, how)", how)
        for violation in found["violations"]:
            for node in violation["nodes"]:
                yield (
                    f"{violation['id']} ({theme}, {width}): {' '.join(map(str, node['target']))} "
                    f"{node['html'][:160]} {node['failureSummary'][:300]}"
                )

    def printed(self) -> Iterator[str]:
        """Tell what is wrong on paper, which is white though the screen may be dark."""
        self.page.set_viewport_size({"width": PAPER, "height": 1000})
        self.page.emulate_media(media="print", color_scheme="dark")
        found = self.page.evaluate(PRINTED)
        self.page.emulate_media(media="screen")
        if not found["heading"]:
            yield "on paper without its heading"
        if found["ink"] > 0.5:
            yield f"on paper in light ink ({found['ink']:.2f})"
        if found["wider"] > 0:
            yield f"on paper {found['wider']} pixels too wide"
        yield from (f"on paper: {name}" for name in found["shown"])


def faults(browser: Browser, stage: Stage, screen: Screen) -> list[str]:
    """Look at a screen in both themes, on every width, on paper and in Russian."""
    found = []
    with opened(browser, stage, screen, viewport={"width": WIDE, "height": 900}) as looked:
        steps: list[Callable[[], Iterator[str]]] = [
            looked.coming,
            looked.frame,
            lambda: looked.rules("light", WIDE),
            lambda: looked.rules("dark", WIDE, "color-contrast"),
            lambda: looked.rules("light", PHONE),
            lambda: looked.rules("dark", PHONE, "color-contrast"),
            looked.widths,
            looked.printed,
        ]
        for step in steps:
            found += step()
        looked.go("ru", PHONE)
        found += [
            f"in Russian: {fault}"
            for fault in [*looked.coming(), *looked.small(), *looked.widths((320, 390, 1024))]
        ]
    return found
