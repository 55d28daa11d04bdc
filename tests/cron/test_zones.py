"""Clock changes: told apart by a second, minute by minute reading of the same policy."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron import Expression, zones

from .strategies import ZONES, busy_expressions

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
    ("America/St_Johns", datetime(2010, 3, 14, 3, 31)),
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31)),
    ("Asia/Tehran", datetime(2021, 3, 21, 20, 30)),
    ("America/Havana", datetime(2026, 11, 1, 5)),
    ("America/Nuuk", datetime(2026, 3, 29, 1)),
    ("Antarctica/Casey", datetime(2018, 10, 6, 20)),
    ("Antarctica/Casey", datetime(2018, 3, 10, 18)),
    ("Antarctica/Troll", datetime(2026, 3, 29, 1)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10)),
    ("Pacific/Fakaofo", datetime(2011, 12, 30, 11)),
    ("Asia/Pyongyang", datetime(2018, 5, 4, 15)),
    ("America/Caracas", datetime(2016, 5, 1, 7)),
    ("Asia/Kathmandu", datetime(2026, 1, 1)),
]


def wall_of(zone, instant):
    return instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def read_minute_by_minute(expression, zone, start, end):
    """Return the UTC minutes at which an entry runs, found by watching the wall clock go by."""
    real_time = expression.minute_star or expression.hour_star
    runs = []
    latest = wall_of(zone, start - HOUR)
    instant = start - HOUR + MINUTE
    while instant < end:
        wall = wall_of(zone, instant)
        gap = wall - latest - MINUTE
        if real_time or gap == timedelta():
            runs += [instant] * expression.matches(wall)
        elif gap > timedelta():
            from_here = latest + MINUTE if gap <= 3 * HOUR else wall
            shown = (from_here + i * MINUTE for i in range((wall - from_here) // MINUTE + 1))
            runs += [instant] * any(expression.matches(minute) for minute in shown)
        latest = max(latest, wall)
        instant += MINUTE
    return [run for run in runs if run >= start]


def ours(expression, zone, start, end):
    moments = expression.between(*(at.replace(tzinfo=UTC).astimezone(zone) for at in (start, end)))
    return [moment.astimezone(UTC).replace(tzinfo=None) for moment in moments]


def assert_policy(expression, zone, change, hours=30):
    start, end = change - hours * HOUR, change + hours * HOUR
    assert ours(expression, zone, start, end) == read_minute_by_minute(expression, zone, start, end)


@given(busy_expressions, st.sampled_from(CHANGES))
def test_clock_changes_follow_the_policy(expression, change):
    name, instant = change
    assert_policy(expression, ZoneInfo(name), instant)


@pytest.mark.parametrize(("name", "instant"), CHANGES)
def test_fixed_times_and_real_time_around_each_change(name, instant):
    for text in (
        "30 * * * *",
        "*/20 2 * * *",
        "30 0,1,2,3,23 * * *",
        "0 0-23 * * *",
        "1-59 2 * * *",
    ):
        assert_policy(Expression.parse(text), ZoneInfo(name), instant)


def test_a_gap_of_three_hours_is_made_up_for_once():
    casey = ZoneInfo("Antarctica/Casey")
    runs = told(Expression.parse("0,30 4,5,6 * * *"), datetime(2018, 10, 7, tzinfo=casey), hours=12)
    assert runs == ["2018-10-07T07:00:00+11:00"]


def told(expression, start, hours):
    end = (start.astimezone(UTC) + hours * HOUR).astimezone(start.tzinfo)
    return [moment.isoformat() for moment in expression.between(start, end)]


def test_a_skipped_day_is_lost():
    apia = ZoneInfo("Pacific/Apia")
    runs = told(Expression.parse("0 12 * * *"), datetime(2011, 12, 29, tzinfo=apia), hours=60)
    assert runs == ["2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00"]


def test_a_repeated_hour_is_told_apart_by_fold():
    berlin = ZoneInfo("Europe/Berlin")
    hourly = Expression.parse("30 * * * *")
    first, second = hourly.between(
        datetime(2026, 10, 25, 2, tzinfo=berlin), datetime(2026, 10, 25, 3, tzinfo=berlin)
    )
    assert (first.fold, second.fold) == (0, 1)
    assert hourly.next(first).fold == 1
    assert hourly.next(second) == datetime(2026, 10, 25, 3, 30, tzinfo=berlin)
    assert hourly.previous(second).fold == 0


def test_asked_from_within_a_gap_the_answer_lies_after_it():
    moment = datetime(2026, 3, 29, 2, 15, tzinfo=ZoneInfo("Europe/Berlin"))
    following = Expression.parse("30 * * * *").next(moment)
    assert following.isoformat() == "2026-03-29T03:30:00+02:00"


def changes_of(zone, year):
    """Return the hours of a year (UTC) within which the zone's clocks change."""
    days = [datetime(year, 1, 1) + timedelta(days=i) for i in range(367)]
    return [
        hour + HOUR
        for one, other in pairwise(days)
        if offset_of(zone, one) != offset_of(zone, other)
        for hour in (one + i * HOUR for i in range(24))
        if offset_of(zone, hour) != offset_of(zone, hour + HOUR)
    ]


def offset_of(zone, instant):
    return instant.replace(tzinfo=UTC).astimezone(zone).utcoffset()


def assert_strictly_increasing(zone, instant):
    for text in ("* * * * *", "*/7 */2 * * *", "30 0-23 * * *", "15 2 * * *", "59 23 * * *"):
        moments = ours(Expression.parse(text), zone, instant - 30 * HOUR, instant + 30 * HOUR)
        assert moments
        assert all(one < other for one, other in pairwise(moments)), (zone, instant, text)


def test_moments_strictly_increase_over_a_sample_of_all_changes():
    chance = random.Random()
    for name in chance.sample(ZONES, 12):
        zone = ZoneInfo(name)
        for instant in changes_of(zone, chance.randint(2000, 2040)):
            assert_strictly_increasing(zone, instant)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+1", "UTC"])
def test_a_zone_is_found_by_its_name(name):
    assert zones.named(name).key == name


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "../etc/passwd", "/etc", "a/" * 300 + "b", "x" * 5000, "a\x00b", "\udcff"],
)
def test_what_is_no_zones_name_is_told_in_one_way_however_it_is_made(name):
    with pytest.raises(ValueError, match="there is no zone"):
        zones.named(name)


@pytest.mark.long
def test_every_change_of_every_zone_follows_the_policy():
    expressions = [Expression.parse(text) for text in ("*/15 * * * *", "10,40 0-23 * * *")]
    seen = set()
    for name in ZONES:
        zone = ZoneInfo(name)
        for instant in (change for year in range(2000, 2041) for change in changes_of(zone, year)):
            change = (instant, *(wall_of(zone, instant + i * HOUR) for i in (-1, 1)))
            if change in seen:
                continue
            seen.add(change)
            assert_strictly_increasing(zone, instant)
            for expression in expressions:
                assert_policy(expression, zone, instant, hours=6)
