"""When an expression runs: one sequence, whichever question is asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron import Expression

from .strategies import busy_expressions, expressions, moments, zones

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def five(expression, after):
    return list(islice(expression.upcoming(after), 5))


@given(expressions, moments)
def test_next_upcoming_previous_and_between_agree(expression, after):
    upcoming = five(expression, after)
    assert upcoming[0] > after
    assert all(one < other for one, other in pairwise(upcoming))
    assert [expression.next(at) for at in [after, *upcoming[:-1]]] == upcoming
    assert [expression.previous(at) for at in upcoming[1:]] == upcoming[:-1]
    assert list(expression.between(upcoming[0], upcoming[-1])) == upcoming[:-1]
    assert list(expression.between(after + MINUTE / 60_000_000, upcoming[0])) == []
    assert all(expression.matches(at) for at in upcoming)


@given(busy_expressions, moments)
def test_a_day_holds_exactly_the_minutes_that_match(expression, moment):
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    minutes = [start + i * MINUTE for i in range(24 * 60)]
    expected = [minute for minute in minutes if expression.matches(minute)]
    assert list(expression.between(start, start + timedelta(days=1))) == expected


@given(expressions, moments)
def test_the_days_are_those_that_match(expression, moment):
    start = datetime(moment.year, moment.month, 1)
    end = start + timedelta(days=62)
    days = (start + timedelta(days=i) for i in range(62))
    expected = [day.date() for day in days if expression.matches_day(day)]
    assert list(dict.fromkeys(at.date() for at in expression.between(start, end))) == expected


@given(expressions, moments)
def test_cronsim_agrees_without_a_zone(expression, moment):
    upcoming = five(expression, moment)
    assert upcoming == list(islice(CronSim(str(expression), moment), 5))


@given(expressions, moments, st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))
def test_a_zone_whose_clocks_never_change_changes_no_answer(expression, moment, zone):
    expected = [at.replace(tzinfo=zone) for at in five(expression, moment)]
    assert five(expression, moment.replace(tzinfo=zone)) == expected


@given(expressions, moments, zones)
def test_next_upcoming_previous_and_between_agree_in_a_zone(expression, moment, zone):
    after = moment.replace(tzinfo=UTC).astimezone(zone)
    upcoming = five(expression, after)
    instants = [at.astimezone(UTC) for at in [after, *upcoming]]
    assert all(one < other for one, other in pairwise(instants))
    assert all(at.tzinfo is zone for at in upcoming)
    assert [told(expression.next(at)) for at in [after, *upcoming[:-1]]] == told_all(upcoming)
    assert [told(expression.previous(at)) for at in upcoming[1:]] == told_all(upcoming[:-1])
    between = expression.between(upcoming[0], upcoming[-1])
    assert told_all(between) == told_all(upcoming[:-1])
    assert all(at.astimezone(UTC).astimezone(zone).isoformat() == told(at) for at in upcoming)


@given(expressions, moments, st.none() | zones)
def test_a_loop_over_next_gives_what_upcoming_gives(expression, moment, zone):
    after = moment if zone is None else moment.replace(tzinfo=UTC).astimezone(zone)
    assert told_all(islice(looped(expression, after), 5)) == told_all(five(expression, after))


def looped(expression, after):
    while (after := expression.next(after)) is not None:
        yield after


def test_a_loop_over_next_ends_with_the_calendar():
    for zone in (None, BERLIN):
        loop = looped(Expression.parse("0 0 30,31 12 *"), datetime(9998, 12, 31, tzinfo=zone))
        assert [(at.year, at.day) for at in loop] == [(9999, 30), (9999, 31)]


def test_the_same_question_has_the_same_answer_however_often_it_is_asked():
    expression = Expression.parse("*/10 * * * *")
    first = expression.next(datetime(2026, 1, 1))
    second = expression.next(first)
    third = expression.next(second)
    assert [expression.next(at) for at in (first, first, second, first)] == [
        second,
        second,
        third,
        second,
    ]


def test_many_loops_in_turn_do_not_disturb_each_other():
    turns = [Expression.parse(f"{minute} */2 * * *") for minute in range(60)]
    start = datetime(2026, 3, 28, tzinfo=BERLIN)
    loops = [looped(expression, start) for expression in turns * 2]
    rounds = [[next(loop) for loop in loops] for _ in range(30)]
    for expression, moments_of in zip(turns * 2, zip(*rounds, strict=True), strict=True):
        assert told_all(moments_of) == told_all(islice(expression.upcoming(start), 30))


class Interrupted(tzinfo):
    """A zone that, when told to, has another thread ask something while its offset is awaited."""

    question = None
    answer = None

    def utcoffset(self, moment):
        if self.question:
            question, self.question = self.question, None
            with ThreadPoolExecutor(1) as other:
                self.answer = other.submit(question).result()
        return timedelta(hours=1)

    def dst(self, moment):
        return timedelta()


def test_another_thread_may_ask_the_same_in_the_middle_of_an_answer():
    yearly, zone = Expression.parse("0 0 1 1 *"), Interrupted()
    first, second = islice(looped(yearly, datetime(2026, 6, 1, tzinfo=zone)), 2)
    zone.question = lambda: yearly.next(second)
    third = yearly.next(second)
    assert (first.year, second.year, third.year) == (2027, 2028, 2029)
    assert zone.answer == third
    assert yearly.next(third).year == 2030


def told(moment):
    return moment.isoformat()


def told_all(times):
    return [told(at) for at in times]


def test_the_next_moment_is_strictly_later_and_seconds_are_cut():
    expression = Expression.parse("*/10 * * * *")
    assert expression.next(datetime(2026, 1, 1, 0, 9, 59, 999_999)) == datetime(2026, 1, 1, 0, 10)
    assert expression.next(datetime(2026, 1, 1, 0, 10)) == datetime(2026, 1, 1, 0, 20)
    assert expression.next(datetime(2026, 1, 1, 0, 10, 1)) == datetime(2026, 1, 1, 0, 20)
    assert expression.previous(datetime(2026, 1, 1, 0, 10, 1)) == datetime(2026, 1, 1, 0, 10)
    assert expression.previous(datetime(2026, 1, 1, 0, 10)) == datetime(2026, 1, 1)


def test_between_takes_its_start_and_leaves_its_end():
    expression = Expression.parse("0 * * * *")
    start, end = datetime(2026, 1, 1, 1), datetime(2026, 1, 1, 3)
    assert list(expression.between(start, end)) == [start, datetime(2026, 1, 1, 2)]
    assert list(expression.between(end, start)) == []


def test_between_takes_two_zones_and_answers_in_the_first():
    expression = Expression.parse("0 * * * *")
    start = datetime(2026, 7, 1, 12, tzinfo=BERLIN)
    end = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert list(expression.between(start, end)) == [start, datetime(2026, 7, 1, 13, tzinfo=BERLIN)]


def test_between_refuses_one_zone_alone():
    with pytest.raises(TypeError, match="both"):
        Expression.parse("* * * * *").between(
            datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)
        )


def test_a_leap_day_on_a_monday_is_found_28_years_away():
    expression = Expression.parse("0 0 */28 2 1")
    days = [at for at in islice(expression.upcoming(datetime(2021, 1, 1)), 60) if at.day == 29]
    assert days[:2] == [datetime(2044, 2, 29), datetime(2072, 2, 29)]
    rare = Expression.parse("0 0 29 2 */7").next(datetime(2088, 3, 1))
    assert rare == datetime(2128, 2, 29)


@pytest.mark.parametrize("zone", [None, UTC, BERLIN, ZoneInfo("Pacific/Kiritimati")])
def test_the_calendars_ends_are_ends(zone):
    expression = Expression.parse("59 23 31 12 *")
    last = datetime(9999, 12, 31, 23, 59, tzinfo=zone)
    assert expression.next(datetime(9999, 1, 1, tzinfo=zone)) == last
    assert expression.next(last) is None
    assert list(expression.upcoming(last)) == []
    assert expression.previous(datetime(9999, 12, 31, 23, 59, 1, tzinfo=zone)) == last
    assert Expression.parse("0 0 2 1 *").previous(datetime(1, 1, 1, 12, tzinfo=zone)) is None


def test_a_rare_expression_ends_with_the_calendar():
    expression = Expression.parse("0 0 29 2 *")
    assert expression.next(datetime(9996, 3, 1, tzinfo=BERLIN)) is None
    assert expression.previous(datetime(4, 2, 28, tzinfo=BERLIN)) is None
