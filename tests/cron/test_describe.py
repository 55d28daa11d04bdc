"""Sentences are as the table has them, true to the values, and never the same for two meanings."""

import csv
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings

from billclock.cron.describe import LANGUAGES, describe
from billclock.cron.expression import Expression
from tests.cron.english_reader import CALENDAR, read
from tests.cron.expressions import expressions

TABLE = Path(__file__).parents[1] / "data" / "cron" / "words.tsv"
with TABLE.open(encoding="utf-8", newline="") as lines:
    SENTENCES = list(csv.reader(lines, delimiter="\t"))
MINUTES = (
    "*",
    "0",
    "30",
    "0,30",
    "15,45",
    "*/10",
    "*/7",
    "3-59/10",
    "0-30",
    "0-30,45",
    "1,2",
    "*/2",
)
HOURS = ("*", "0", "12", "*/2", "*/5", "*/12", "9-17", "1,9-17", "8,17", "1,5,7,12,20", "1-23/2")
DAYS = (
    "*",
    "*/2",
    "1-31/2",
    "2-30/2",
    "13",
    "1,15",
    "1-7",
    "1-7,20",
    "*/3",
    "1-31",
    "30,31",
    "*,5",
)
MONTHS = ("*", "1", "2", "1,7", "4-6", "1,3-5", "*/2", "2,4")
WEEKDAYS = ("*", "0", "7", "5", "1,5", "1-5", "1,3-5", "0-6", "*/2", "sat,sun", "fri-sat,0")


def moments(expression: Expression) -> set[int]:
    return {
        minute
        for minute in range(1440)
        if expression.hours >> minute // 60 & 1 and expression.minutes >> minute % 60 & 1
    }


def dates(expression: Expression) -> set[tuple[int, int, int]]:
    """Crontab(5)'s rule on dates as (month, day, weekday)."""
    both = expression.day_star or expression.weekday_star
    return {
        (month, day, weekday)
        for month, day, weekday in CALENDAR
        if expression.months >> month & 1
        and (all if both else any)((expression.days >> day & 1, expression.weekdays >> weekday & 1))
    }


@pytest.mark.parametrize(("text", "english", "russian"), SENTENCES)
def test_sentence_is_the_expected_one(text: str, english: str, russian: str) -> None:
    expression = Expression.parse(text)
    assert describe(expression) == english
    assert describe(expression, "ru") == russian


@given(expressions)
@settings(max_examples=300, deadline=None)
def test_an_english_sentence_read_back_promises_exactly_what_fires(expression: Expression) -> None:
    promise = read(describe(expression))
    assert promise.moments == moments(expression)
    assert promise.dates == dates(expression)


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_sets_of_times_never_share_a_sentence(language: str) -> None:
    told: dict[str, set[int]] = {}
    for minutes, hours in itertools.product(MINUTES, HOURS):
        expression = Expression.parse(f"{minutes} {hours} * * *")
        meaning = moments(expression)
        assert told.setdefault(describe(expression, language), meaning) == meaning


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_sets_of_dates_never_share_a_sentence(language: str) -> None:
    told: dict[str, set[tuple[int, int, int]]] = {}
    for days, months, weekdays in itertools.product(DAYS, MONTHS, WEEKDAYS):
        if (days, months) == ("30,31", "2") and "*" in weekdays:
            continue  # never fires, so it does not parse
        expression = Expression.parse(f"0 1 {days} {months} {weekdays}")
        meaning = dates(expression)
        assert told.setdefault(describe(expression, language), meaning) == meaning


def test_every_language_says_start_up() -> None:
    assert {describe(Expression.parse("@reboot"), language) for language in LANGUAGES} == {
        "At start-up",
        "При запуске системы",
    }


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"language: 'xx' is not known; choose en or ru"):
        describe(Expression.parse("* * * * *"), "xx")
