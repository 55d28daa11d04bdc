"""Output as a reader sees it: no code that a terminal or a browser would act upon is left."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.web import terminal


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\n\ntwo", ["one", "", "two"]),
        (b"dos\r\nlines\r\n", ["dos", "lines"]),
        (b"\x1b[1;31mred\x1b[0m", ["red"]),
        (b"\x1b[38:2:1:2:3mtrue colour", ["true colour"]),
        (b"\x1b]0;a title\x07text", ["text"]),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        (b"\x1bPq~~\x1b\\after", ["after"]),
        (b"\x1b(Bplain\x1b7", ["plain"]),
        (b"10%\r50%\r100%\n", ["100%"]),
        (b"50%\r100%\r\n", ["100%"]),
        (b"bell\x07 nul\x00 del\x7f esc\x1b", ["bell^G nul^@ del^? esc^["]),
        (b"a\tb", ["a\tb"]),
        ("no\u00a0break".encode(), ["no\u00a0break"]),
        ("abc\u202edef".encode(), ["abc⟨U+202E⟩def"]),
        ("zero\u200bwidth".encode(), ["zero⟨U+200B⟩width"]),
        (b"\x85\xff", ["��"]),
        ("Привет, 世界 ✓".encode(), ["Привет, 世界 ✓"]),
    ],
)
def test_what_is_printed_and_what_is_seen(printed: bytes, seen: list[str]) -> None:
    assert terminal.lines(printed) == seen


CODES = st.text("\x1b[]0;m\x07\r\nab\u202e\x9b", max_size=60).map(str.encode)


@given(st.binary(max_size=300) | CODES)
def test_nothing_printed_acts_on_who_looks(printed: bytes) -> None:
    for line in terminal.lines(printed):
        kinds = {unicodedata.category(char) for char in line if char != "\t"}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
