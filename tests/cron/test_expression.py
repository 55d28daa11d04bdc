"""Reading expressions: what they hold, what is refused, where, and with which mend."""

import dataclasses
import pickle
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron import CronError, Expression

from .strategies import expressions, moments


def refusal(text):
    with pytest.raises(CronError) as caught:
        Expression.parse(text)
    return caught.value


def test_an_expression_holds_its_values_and_stars():
    expression = Expression.parse("*/30 5 1,15 jan mon")
    assert expression.minutes == 1 | 1 << 30
    assert expression.hours == 1 << 5
    assert expression.days == 1 << 1 | 1 << 15
    assert expression.months == 1 << 1
    assert expression.weekdays == 1 << 1
    assert expression.minute_star
    stars = (expression.hour_star, expression.day_star, expression.weekday_star)
    assert not any(stars)
    assert expression.fields == ("*/30", "5", "1,15", "jan", "mon")


@pytest.mark.parametrize(
    ("word", "spelled"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
def test_a_word_equals_its_fields(word, spelled):
    expression = Expression.parse(word)
    assert expression == Expression.parse(spelled)
    assert hash(expression) == hash(Expression.parse(spelled))
    assert expression.word == word
    assert expression.fields == tuple(spelled.split())
    assert str(expression) == word


def test_reboot_matches_no_moment():
    reboot = Expression.parse("@reboot")
    now = datetime(2026, 1, 1)
    assert reboot.next(now) is None
    assert reboot.previous(now) is None
    assert list(reboot.upcoming(now)) == []
    assert list(reboot.between(now, datetime(2027, 1, 1))) == []
    assert not reboot.matches(now)
    assert reboot.fields == ()
    assert reboot != Expression.parse("@hourly")


def test_equality_looks_at_values_and_stars_not_at_the_text():
    assert Expression.parse("0 0 * * 7") == Expression.parse("00  0\t* * sun")
    assert Expression.parse("0-59 * * * *") != Expression.parse("* * * * *")


def test_the_text_stays_as_given():
    assert str(Expression.parse("  5\t4 * * *  ")) == "  5\t4 * * *  "


def test_an_expression_never_changes():
    expression = Expression.parse("0 0 * * *")
    with pytest.raises(dataclasses.FrozenInstanceError):
        expression.minutes = 1
    assert pickle.loads(pickle.dumps(expression)) == expression


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("0 0 13 * fri", datetime(2026, 2, 13), True),
        ("0 0 13 * fri", datetime(2026, 3, 6), True),
        ("0 0 13 * fri", datetime(2026, 4, 13), True),
        ("0 0 13 * fri", datetime(2026, 4, 14), False),
        ("0 0 */2 * sun", datetime(2026, 3, 1), True),
        ("0 0 */2 * sun", datetime(2026, 3, 8), False),
        ("0 0 *,5 * sun", datetime(2026, 3, 5), False),
        ("0 0 5,* * sun", datetime(2026, 3, 5), True),
        ("0 0 1 * */2", datetime(2026, 3, 1), True),
        ("0 0 1 * */2", datetime(2026, 3, 3), False),
        ("30 4 * * *", datetime(2026, 3, 3, 4, 30, 59, 999), True),
        ("30 4 * * *", datetime(2026, 3, 3, 4, 31), False),
        ("30 4 * 4 *", datetime(2026, 3, 3, 4, 30), False),
    ],
)
def test_matching_follows_debians_rule_of_days(text, moment, expected):
    assert Expression.parse(text).matches(moment) is expected


@pytest.mark.parametrize(
    ("text", "field", "column", "suggestion"),
    [
        ("* 5 4-10 0-3 *", "month", 10, "* 5 4-10 1-4 *"),
        ("0 0 0 * *", "day-of-month", 5, "0 0 1 * *"),
        ("0 24 * * *", "hour", 3, "0 0 * * *"),
        ("0 0-24 * * *", "hour", 5, "0 0-23 * * *"),
        ("5/15 * * * *", "minute", 2, "5-59/15 * * * *"),
        ("0 0 * * mon/2", "day-of-week", 12, "0 0 * * mon-7/2"),
        ("0 22-2 * * *", "hour", 3, "0 22-23,0-2 * * *"),
        ("0 0 * nov-feb *", "month", 7, "0 0 * nov-dec,jan-feb *"),
        ("0 0 * * fri-sun", "day-of-week", 9, "0 0 * * fri-sat,sun"),
        ("0 0 * * sat-sun", "day-of-week", 9, "0 0 * * sat,sun"),
        ("0 0 * * 6-0", "day-of-week", 9, "0 0 * * 6,0"),
        ("0 0 L * *", "day-of-month", 5, "0 0 28-31 * *"),
        ("0 0 * * 5L", "day-of-week", 9, "0 0 * * 5"),
        ("0 0 * * mon#1", "day-of-week", 9, "0 0 * * mon"),
        ("0 0 15W * *", "day-of-month", 5, "0 0 15 * *"),
        ("0~59 * * * *", "minute", 1, "0 * * * *"),
        ("~ * * * *", "minute", 1, "0 * * * *"),
        ("H/15 * * * *", "minute", 1, "*/15 * * * *"),
        ("H(0-29)/10 * * * *", "minute", 1, "0-29/10 * * * *"),
        ("0 0 ? * *", "day-of-month", 5, "0 0 * * *"),
        ("5;x * * * *", "minute", 2, "5 * * * *"),
        ("1.5 * * * *", "minute", 2, "1 * * * *"),
        ("1-5-7 * * * *", "minute", 4, "1-5 * * * *"),
        ("*/2/3 * * * *", "minute", 4, "*/2 * * * *"),
        ("*-5 * * * *", "minute", 2, "* * * * *"),
        ("1,,2 * * * *", "minute", 3, "1,2 * * * *"),
        ("0 0 1 mon *", "month", 7, "0 0 1 * mon"),
        ("0 0 * January *", "month", 7, "0 0 * jan *"),
        ("0 0 * * tues-thurs", "day-of-week", 9, "0 0 * * tue-thu"),
        ("mon * * * *", "minute", 1, "0 * * * *"),
        ("0 0 30 2 *", "day-of-month", 5, "0 0 28 2 *"),
        ("0 0 30 2 */2", "day-of-month", 5, "0 0 28 2 */2"),
        ("0 0 31 4,6 *", "day-of-month", 5, "0 0 30 4,6 *"),
        ("0 0 5 * * *", None, 11, "0 5 * * *"),
        ("0 5 * * * 2026", None, 11, "0 5 * * *"),
        ("0 0 12 * * ? 2026", None, 12, "0 12 * * *"),
        ("0 5", None, 4, "0 5 * * *"),
        ("", None, 1, "@daily"),
        ("@daily x", None, 8, "@daily"),
        ("@Hourly", None, 1, "@hourly"),
        ("@every 5m", None, 1, "*/5 * * * *"),
        ("\ufeff0 5 * * *", None, 1, "0 5 * * *"),
        ("0 5 * * *\n", None, 10, "0 5 * * * "),
        ("0 5 *\0 * *", None, 6, "0 5 * * *"),
        ("5:30 * * *", None, 2, "30 5 * * *"),
        ("Mon..Fri *-*-* 10:30", None, 1, "30 10 * * Mon-Fri"),
    ],
)
def test_a_refusal_tells_field_column_and_a_mend(text, field, column, suggestion):
    error = refusal(text)
    assert (error.field, error.column, error.suggestion) == (field, column, suggestion)
    assert Expression.parse(error.suggestion)


def test_a_refusal_reads_as_a_sentence():
    assert str(refusal("* 5 4-10 0-3 *")) == (
        "month: 0 is out of range 1-12 (column 10); did you mean 1-4?"
    )
    assert str(refusal("5 * * *")) == (
        "5 time fields are needed, not 4 (column 8); did you mean 5 * * * *?"
    )


def test_a_suggestion_mends_all_faults_at_once():
    error = refusal("61 24 0 0-3 fri-sun")
    assert (error.field, error.column) == ("minute", 1)
    assert error.suggestion == "59 0 1 1-4 fri-sat,sun"


def test_a_refusal_moves_to_its_place_in_a_document():
    error = refusal("0 0 * * 8").at(line=3, offset=2, suggestion="0 0 * * 7 /bin/true")
    assert (error.line, error.column) == (3, 11)
    assert error.suggestion == "0 0 * * 7 /bin/true"
    assert str(error) == ("line 3: day-of-week: 8 is out of range 0-7 (column 11); did you mean 7?")


def test_31_february_or_a_sunday_fires_on_sundays():
    first = Expression.parse("0 0 31 2 0").next(datetime(2026, 1, 1))
    assert first == datetime(2026, 2, 1)


@given(expressions)
def test_an_expression_is_read_back_from_its_fields(expression):
    assert Expression.parse(" ".join(expression.fields)) == expression


@given(expressions, moments)
def test_every_expression_runs_within_the_calendars_cycle(expression, moment):
    following = expression.next(moment)
    assert following is not None
    assert following.year - moment.year <= 40


FRAGMENTS = [
    "*",
    "/",
    "-",
    ",",
    "0",
    "7",
    "31",
    "60",
    "mon",
    "feb",
    "L",
    "#",
    "?",
    "~",
    "H",
    "W",
    ".",
    "x",
]
odd_texts = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=5).map("".join), max_size=7
    ).map(" ".join),
)


def refusal_or_none(text):
    try:
        expression = Expression.parse(text)
    except CronError as error:
        return error
    assert str(expression) == text
    return None


@given(odd_texts)
def test_any_text_is_read_or_refused_with_a_mend_that_parses(text):
    error = refusal_or_none(text)
    if error is not None:
        assert error.reason in str(error)
        assert 1 <= error.column <= len(text) + 1
        assert error.suggestion is None or Expression.parse(error.suggestion)


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join), st.integers(0, 4))
def test_every_broken_field_gets_a_mend(fragment, place):
    parts = ["0", "0", "1", "1", "0"]
    parts[place] = fragment
    error = refusal_or_none(" ".join(parts))
    assert error is None or Expression.parse(error.suggestion)


def test_many_faults_or_a_long_text_take_no_time():
    refusal_or_none(",".join(["61"] * 100_000) + " * * * *")
    refusal_or_none("*" * 1_000_000)
    refusal_or_none(" ".join(["x"] * 100_000))
