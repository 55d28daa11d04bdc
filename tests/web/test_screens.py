"""Every screen, in a real browser: WCAG 2.2 AA, no complaint, light, still, narrow and printed."""

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from billclock.web.sections import all_sections
from tests.web.stage.looking import faults
from tests.web.stage.play import Stage, staged
from tests.web.stage.screens import SCREENS, Screen, of_section

VENDOR = Path(__file__).parents[1] / "vendor"
PACKAGES = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.mark.chromium
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_screen_is_without_fault(browser: Browser, stage: Stage, screen: Screen) -> None:
    assert faults(browser, stage, screen) == []


@pytest.mark.chromium
@pytest.mark.parametrize("name", [section.name for section in all_sections()])
def test_a_section_is_without_fault(browser: Browser, stage: Stage, name: str) -> None:
    (section,) = (one for one in all_sections() if one.name == name)
    found = {
        screen.path: faults(browser, stage, screen) for screen in of_section(section, stage.known)
    }
    assert {path: told for path, told in found.items() if told} == {}


@pytest.mark.chromium
def test_what_is_wrong_is_seen(browser: Browser, stage: Stage) -> None:
    """A page made bad in every way is told of, or none of the tests above would mean anything."""
    from tests.web.stage.looking import PHONE, opened

    with opened(browser, stage, SCREENS[0]) as looked:
        looked.page.evaluate(
            """() => {
                const main = document.querySelector("main");
                main.innerHTML = "<h1>One</h1><h1>Two</h1><input><button></button>"
                    + "<p id=pale>pale</p><p id=wide>wide</p>";
                document.getElementById("pale").style.color = "#ccc";
                document.getElementById("wide").style.width = "3000px";
                document.querySelector("button").style.height = "10px";
                document.title = "";
                console.error("oh");
            }"""
        )
        told = "\n".join(
            [*looked.coming(), *looked.frame(), *looked.small(), *looked.widths(),
             *looked.rules("light", PHONE)]
        )  # fmt: skip
    for fault in ("console: oh", "2 headings", "title ''", "without a name", "small:",
                  "too wide for 320", "color-contrast", "label"):  # fmt: skip
        assert fault in told


@pytest.mark.parametrize("package", PACKAGES)
def test_what_others_made_for_tests_is_as_recorded(package: str) -> None:
    folder = VENDOR / package
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == PACKAGES[package]["files"]
    assert PACKAGES[package]["licence"] == "MPL-2.0"
    assert "LICENSE" in found
