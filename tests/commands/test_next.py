"""`billclock next` says an expression in words and gives its moments."""

import json
from datetime import datetime

import pytest

from billclock import clock
from billclock.commands.billclock import main


def test_it_gives_the_words_and_then_a_moment_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["next", "30 2 * * *", "--zone", "Europe/Berlin", "--from", "2027-03-26T12:00"])
    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "Every day at 02:30",
        "2027-03-27T02:30:00+01:00",
        "2027-03-28T03:00:00+02:00",
        "2027-03-29T02:30:00+02:00",
        "2027-03-30T02:30:00+02:00",
        "2027-03-31T02:30:00+02:00",
    ]


def test_it_begins_now_where_no_moment_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with clock.at(datetime.fromisoformat("2030-01-01T00:00:30+00:00")):
        assert main(["next", "* * * * *", "--zone", "UTC", "-n", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2030-01-01T00:01:00+00:00"


def test_a_moment_with_an_offset_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["next", "@hourly", "--zone", "UTC", "--from", "2027-01-01T00:30+05:00", "-n", "1"])
        == 0
    )
    assert capsys.readouterr().out.splitlines()[1] == "2026-12-31T20:00:00+00:00"


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["next", "@daily", "--zone", "Asia/Tokyo", "--from", "2027-01-01", "-n", "2", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == {
        "expression": "@daily",
        "words": "Every day at 00:00",
        "zone": "Asia/Tokyo",
        "next": ["2027-01-02T00:00:00+09:00", "2027-01-03T00:00:00+09:00"],
    }


def test_at_start_up_has_no_moments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next", "@reboot"]) == 0
    assert capsys.readouterr().out == "At start-up\n"


def test_the_end_of_the_calendar_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["next", "0 0 1 1 *", "--zone", "UTC", "--from", "9998-06-01", "-n", "9"]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["9999-01-01T00:00:00+00:00"]


def test_a_bad_expression_is_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next", "0 24 * * *"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "billclock next: hour: 24 is out of range 0-23 (column 3)",
        "  0 24 * * *",
        "    ^",
        "  did you mean: 0 0 * * *",
    ]


def test_a_long_bad_expression_is_cut_to_the_place_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["next", ",".join(["1"] * 3000) + ",x * * * *"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[1][lines[2].index("^")] == "x"
    assert max(map(len, lines[1:])) < 110


def test_control_characters_do_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next", "\x1b[31m5\0 * * * *"]) == 1
    assert "\x1b" not in (told := capsys.readouterr().err)
    assert "\0" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "99999-01-01"], "--from: '99999-01-01' is not a moment"),
        (["--from", "9999-12-31T23:59-12:00"], "is not a moment"),
        (["--from", "yesterday"], "is not a moment"),
        (["--zone", "Europe/Berln"], "there is no zone 'Europe/Berln'"),
        (["--zone", "../../etc/passwd"], "there is no zone"),
        (["--zone", "a\0b"], "there is no zone"),
        (["-n", "0"], "0 is out of range 1-100000"),
        (["-n", "1000000000000"], "out of range"),
        (["-n", "-1"], "'-1' is not a number"),
    ],
)
def test_wrong_options_are_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["next", "@daily", *words]) == 2
    assert told in capsys.readouterr().err
