"""Directive lines: read, checked and written."""

import pytest

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
    ],
)
def test_a_wrong_value_is_told_with_what_it_should_be(key, value, right):
    assert (fault(key, value) is None) == right


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86400)]
)
def test_durations_are_seconds(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "1.5h", "-1s", "5 m"])
def test_a_wrong_duration_is_refused(text):
    with pytest.raises(ValueError, match="15m"):
        duration(text)
