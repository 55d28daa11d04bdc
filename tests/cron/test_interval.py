"""Basic mode loses nothing: interval, expression and form turn into each other and back."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron.describe import describe
from billclock.cron.expression import Expression
from billclock.cron.interval import (
    STEPS_OF_HOURS,
    STEPS_OF_MINUTES,
    Daily,
    EveryHours,
    EveryMinutes,
    Interval,
    IntervalError,
    Monthly,
    StartUp,
    Weekly,
    Yearly,
    from_expression,
    from_form,
    to_expression,
    to_form,
)

minutes, hours = st.integers(0, 59), st.integers(0, 23)
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
intervals = st.one_of(
    st.builds(EveryMinutes, st.sampled_from(STEPS_OF_MINUTES)),
    st.builds(EveryHours, st.sampled_from(STEPS_OF_HOURS), minutes),
    st.builds(Daily, hours, minutes),
    st.builds(Weekly, weekdays, hours, minutes),
    st.builds(Monthly, st.integers(1, 31), hours, minutes),
    st.dates().map(lambda date: Yearly(date.month, date.day, 4, 30)),
    st.just(StartUp()),
)

EXAMPLES = [
    (EveryMinutes(1), "* * * * *", "Every minute"),
    (EveryMinutes(10), "*/10 * * * *", "Every 10 minutes"),
    (EveryHours(1, 20), "20 * * * *", "At 20 minutes past every hour"),
    (EveryHours(3, 40), "40 */3 * * *", "Every 3 hours from 00:40 to 21:40, every day"),
    (EveryHours(12, 30), "30 */12 * * *", "Every day at 00:30 and 12:30"),
    (Daily(1, 0), "0 1 * * *", "Every day at 01:00"),
    (Weekly(frozenset({1, 5}), 9, 0), "0 9 * * 1,5", "At 09:00 on Mondays and Fridays"),
    (Weekly(frozenset(range(1, 6)), 9, 0), "0 9 * * 1-5", "At 09:00 from Monday to Friday"),
    (Weekly(frozenset({0, 6}), 9, 0), "0 9 * * 0,6", "At 09:00 on Saturdays and Sundays"),
    (Monthly(1, 2, 25), "25 2 1 * *", "At 02:25 on the 1st of every month"),
    (Yearly(2, 29, 0, 0), "0 0 29 2 *", "At 00:00 every leap year on 29 February"),
    (StartUp(), "@reboot", "At start-up"),
]
EXPERT = [
    "*/7 * * * *",  # starts anew at each full hour
    "*/60 * * * *",  # the values of "0 * * * *", but follows real time at a clock change
    "0-59/10 * * * *",  # without the star a clock change treats it otherwise
    "5-59/10 * * * *",
    "0 */5 * * *",
    "23 0-23/2 * * *",
    "0 0-23 * * *",
    "0 6,18 * * *",
    "*/10 9-17 * * *",
    "* 5 * * *",
    "0 5 1-31 * *",
    "0 5 4-10 1-4 *",
    "0 0 13 * 5",
    "0 0 31 2 0",
    "0 0 */2 * 1",
    "0 0 1 1-11 *",
    "0 0 1 * 0-6",
    "0 0 * 6 *",
]
NEARLY_BASIC = (
    ("*", "*/10", "0-59/10", "*/7", "0", "59"),
    ("*", "*/3", "0-23/3", "*/5", "0", "23", "0-23"),
    ("*", "*/2", "1-31", "1", "31"),
    ("*", "*/2", "1-12", "2"),
    ("*", "*/2", "0-6", "0", "1,5"),
)
WRONG_FORMS = [
    ({}, "run_every", "run_every: is missing; give one of minutes, hours, day, "),
    ({"run_every": "second"}, "run_every", "'second' is not possible; give one of minutes"),
    ({"run_every": "minutes", "every": "7"}, "every", "7 is not possible; give one of 1, 2, 3, 4"),
    ({"run_every": "minutes", "every": "0"}, "every", "0 is not possible"),
    ({"run_every": "hours", "every": "5", "minute": "0"}, "every", "give one of 1, 2, 3, 4, 6, 8"),
    ({"run_every": "hours", "every": "2"}, "minute", "minute: is missing; give 0-59"),
    ({"run_every": "day", "hour": "24", "minute": "0"}, "hour", "24 is not possible; give 0-23"),
    ({"run_every": "day", "hour": "1", "minute": "60"}, "minute", "60 is not possible; give 0-59"),
    ({"run_every": "day", "hour": "-1", "minute": "0"}, "hour", "'-1' is not possible; give 0-23"),
    ({"run_every": "day", "hour": "٣", "minute": "0"}, "hour", "'٣' is not possible; give 0-23"),
    ({"run_every": "day", "hour": "9" * 5000, "minute": "0"}, "hour", "give 0-23"),
    ({"run_every": "day", "hour": "x" * 5000, "minute": "0"}, "hour", "give 0-23"),
    ({"run_every": "week", "hour": "1", "minute": "0"}, "weekdays", "is missing; give one or more"),
    (
        {"run_every": "week", "weekdays": "1,7", "hour": "1", "minute": "0"},
        "weekdays",
        "7 is not possible; give 0-6",
    ),
    (
        {"run_every": "month", "day": "0", "hour": "1", "minute": "0"},
        "day",
        "0 is not possible; give 1-31",
    ),
    (
        {"run_every": "year", "month": "13", "day": "1", "hour": "1", "minute": "0"},
        "month",
        "13 is not possible; give 1-12",
    ),
    (
        {"run_every": "year", "month": "2", "day": "30", "hour": "1", "minute": "0"},
        "day",
        "30 is not possible; give 1-29",
    ),
]


@pytest.mark.parametrize(("interval", "text", "words"), EXAMPLES)
def test_an_interval_has_the_expected_expression_and_words(
    interval: Interval, text: str, words: str
) -> None:
    assert to_expression(interval) == text
    assert from_expression(Expression.parse(text)) == interval
    assert describe(Expression.parse(text)) == words


@pytest.mark.parametrize("text", EXPERT)
def test_what_basic_cannot_say_exactly_needs_expert_mode(text: str) -> None:
    assert from_expression(Expression.parse(text)) is None


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("@daily", Daily(0, 0)),
        ("@hourly", EveryHours(1, 0)),
        ("@weekly", Weekly(frozenset({0}), 0, 0)),
        ("@yearly", Yearly(1, 1, 0, 0)),
        ("0 */1 * * *", EveryHours(1, 0)),
        ("0 0 1 1-12 *", Monthly(1, 0, 0)),
        ("0 9 * * mon,7", Weekly(frozenset({0, 1}), 9, 0)),
    ],
)
def test_another_spelling_of_an_interval_is_known(text: str, interval: Interval) -> None:
    assert from_expression(Expression.parse(text)) == interval


@given(intervals)
def test_an_interval_comes_back_from_its_expression(interval: Interval) -> None:
    assert from_expression(Expression.parse(to_expression(interval))) == interval


def test_no_expression_taken_to_basic_and_back_changes() -> None:
    kinds = set()
    for fields in itertools.product(*NEARLY_BASIC):
        if fields[2:4] == ("31", "2") and "*" in fields[4]:
            continue  # never fires, so it does not parse
        expression = Expression.parse(" ".join(fields))
        interval = from_expression(expression)
        if interval is not None:
            kinds.add(type(interval))
            assert Expression.parse(to_expression(interval)) == expression
    assert kinds == {EveryMinutes, EveryHours, Daily, Weekly, Monthly, Yearly}


@given(intervals)
def test_an_interval_comes_back_from_its_form(interval: Interval) -> None:
    assert from_form(to_form(interval)) == interval


def test_a_form_holds_plain_numbers_and_fields_of_other_kinds_are_not_read() -> None:
    assert to_form(Weekly(frozenset({5, 1}), 9, 0)) == {
        "run_every": "week",
        "weekdays": "1,5",
        "hour": "9",
        "minute": "0",
    }
    whole_form = {"run_every": " day ", "hour": "09", "minute": "5", "every": "", "day": "x"}
    assert from_form(whole_form) == Daily(9, 5)


@pytest.mark.parametrize(("form", "field", "message"), WRONG_FORMS)
def test_a_wrong_form_is_refused_with_field_and_range(
    form: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(IntervalError) as refused:
        from_form(form)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")
    assert message in str(refused.value)
    assert len(str(refused.value)) < 200
