"""The fonts of documents: which letters they have, whose they are, and a seller's own."""

import hashlib
import struct
import tomllib
from dataclasses import replace

import pytest

from billclock.billing.documents import fonts, lettering
from billclock.billing.documents.paper import Party
from billclock.billing.documents.rendering import render
from tests.billing.papers import SERVER, paper, text


def test_every_character_that_we_say_a_font_has_is_printed():
    known = fonts.fonts().repertoires
    codes = sorted(frozenset().union(*known))
    assert len(codes) > 2500
    letters = " ".join(chr(code) for code in codes)
    assert render(paper([replace(SERVER, text=letters)])).startswith(b"%PDF")


@pytest.mark.parametrize(
    "letters", ["abcXYZ0189", "äöüßéèñøłżğİı", "абвгдЯёЁіїєґүқһ", "αβγΩ", "€₽₴£¥₸₾№§–—−·“”«»…"]
)
def test_the_fonts_have_the_letters_of_europe(letters):
    regular = fonts.code_points(fonts.OWN / "inter" / "Inter_400Regular.ttf")
    assert {letter for letter in letters if ord(letter) not in regular} == set()
    assert lettering.printable(letters, [regular]) == letters


def test_a_mark_that_no_font_has_leaves_its_letter():
    latin = frozenset(map(ord, "ab e\u0301"))
    assert lettering.printable("a\u0334b", [latin]) == "ab"
    assert lettering.printable("e\u0301", [latin, frozenset({0xE9})]) == "é"
    assert lettering.printable("a\u0301", [frozenset({0x61}), frozenset({0x301})]) == "a"


def test_fonts_of_a_seller_come_after_ours(tmp_path):
    seller = paper(buyer=Party("Alef: א"))
    assert f"Alef: {lettering.BOX}" in text(render(seller))
    (tmp_path / "own.ttf").write_bytes(with_alef())
    assert {0x5D0, 0x5D1} <= fonts.code_points(tmp_path / "own.ttf")
    assert "Alef: א" in text(render(seller, more_fonts=tmp_path))
    assert f"Alef: {lettering.BOX}" in text(render(seller))


def with_alef() -> bytes:
    """Give our monospaced font with alef and bet where its table has Ө and ө, 0x4E8 and 0x4E9."""
    data = (fonts.OWN / "jetbrains-mono" / "JetBrainsMono_400Regular.ttf").read_bytes()
    cmap = struct.unpack_from(">I", data, data.index(b"cmap") + 8)[0]
    before, table = data[:cmap], data[cmap:]
    for theirs, ours in ((b"\x04\xe8", b"\x05\xd0"), (b"\x04\xe9", b"\x05\xd1")):
        table = table.replace(theirs, ours, 1)
    return before + table


def test_what_others_made_is_as_recorded():
    vendor = tomllib.loads((fonts.OWN / "VENDOR.toml").read_text(encoding="utf-8"))
    assert {path.name for path in fonts.OWN.iterdir()} == {"VENDOR.toml", *vendor}
    for name, package in vendor.items():
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (fonts.OWN / name).iterdir()
        }
        assert found == package["files"]
        assert package["licence"] == "OFL-1.1"
        assert "LICENSE" in found
