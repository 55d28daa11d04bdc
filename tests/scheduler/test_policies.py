"""Directives are read as the specification says, and decisions follow from them alone."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billclock.cron.conditions import InputOutput, Keep
from billclock.cron.directives import KEYS, fault
from billclock.scheduler.policies import (
    CatchUp,
    MailWhen,
    Options,
    Overlap,
    Start,
    on_overlap,
    read,
    retry_in,
)


@given(
    st.sampled_from(sorted(KEYS)),
    st.one_of(
        st.text(max_size=12),
        st.from_regex(r"-?[0-9]{0,11}[smhd]?", fullmatch=True),
        st.sampled_from(["٣s", "²", "1 m", "15m\n", "once", "queue", "Europe/Riga", ".", "a/../b"]),
    ),
)
@example("timeout", "1234567890s")
@example("retries", "1000")
@example("retries", "٣")
@example("zone", "")
@example("name", "")
@example("on-success", " ")
@example("on-failure", "")
def test_what_lint_finds_right_is_read_and_what_it_refuses_is_not(key, value):
    _, errors = read({key: value})
    if key == "name":
        assert not errors, "it is for other entries to say, and has no policy"
        return
    assert (fault(key, value) is None) == (not errors)


def test_every_directive_is_read():
    options, errors = read(
        {
            "timeout": "15m", "grace": "5s", "overlap": "queue", "catch-up": "once",
            "retries": "3", "backoff": "2m", "zone": "Europe/Berlin", "mail": "failure",
            "expected": "2h", "tags": "billing, night", "user": "www-data", "workdir": "/srv",
            "env": "LANG=C A='1 2'", "success": "0,3-4", "nice": "10", "ionice": "idle",
            "memory": "512M", "keep": "90d,1M",
        }
    )  # fmt: skip
    assert errors == []
    assert options == Options(
        timeout=900, grace=5, overlap=Overlap.QUEUE, catch_up=CatchUp.ONCE, retries=3,
        backoff=120, zone="Europe/Berlin", mail=MailWhen.FAILURE, expected=7200,
        tags=("billing", "night"), user="www-data", folder="/srv",
        variables={"LANG": "C", "A": "1 2"}, success=frozenset((0, 3, 4)), nice=10,
        input_output=InputOutput(3, 0), memory=512 * 1024**2, keep=Keep(90, 1024**2),
    )  # fmt: skip


def test_a_bad_value_keeps_the_default_and_is_told():
    options, errors = read({"timeout": "soon", "overlap": "maybe", "zone": "Mars/Olympus"})
    assert options == Options()
    assert [error.key for error in errors] == ["timeout", "overlap", "zone"]
    assert str(errors[0]) == "timeout=soon: expected a duration such as 30s, 15m or 2h"


ABOVE = {
    "CRON_OVERLAP": "queue",
    "CRON_TIMEOUT": "2h",
    "CRON_CATCH_UP": "once",
    "CRON_MAIL": "never",
}


def test_what_an_entry_lacks_its_table_says():
    options, errors = read({"timeout": "5m", "retries": "1"}, {"PATH": "/bin", **ABOVE})
    assert errors == []
    assert options == Options(
        timeout=300, overlap=Overlap.QUEUE, catch_up=CatchUp.ONCE, mail=MailWhen.NEVER, retries=1
    )


def test_a_bad_value_of_an_entry_leaves_what_its_table_says():
    options, errors = read({"overlap": "maybe"}, ABOVE)
    assert (options.overlap, [error.key for error in errors]) == (Overlap.QUEUE, ["overlap"])


@pytest.mark.parametrize("value", ["", "soon", "2h\n", "٣h"])
def test_a_bad_value_of_a_table_counts_as_not_set(value):
    assert read({}, {"CRON_TIMEOUT": value}) == (Options(), [])


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
