"""A run's output in coloured lines: safe, the same from any place on, whatever was printed."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billclock.scheduler import output
from billclock.web import terminal
from billclock.web.run_output import LONGEST, Place, Reading, pieces

CODES = st.text("\x1b[]01349;m\x07\r\nab\u202e\x9b", max_size=60).map(str.encode)


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b"plain", [("", "plain")]),
        (b"\x1b[31mred\x1b[0m not", [("a1", "red"), ("", " not")]),
        (b"\x1b[1;32mok\x1b[22m!", [("a2 ab", "ok"), ("a2", "!")]),
        (b"\x1b[91mbright\x1b[39m", [("a1", "bright")]),
        (b"\x1b[38;5;196mone of 256", [("", "one of 256")]),
        (b"\x1b[38;2;1;2;31;4mof all", [("au", "of all")]),
        (b"\x1b[4;3mboth\x1b[24m", [("ai au", "both")]),
        (b"\x1b[31m10%\r\x1b[32m100%", [("a2", "100%")]),
        (b"\x1b[2K\x1b[1Amoved", [("", "moved")]),
        (b"\x1b[999999999999999999m\x1b[;;m.", [("", ".")]),
    ],
)
def test_colours_are_classes(printed: bytes, seen: list[tuple[str, str]]) -> None:
    assert pieces(printed)[0] == seen


def test_a_colour_lasts_until_it_ends() -> None:
    _, style = pieces(b"\x1b[31mbegun")
    assert pieces(b"still", style)[0] == [("a1", "still")]


@given(st.binary(max_size=300) | CODES)
def test_nothing_printed_acts_on_who_looks(printed: bytes) -> None:
    found, style = pieces(printed)
    for kind, text in found:
        kinds = {unicodedata.category(char) for char in text if char != "\t"}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert set(kind) <= set("a01234567bdiu ")
    assert Place.read(str(Place(5, 2, style))) == Place(5, 2, style)


@given(CODES.filter(lambda data: b"\x1b]" not in data))
def test_the_text_is_that_of_the_terminal(printed: bytes) -> None:
    line = printed.partition(b"\n")[0]
    seen = terminal.lines(line + b"\n")
    assert "".join(text for _, text in pieces(line)[0]) == seen[0]


@pytest.mark.parametrize(
    "text", ["", "x", "1.2", "-1.1.", "1.1.<script>", "1.1.9", "²..", "1" * 99]
)
def test_a_place_that_is_none_is_the_beginning(text: str) -> None:
    assert Place.read(text) == Place()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=40) | CODES, max_size=8))
def test_lines_are_the_same_however_they_come(parts: list[bytes]) -> None:
    output.write_all(1, b"".join(parts))
    whole = [line.text for line in Reading(1).lines()]
    place = output.path(1)
    place.write_bytes(b"")
    reading, found = Reading(1), dict[int, str]()
    for part in parts:
        with place.open("ab") as file:
            file.write(part)
        for line in reading.lines():
            found[line.number] = line.text
        reading = Reading(1, Place.read(str(reading.place)))
    assert list(found.values()) == whole


def test_a_line_without_end_goes_on_as_the_next() -> None:
    output.write_all(2, "ж".encode() * LONGEST)
    lines = [line.text for line in Reading(2).lines()]
    assert "".join(lines) == "ж" * LONGEST
    assert len(lines) > 1


def test_what_is_not_kept_is_told_where_it_is_missing() -> None:
    output.write_all(3, b"first\n" + b"." * 3_000_000 + b"\nlast\n")
    lines = list(Reading(3).lines())
    (gap,) = [line for line in lines if line.left_out]
    assert gap.left_out == 3_000_000 + 12 - output.HEAD - output.TAIL
    assert lines[0].text == "first"
    assert lines[-1].text == "last"
