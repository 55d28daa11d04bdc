"""`./run screenshots`: a picture of every screen, light and dark, wide and on a phone.

A server of its own with a folder of its own: nothing of an installation is read or shown.
"""

import argparse
import base64
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import django
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import CHROMIUM
from tests.web.server import ROOT
from tests.web.stage.looking import opened
from tests.web.stage.play import Stage, staged
from tests.web.stage.screens import SCREENS, Screen, of_section

SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
THEMES = ("light", "dark")
IMAGES = ROOT / "docs" / "images"
SHOWN = (
    "dashboard",
    "jobs",
    "run",
    "timeline",
    "problems",
    "client-accounts-one",
    "services-one",
)  # in the README and docs
TO_WEBP = """async (png) => {
  const bytes = Uint8Array.from(atob(png), (char) => char.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
  const out = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(out, (byte) => String.fromCharCode(byte)).join(""));
}"""


def main() -> int:
    """Take them; give the exit code."""
    parser = argparse.ArgumentParser(prog="./run screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help="screens by the beginning of their names; all")
    parser.add_argument("--to", type=Path, default=ROOT / "var" / "screenshots", metavar="FOLDER")
    parser.add_argument(
        "--docs", action="store_true", help=f"renew those of the docs too: {', '.join(SHOWN)}"
    )
    chosen = parser.parse_args()
    if CHROMIUM is None:
        print("Pictures need a Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    chosen.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="billclock-screens-") as folder:
        prepare(Path(folder))
        with staged(Path(folder)) as stage, sync_playwright() as playwright:
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
            screens = [one for one in all_screens(stage) if is_asked(one, chosen.names)]
            taken = sum(1 for _file in take(browser, stage, screens, chosen.to))
            if chosen.docs:
                renew(browser, stage)
    print(f"{taken} pictures of {len(screens)} screens in {chosen.to}")
    return 0 if taken else 1


def prepare(folder: Path) -> None:
    """Set Django up, for the sections' declarations alone; it writes nothing."""
    os.environ |= {
        "BILLCLOCK_HOME": str(folder),
        "BILLCLOCK_SECRET_KEY": "for pictures only",
        "DJANGO_SETTINGS_MODULE": "billclock.settings",
    }
    django.setup()


def all_screens(stage: Stage) -> Iterator[Screen]:
    """Give the screens, the back office's sections among them."""
    from billclock.web.sections import all_sections

    yield from SCREENS
    for section in all_sections():
        yield from of_section(section, stage.known)


def is_asked(screen: Screen, names: Iterable[str]) -> bool:
    wanted = tuple(names)
    return not wanted or screen.name.startswith(wanted)


def take(browser: Browser, stage: Stage, screens: Iterable[Screen], folder: Path) -> Iterator[Path]:
    """Take pictures of whole pages, named as jobs-dark-phone.png."""
    for screen in screens:
        for size, viewport in SIZES.items():
            with opened(browser, stage, screen, viewport=viewport) as looked:
                if not screen.pressed:  # what is laid over a page lies over what one sees of it
                    tall = looked.page.evaluate("document.documentElement.scrollHeight")
                    looked.page.set_viewport_size({**viewport, "height": tall})
                for theme in THEMES:
                    file = folder / f"{screen.name}-{theme}-{size}.png"
                    looked.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                    looked.page.screenshot(path=file)
                    yield file


def renew(browser: Browser, stage: Stage) -> None:
    """Take the few pictures of the docs: what a wide window shows, in light, as small files."""
    encoder = browser.new_page()
    for screen in all_screens(stage):
        if screen.name in SHOWN:
            with opened(browser, stage, screen, viewport=SIZES["wide"]) as looked:
                taken = base64.b64encode(looked.page.screenshot()).decode()
            file = IMAGES / f"{screen.name}.webp"
            file.write_bytes(base64.b64decode(encoder.evaluate(TO_WEBP, taken)))
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    raise SystemExit(main())
