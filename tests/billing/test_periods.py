"""Periods tile the calendar from their anchor, and what they cost tiles their price."""

import sqlite3
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.billing import periods
from billclock.billing.errors import PeriodError
from billclock.billing.periods import Flaw, Period, Seam, add_months
from tests import postgres

DAY = timedelta(days=1)

dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))
anchors = st.integers(1, 31)
lengths = st.sampled_from(periods.LENGTHS)
prices = st.integers(0, 10**12)


@st.composite
def spans(draw) -> Period:
    start = draw(dates)
    return Period(start, start + draw(st.integers(1, 1200)) * DAY)


def chain(start: date, months: int, anchor_day: int, count: int) -> list[Period]:
    """Renew again and again from the end of the last period, as billing does."""
    ends = [start]
    for _ in range(count):
        ends.append(add_months(ends[-1], months, anchor_day))
    return [Period(*days) for days in pairwise(ends)]


# Periods


def test_a_period_is_half_open():
    july = Period(date(2026, 7, 1), date(2026, 8, 1))
    assert july.days == 31
    assert july.last == date(2026, 7, 31)
    assert july.start in july
    assert july.end not in july
    assert str(july) == "2026-07-01 to 2026-07-31"


def test_a_period_counts_its_days_before_a_date():
    july = Period(date(2026, 7, 1), date(2026, 8, 1))
    asked = (date(2026, 6, 1), july.start, date(2026, 7, 2), july.end, date(2027, 1, 1))
    assert [july.before(on) for on in asked] == [0, 0, 1, 31, 31]


@pytest.mark.parametrize("end", [date(2026, 7, 1), date(2026, 6, 30)])
def test_a_period_has_at_least_a_day(end):
    with pytest.raises(PeriodError, match="no day lies"):
        Period(date(2026, 7, 1), end)


# Anchored months


@pytest.mark.parametrize(
    ("start", "months", "anchor_day", "ends"),
    [
        ("2026-01-31", 1, 31, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2024-01-31", 1, 31, ["2024-02-29", "2024-03-31"]),
        ("2026-01-30", 1, 30, ["2026-02-28", "2026-03-30", "2026-04-30"]),
        ("2026-01-29", 1, 29, ["2026-02-28", "2026-03-29"]),
        ("2024-02-29", 12, 29, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2024-02-29", 24, 29, ["2026-02-28", "2028-02-29"]),
        ("2024-02-29", 36, 29, ["2027-02-28", "2030-02-28", "2033-02-28", "2036-02-29"]),
        ("2025-11-30", 3, 30, ["2026-02-28", "2026-05-30", "2026-08-30"]),
        ("2025-08-31", 6, 31, ["2026-02-28", "2026-08-31"]),
        ("2026-12-15", 1, 15, ["2027-01-15"]),
        ("2026-07-12", 1, 1, ["2026-08-01", "2026-09-01"]),
        ("2096-02-29", 12, 29, ["2097-02-28", "2098-02-28", "2099-02-28", "2100-02-28"]),
    ],
)
def test_renewals_come_back_to_the_anchor(start, months, anchor_day, ends):
    chained = chain(date.fromisoformat(start), months, anchor_day, len(ends))
    assert [period.end.isoformat() for period in chained] == ends


@given(dates, st.integers(-600, 600), anchors)
def test_an_anchored_date_is_of_its_month_and_as_near_the_anchor_as_can_be(on, months, anchor_day):
    found = add_months(on, months, anchor_day)
    assert found.year * 12 + found.month == on.year * 12 + on.month + months
    assert found.day == anchor_day or (found.day < anchor_day and (found + DAY).day == 1)


@given(dates, lengths, anchors)
def test_renewing_step_by_step_is_reckoning_from_the_start(start, months, anchor_day):
    chained = chain(start, months, anchor_day, 40)
    assert periods.gaps_and_overlaps(chained) == []
    assert [period.end for period in chained] == [
        add_months(start, months * count, anchor_day) for count in range(1, 41)
    ]


@pytest.mark.parametrize("anchor_day", [0, 32, -1])
def test_an_anchor_is_a_day_of_a_month(anchor_day):
    with pytest.raises(PeriodError, match="not between 1 and 31"):
        add_months(date(2026, 1, 1), 1, anchor_day)


@given(dates, lengths, anchors)
def test_the_months_of_a_period_tile_it(start, months, anchor_day):
    parts = periods.months_of(start, months, anchor_day)
    assert len(parts) == months
    assert parts[0].start == start
    assert parts[-1].end == add_months(start, months, anchor_day)
    assert periods.gaps_and_overlaps(parts) == []


# SQL

YEARS = 30


def starts() -> list[date]:
    """Give days of every month of 30 years: its first, a middle one and its ends."""
    every = (date(2023, 12, 31) + count * DAY for count in range(YEARS * 366))
    return [on for on in every if on.day in (1, 15) or on.day >= 28]


def check_next_ends(execute, vendor: str, mark: str) -> int:
    execute("CREATE TABLE service (n integer, paid_until date)")
    execute("CREATE TABLE terms (months smallint, anchor_day smallint)")
    for number, on in enumerate(starts()):
        execute(f"INSERT INTO service VALUES ({mark}, {mark})", (number, on.isoformat()))
    for months in periods.LENGTHS:
        for anchor_day in range(1, 32):
            execute(f"INSERT INTO terms VALUES ({mark}, {mark})", (months, anchor_day))
    end = periods.next_end_sql("paid_until", "months", "anchor_day", vendor)
    # A parameter is given so that a % sign in the expression would not pass.
    query = f"SELECT paid_until, months, anchor_day, {end} FROM service, terms WHERE n >= {mark}"
    found = execute(query, (0,)).fetchall()
    wrong = [
        (on, months, anchor_day, ends)
        for on, months, anchor_day, ends in found
        if str(ends) != str(add_months(_date(on), months, anchor_day))
    ]
    execute("DROP TABLE service")
    execute("DROP TABLE terms")
    assert wrong == []
    return len(found)


def _date(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


EVERY = len(starts()) * len(periods.LENGTHS) * 31


def test_sqlite_finds_the_same_next_date_in_thirty_years_for_every_anchor():
    connection = sqlite3.connect(":memory:")
    assert check_next_ends(connection.execute, "sqlite", "?") == EVERY
    connection.close()


@pytest.mark.postgres
def test_postgresql_finds_the_same_next_date_in_thirty_years_for_every_anchor(postgres_database):
    with postgres.connected(postgres_database) as connection:
        connection.execute("SET TIME ZONE 'Pacific/Apia'")  # it once left out a date
        assert check_next_ends(connection.execute, "postgresql", "%s") == EVERY


def test_other_engines_have_no_next_date():
    with pytest.raises(ValueError, match="neither sqlite nor postgresql"):
        periods.next_end_sql("paid_until", "months", "anchor_day", "mysql")


# The calendar cycle


@pytest.mark.parametrize(
    ("on", "prorata_day", "end"),
    [
        ("2026-07-12", 15, "2026-08-01"),
        ("2026-07-17", 15, "2026-09-01"),
        ("2026-07-14", 15, "2026-08-01"),
        ("2026-07-15", 15, "2026-09-01"),
        ("2026-07-01", 15, "2026-08-01"),
        ("2026-12-12", 15, "2027-01-01"),
        ("2026-12-17", 15, "2027-02-01"),
        ("2026-07-01", 1, "2026-09-01"),
        ("2026-07-31", 31, "2026-09-01"),
        ("2026-02-28", 31, "2026-03-01"),
    ],
)
def test_a_calendar_order_runs_to_a_first(on, prorata_day, end):
    period = periods.calendar_first(date.fromisoformat(on), prorata_day)
    assert period == Period(date.fromisoformat(on), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("on", "prorata_day", "price", "costs"),
    [
        ("2026-07-12", 15, 3100, 2000),  # 20 of 31 days
        ("2026-07-17", 15, 3100, 1500 + 3100),
        ("2026-07-01", 15, 3100, 3100),
        ("2026-07-31", 15, 3100, 100 + 3100),
        ("2026-02-28", 31, 2800, 100),
        ("2028-02-29", 31, 2900, 100),
        ("2026-06-16", 17, 99, 50),  # 15 of 30 days: 49.5
    ],
)
def test_a_calendar_order_pays_the_rest_of_its_month(on, prorata_day, price, costs):
    assert periods.calendar_first_price(price, date.fromisoformat(on), prorata_day) == costs


@given(dates, anchors, prices)
def test_a_part_month_is_its_days_share(on, prorata_day, price):
    first = periods.calendar_first(on, prorata_day)
    length = (add_months(on, 1, 1) - on.replace(day=1)).days
    rest = Fraction(price * (length - on.day + 1), length)
    whole = 0 if on.day < prorata_day else price
    assert abs(periods.calendar_first_price(price, on, prorata_day) - whole - rest) <= Fraction(
        1, 2
    )
    assert first.end == add_months(on, 1 if on.day < prorata_day else 2, 1)


@pytest.mark.parametrize(
    ("on", "end", "costs"),
    [
        ("2026-07-12", "2027-07-01", 3100 * 11 + 2000),
        ("2026-07-17", "2027-08-01", 3100 * 12 + 1500),
    ],
)
def test_a_longer_calendar_period_counts_the_part_month_the_same_way(on, end, costs):
    on = date.fromisoformat(on)
    assert periods.calendar_first(on, 15, 12).end == date.fromisoformat(end)
    assert periods.calendar_first_price(3100 * 12, on, 15, 12) == costs


# Days and hours


@given(dates, prices)
def test_the_days_of_a_month_cost_its_price(on, price):
    month = Period(add_months(on, 0, 1), add_months(on, 1, 1))
    days = [month.start + count * DAY for count in range(month.days)]
    assert sum(periods.day_price(price, day) for day in days) == price


@pytest.mark.parametrize(
    ("on", "zone", "hours"),
    [
        ("2026-07-12", "Europe/Berlin", 24),
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-10-25", "Europe/Moscow", 24),
        ("2026-03-29", "UTC", 24),
        ("2026-11-01", "America/New_York", 25),
        ("2026-03-08", "America/New_York", 23),
        ("2026-07-12", "Asia/Kolkata", 24),
        ("2018-11-04", "America/Sao_Paulo", 23),  # midnight is left out
        ("2026-11-01", "America/Havana", 25),  # midnight comes twice
        ("2011-12-30", "Pacific/Apia", 0),  # the date is left out
    ],
)
def test_a_date_has_the_hours_of_its_zone(on, zone, hours):
    assert periods.hours_of(date.fromisoformat(on), ZoneInfo(zone)) == hours


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
)
def test_no_hour_is_of_two_dates_or_of_none(zone):
    days = [date(2018, 1, 1) + count * DAY for count in range(365)]
    assert sum(periods.hours_of(day, ZoneInfo(zone)) for day in days) in {365 * 24 - 1, 365 * 24}
    assert {periods.hours_of(day, ZoneInfo(zone)) for day in days} <= {23, 24, 25}


# Parts of a period's price


@given(spans(), prices, st.data())
def test_two_parts_of_a_period_add_up(period, price, data):
    on = data.draw(st.dates(period.start, period.end))
    unused = periods.unused_price(price, period, on)
    used = price - unused
    assert 0 <= unused <= price
    if on == period.start:
        assert unused == price
    elif on == period.end:
        assert unused == 0
    else:
        assert periods.part_price(price, period, Period(period.start, on)) == used
        assert periods.part_price(price, period, Period(on, period.end)) == unused


def test_the_day_of_leaving_is_not_billed():
    june = Period(date(2026, 6, 1), date(2026, 7, 1))
    assert periods.unused_price(3000, june, date(2026, 6, 1)) == 3000
    assert periods.unused_price(3000, june, date(2026, 6, 30)) == 100
    assert periods.unused_price(3000, june, date(2026, 7, 1)) == 0
    assert periods.unused_price(3000, june, date(2026, 8, 1)) == 0
    assert periods.unused_price(3000, june, date(2026, 5, 1)) == 3000


def test_days_outside_of_a_period_have_no_price():
    june = Period(date(2026, 6, 1), date(2026, 7, 1))
    for part in (
        Period(date(2026, 5, 31), date(2026, 6, 2)),
        Period(date(2026, 6, 30), date(2026, 7, 2)),
    ):
        with pytest.raises(PeriodError, match="is not within"):
            periods.part_price(100, june, part)


def test_a_price_change_parts_the_period():
    june = Period(date(2026, 6, 1), date(2026, 7, 1))
    changed = periods.price_changes(3000, june, [(date(2026, 6, 11), 6000)])
    assert changed == [
        (Period(date(2026, 6, 1), date(2026, 6, 11)), 1000),
        (Period(date(2026, 6, 11), date(2026, 7, 1)), 4000),
    ]
    assert periods.price_changes(3000, june, []) == [(june, 3000)]
    assert periods.price_changes(3000, june, [(june.start, 6000)]) == [(june, 6000)]


@given(spans(), prices, st.data())
def test_segments_tile_and_cost_their_days(period, price, data):
    days = st.dates(period.start, period.last)
    changes = sorted(data.draw(st.dictionaries(days, prices, max_size=5)).items())
    segments = periods.price_changes(price, period, changes)
    assert periods.gaps_and_overlaps(part for part, _ in segments) == []
    assert (segments[0][0].start, segments[-1][0].end) == (period.start, period.end)
    in_force = {period.start: price, **dict(changes)}
    for part, amount in segments:
        assert amount == periods.part_price(in_force[part.start], period, part)
    unchanged = periods.price_changes(price, period, [(on, price) for on, _ in changes])
    assert sum(amount for _, amount in unchanged) == price


@pytest.mark.parametrize(
    "days", [["2026-07-01"], ["2026-05-31"], ["2026-06-20", "2026-06-10"], ["2026-06-10"] * 2]
)
def test_changes_out_of_order_or_outside_are_refused(days):
    june = Period(date(2026, 6, 1), date(2026, 7, 1))
    with pytest.raises(PeriodError, match="out of order or outside"):
        periods.price_changes(1, june, [(date.fromisoformat(on), 2) for on in days])


def test_a_year_is_recognised_by_months():
    months = periods.price_by_months(12_000, date(2026, 1, 31), 12, 31)
    assert [amount for _, amount in months] == [1000] * 12
    assert months[1][0] == Period(date(2026, 2, 28), date(2026, 3, 31))


@given(dates, lengths, anchors, prices)
def test_the_months_of_a_price_add_up(start, length, anchor_day, price):
    months = periods.price_by_months(price, start, length, anchor_day)
    assert sum(amount for _, amount in months) == price
    assert [month for month, _ in months] == periods.months_of(start, length, anchor_day)


# Tiling


def of(*days: int) -> Period:
    return Period(*(date(2026, 6, day) for day in days))


@pytest.mark.parametrize(
    ("line", "seams"),
    [
        ([], []),
        ([of(1, 5)], []),
        ([of(5, 9), of(1, 5)], []),
        ([of(1, 5), of(6, 9)], [Seam(Flaw.GAP, of(5, 6))]),
        ([of(1, 5), of(4, 9)], [Seam(Flaw.OVERLAP, of(4, 5))]),
        ([of(1, 5), of(1, 5)], [Seam(Flaw.OVERLAP, of(1, 5))]),
        ([of(1, 9), of(2, 3), of(9, 10)], [Seam(Flaw.OVERLAP, of(2, 3))]),
        (
            [of(1, 9), of(2, 3), of(4, 12), of(13, 14)],
            [
                Seam(Flaw.OVERLAP, of(2, 3)),
                Seam(Flaw.OVERLAP, of(4, 9)),
                Seam(Flaw.GAP, of(12, 13)),
            ],
        ),
    ],
)
def test_gaps_and_overlaps_are_named(line, seams):
    assert periods.gaps_and_overlaps(line) == seams
