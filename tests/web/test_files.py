"""What the browser gets: files from where they lie, nothing inline, nothing from outside."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from whitenoise.responders import StaticFile  # type: ignore[import-untyped]

import billclock.web
from billclock.web.files import Files

WEB = Path(billclock.web.__file__).parent
STATIC = WEB / "static"
VENDOR = tomllib.loads((STATIC / "vendor" / "VENDOR.toml").read_text(encoding="utf-8"))
OURS = sorted(
    path
    for pattern in ("templates/**/*.html", "static/css/*.css", "static/js/*.js")
    for path in WEB.glob(pattern)
)


@pytest.mark.parametrize("package", VENDOR)
def test_what_others_made_is_as_recorded(package: str) -> None:
    folder = STATIC / "vendor" / package
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == VENDOR[package]["files"]
    assert VENDOR[package]["licence"]
    assert "LICENSE" in found


def test_nothing_lies_in_vendor_that_is_not_recorded() -> None:
    assert {path.name for path in (STATIC / "vendor").iterdir()} == {"VENDOR.toml", *VENDOR}


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_fetched_from_outside_and_nothing_is_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href|url|action)\s*[=(]\s*["']?(https?:)?//""", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son\w+=|javascript:", text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_icon_in_use_is_in_the_sprite(path: Path) -> None:
    sprite = (STATIC / "vendor" / "lucide" / "sprite.svg").read_text(encoding="utf-8")
    for name in re.findall(r'{% icon "([^"]+)"', path.read_text(encoding="utf-8")):
        assert f'id="{name}"' in sprite


def test_the_sprite_has_no_icon_that_nobody_uses() -> None:
    sprite = (STATIC / "vendor" / "lucide" / "sprite.svg").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in [*OURS, *WEB.glob("**/*.py")])
    assert [name for name in re.findall(r'id="([^"]+)"', sprite) if f'"{name}"' not in source] == []


def test_every_class_of_the_kit_is_used() -> None:
    css = "".join(p.read_text(encoding="utf-8") for p in (STATIC / "css").glob("*.css"))
    css = re.sub(r"url\([^)]*\)|/\*.*?\*/", "", css, flags=re.DOTALL)
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in [*OURS, *WEB.glob("**/*.py")]
        if path.suffix != ".css"
    )
    classes = set(re.findall(r"\.([a-z][\w-]*)", css)) - {"svg"}
    states = {"running", "late", "paused", "down", "elsewhere"}  # engine's, by their names
    # put together by the program: a terminal's styles, and how an output's lines are timed
    made = {f"a{sign}" for sign in "0123456789bdiu"} | {"by-since", "of-warning"}
    asked = classes - states - made
    assert {name for name in asked if not re.search(rf"\b{name}\b", source)} == set()


@pytest.mark.usefixtures("static_files")
@pytest.mark.parametrize("name", ["css/tokens.css", "js/page.js", "vendor/lucide/sprite.svg"])
def test_a_file_is_served_to_everybody_and_kept_for_ever(name: str) -> None:
    answer = Client().get(settings.STATIC_URL + name)
    assert answer.status_code == 200
    assert answer.content == (STATIC / name).read_bytes()
    assert "immutable" in answer.headers["Cache-Control"]
    again = Client().get(settings.STATIC_URL + name, headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=0-3"}])
def test_a_file_changed_under_a_running_server_is_sent_whole_and_not_kept(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    file = tmp_path / "page.css"
    file.write_text("a { color: red }")
    known = StaticFile(str(file), [("Content-Type", "text/css"), ("Cache-Control", "immutable")])
    request = RequestFactory().get("/page.css", headers=headers)
    whole = Files.serve(known, request)
    assert whole.content == (b"a { " if headers else file.read_bytes())
    assert whole.headers["Cache-Control"] == "immutable"
    for text in ("b", "a { color: red } b { color: blue }"):
        file.write_text(text)
        changed = Files.serve(known, request)
        assert (changed.status_code, changed.content) == (200, text.encode())
        assert changed.headers["Cache-Control"] == "no-store"
        assert "ETag" not in changed.headers
        assert changed.headers.get("Content-Length", str(len(text))) == str(len(text))


def test_own_style_and_script_are_light() -> None:
    own = [path for path in OURS if path.suffix in (".css", ".js")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in own) < 100_000


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_a_page_is_painted_when_all_of_it_has_come() -> None:
    """What the browser is told to wait for is there, once, and is the page's last element."""
    page = Client().get("/sign-in").content.decode()
    (awaited,) = re.findall(r'<link rel="expect" href="#(\w+)" blocking="render">', page)
    before, _, after = page.partition(f'id="{awaited}"')
    assert "<main" in before
    assert re.findall(r"<[^/]\w*", after) == []
