"""Directives are read as the specification says, and decisions follow from them alone."""

import pytest

from billclock.scheduler.policies import (
    CatchUp,
    MailWhen,
    Options,
    Overlap,
    Start,
    on_overlap,
    read,
    retry_in,
    seconds,
)


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30), ("15m", 900), ("2h", 7200), ("1d", 86400), ("0s", 0)]
)
def test_durations_have_a_unit(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "15", "m", "-1m", "1.5h", "15 m", "1h30m", "٣s "])
def test_other_durations_are_refused(text):
    with pytest.raises(ValueError):
        seconds(text)


def test_every_directive_is_read():
    options, errors = read(
        {
            "timeout": "15m", "grace": "5s", "overlap": "queue", "catch-up": "once",
            "retries": "3", "backoff": "2m", "zone": "Europe/Berlin", "mail": "failure",
            "expected": "2h", "tags": "billing, night",
        }
    )  # fmt: skip
    assert errors == []
    assert options == Options(
        timeout=900, grace=5, overlap=Overlap.QUEUE, catch_up=CatchUp.ONCE, retries=3,
        backoff=120, zone="Europe/Berlin", mail=MailWhen.FAILURE, expected=7200,
        tags=("billing", "night"),
    )  # fmt: skip


def test_a_bad_value_keeps_the_default_and_is_told():
    options, errors = read({"timeout": "soon", "overlap": "maybe", "zone": "Mars/Olympus"})
    assert options == Options()
    assert [error.key for error in errors] == ["timeout", "overlap", "zone"]
    assert str(errors[0]) == "timeout=soon: expected a duration such as 30s, 15m or 2h"


def test_unknown_keys_are_left_alone():
    assert read({"colour": "blue"}) == (Options(), [])


@pytest.mark.parametrize(
    ("policy", "running", "waiting", "start"),
    [
        (Overlap.SKIP, 0, 0, Start.NOW),
        (Overlap.SKIP, 1, 0, Start.SKIP),
        (Overlap.QUEUE, 1, 0, Start.WAIT),
        (Overlap.QUEUE, 1, 1, Start.SKIP),
        (Overlap.ALLOW, 7, 0, Start.NOW),
        (Overlap.REPLACE, 1, 0, Start.REPLACE),
        (Overlap.REPLACE, 0, 0, Start.NOW),
    ],
)
def test_overlap(policy, running, waiting, start):
    assert on_overlap(policy, running=running, waiting=waiting) is start


def test_retries_wait_twice_as_long_each_time_and_end():
    options = Options(retries=3, backoff=60)
    assert [retry_in(options, attempt) for attempt in (1, 2, 3, 4)] == [60, 120, 240, None]
