"""The load of a stretch of time: what is counted is what the expressions' own moments say."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billclock.cron import Expression
from billclock.scheduler.load import Load, load, quiet
from tests.cron.strategies import expressions

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def schedules(*texts: str, zone=UTC):
    return Counter((Expression.parse(text), zone) for text in texts)


def test_entries_of_one_minute_are_counted_together():
    found = load(schedules("0 1 * * *", "0 1 * * *", "*/30 1 * * *"), NOON, NOON + DAY)
    assert found.total == 4
    assert found.peak == (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), 3)


def test_the_start_is_included_and_the_end_is_not():
    assert load(schedules("0 12 * * *"), NOON, NOON + DAY).total == 1
    assert load(schedules("0 12 * * *"), NOON + timedelta(seconds=30), NOON + DAY).total == 0
    assert load(schedules("1 12 * * *"), NOON, NOON + timedelta(minutes=1)).total == 0


def test_nothing_has_no_peak():
    found = load(schedules("@reboot"), NOON, NOON + DAY)
    assert (found.total, found.peak) == (0, None)
    assert load({}, NOON, NOON).counts == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"])
@given(expression=expressions, day=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_each_minute_has_the_starts_of_the_engines_own_moments(zone, expression, day):
    local = ZoneInfo(zone)
    start = NOON + day * DAY
    found = load({(expression, local): 2}, start, start + 3 * DAY)
    moments = expression.between(start.astimezone(local), (start + 3 * DAY).astimezone(local))
    expected = Counter((m.astimezone(UTC) - start) // timedelta(minutes=1) for m in moments)
    assert {at: n for at, n in enumerate(found.counts) if n} == dict.fromkeys(expected, 2)


def test_parts_show_their_fullest_minute():
    found = Load(NOON, [0, 3, 1, 0, 0, 2])
    assert found.fullest(3) == [3, 1, 2]
    assert found.fullest(12) == [0, 0, 3, 3, 1, 1, 0, 0, 0, 0, 2, 2]


def test_days_are_those_of_the_zone_a_day_of_25_hours_too():
    start = datetime(2026, 10, 24, tzinfo=BERLIN)
    found = load(schedules("0 * * * *", zone=BERLIN), start, start + 3 * DAY)
    assert found.of_days(BERLIN) == {
        date(2026, 10, 24): 24,
        date(2026, 10, 25): 25,
        date(2026, 10, 26): 24,
    }


def test_the_quietest_minute_nearby_is_proposed():
    crowded = schedules("0-10 1 * * *", "11 1 * * 0", "59 0 * * *", "55-58 0 1 1 *")
    assert quiet(crowded, 60, NOON) == (58, 0)
    assert quiet(crowded, 12 * 60, NOON) == (12 * 60, 0)
    assert quiet(schedules("* * * * *", "*/2 * * * *"), 0, NOON) == (1, 1)


def test_two_loads_of_the_same_minutes_add_up():
    both = Load(NOON, [1, 0]).plus(Load(NOON, [2, 1]))
    assert both.counts == [3, 1]
