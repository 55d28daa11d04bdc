"""Directive lines: read, checked and written."""

import pytest

from billclock.cron import conditions
from billclock.cron.crontab import Crontab
from billclock.cron.directives import duration, fault, read_directives


def test_values_stand_bare_or_in_quotes():
    raw = b'# billclock: timeout=15m tags="a, b" note="say \\"hi\\"" empty='
    values, rest = read_directives(raw)
    assert values == {"timeout": "15m", "tags": "a, b", "note": 'say "hi"', "empty": ""}
    assert rest == ""


def test_what_cannot_be_read_is_given_back():
    assert read_directives(b"# billclock: a=1 junk b=2") == ({"a": "1"}, "junk b=2")
    assert read_directives(b'# billclock: a="open') == ({}, 'a="open')


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("timeout", "15m", True),
        ("timeout", "soon", False),
        ("overlap", "queue", True),
        ("overlap", "wait", False),
        ("catch-up", "once", True),
        ("catch-up", "all", False),
        ("retries", "3", True),
        ("retries", "-1", False),
        ("retries", "³", False),
        ("zone", "Europe/Riga", True),
        ("zone", "../etc/passwd", False),
        ("mail", "failure", True),
        ("mail", "sometimes", False),
        ("tags", "a,b", True),
        ("unknown", "anything", True),
        ("user", "www-data", True),
        ("user", "www data", False),
        ("workdir", "/srv/my app", True),
        ("workdir", "srv", False),
        ("env", "LANG=C MODE='two words' EMPTY=", True),
        ("env", "", False),
        ("env", "1ST=x", False),
        ("env", "MODE='open", False),
        ("env", "USER=root", False),
        ("success", "0,3,10-12", True),
        ("success", "256", False),
        ("success", "12-10", False),
        ("success", "0,", False),
        ("nice", "-5", True),
        ("nice", "20", False),
        ("nice", "٣", False),
        ("ionice", "best-effort:7", True),
        ("ionice", "idle", True),
        ("ionice", "idle:1", False),
        ("ionice", "realtime:8", False),
        ("memory", "512M", True),
        ("memory", "0M", False),
        ("memory", "512", False),
        ("keep", "90d,50M", True),
        ("keep", "1G", True),
        ("keep", "90d,30d", False),
        ("keep", "0d", False),
    ],
)
def test_a_wrong_value_is_told_with_what_it_should_be(key, value, right):
    assert (fault(key, value) is None) == right


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86400), ("0s", 0)]
)
def test_durations_are_seconds(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-1s", "5 m", "1h30m", "٣s"])
def test_a_wrong_duration_is_refused(text):
    with pytest.raises(ValueError, match="15m"):
        duration(text)


def test_conditions_are_read_as_they_are_meant():
    assert conditions.codes("0,3,10-12") == {0, 3, 10, 11, 12}
    assert conditions.ranges({12, 0, 3, 10, 11}) == "0,3,10-12"
    assert conditions.variables("A=1 B='two words' C=") == {"A": "1", "B": "two words", "C": ""}
    assert conditions.input_output("best-effort") == (2, 4)
    assert conditions.size("2G") == 2 * 1024**3
    assert conditions.keeping("50M,90d") == (90, 50 * 1024**2)


def test_a_wrong_variable_is_told_without_its_value():
    assert "hunter2" not in str(fault("env", "PASSWORD='hunter2"))


def test_conditions_come_back_from_the_line_they_are_written_to():
    wanted = {"env": "A='two words' B=\"it's\"", "success": "0,3", "workdir": "/srv/my app"}
    table = Crontab.parse(b"").add("@daily", b"true", directives=wanted)
    assert Crontab.parse(bytes(table)).entries[0].directives == wanted


@pytest.mark.parametrize("text", ["3661d", "999999999d", "999999999h", "999999999s"])
def test_a_duration_that_leads_out_of_the_calendar_is_refused(text):
    """One table with `expected=999999999d` kept everybody from the Problems tab."""
    with pytest.raises(ValueError, match="ten years"):
        duration(text)
    assert fault("expected", text) is not None
