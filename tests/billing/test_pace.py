"""Chunks follow the machine: smaller where they take long, larger where they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.billing.daily.pace import AIM, MOST, PART, Pace

LIMIT = 0.25  # seconds that a write may take: "Must reach" of the books


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("a_second", [10_000, 15_000, 30_000, 1_000_000])
def test_chunks_settle_under_the_limit_on_any_machine(engine: str, a_second: int) -> None:
    pace = Pace.of(engine)
    for _ in range(20):
        pace.heard(pace.size / a_second)
    assert pace.size / a_second <= LIMIT
    assert pace.size == MOST[engine] or pace.size / a_second > AIM * 0.9


def test_a_machine_that_slows_down_is_followed_at_once() -> None:
    pace = Pace.of("postgresql")
    for seconds in (0.01, 0.01, 0.01):
        pace.heard(seconds)
    assert pace.size == MOST["postgresql"]
    pace.heard(0.5)
    assert pace.size == MOST["postgresql"] // 2


def test_what_each_chunk_costs_anyway_does_not_make_them_tiny() -> None:
    pace = Pace.of("postgresql")
    for _ in range(50):
        pace.heard(0.4 + pace.size / 10_000)
    assert pace.size == MOST["postgresql"] // PART


@given(st.lists(st.floats(min_value=0, max_value=3600)))
def test_no_time_makes_a_chunk_empty_or_endless(times: list[float]) -> None:
    pace = Pace.of("sqlite")
    for seconds in times:
        pace.heard(seconds)
        assert MOST["sqlite"] // PART <= pace.size <= MOST["sqlite"]


@given(st.lists(st.floats(min_value=0, max_value=3600)))
def test_a_size_that_was_asked_for_is_kept(times: list[float]) -> None:
    pace = Pace.held(7)
    for seconds in times:
        pace.heard(seconds)
    assert pace.size == 7
