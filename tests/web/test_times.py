"""Moments and lengths of time in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from django.utils.formats import date_format

from billclock.web.times import Wall, duration, span

BERLIN = ZoneInfo("Europe/Berlin")
WALL = Wall(datetime(2026, 10, 24, 21, 4, 27, tzinfo=BERLIN), BERLIN)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 10, 24, 21, 5, tzinfo=BERLIN), "Today 21:05"),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), "Tomorrow 00:00"),
        (datetime(2026, 10, 23, 21, 59, tzinfo=UTC), "Yesterday 23:59"),
        (datetime(2026, 11, 1, 2, 25, tzinfo=BERLIN), "Sun 1 Nov 02:25"),
        (datetime(2031, 11, 1, 2, 25, tzinfo=BERLIN), "1 Nov 2031 02:25"),
    ],
)
def test_a_moment_is_told_by_its_day_on_the_server(moment: datetime, words: str) -> None:
    assert WALL.when(moment) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in 0 s"),
        (33, "in 33 s"),
        (4 * 60 + 59, "in 4 min"),
        (3 * 3600 + 55 * 60, "in 3 h 55 min"),
        (7 * 86400, "in 7 days"),
        (-61, "1 min ago"),
        (-3 * 86400, "3 days ago"),
    ],
)
def test_a_distance_is_told_from_now(seconds: int, words: str) -> None:
    assert WALL.distance(WALL.now + timedelta(seconds=seconds)) == words


def test_a_distance_across_a_clock_change_is_in_real_hours() -> None:
    # at 03:00 on 25 October Berlin's clocks go back to 02:00
    assert WALL.distance(datetime(2026, 10, 25, 4, 4, 27, tzinfo=BERLIN)) == "in 8 h"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (0, "0.0 s"),
        (0.0081, "9 ms"),
        (0.094, "94 ms"),
        (0.096, "0.1 s"),
        (0.31, "0.3 s"),
        (7.26, "7.3 s"),
        (9.94, "9.9 s"),
        (29.4, "29 s"),
        (81, "1 min 21 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (120, "2 min"),
        (3599.6, "1 h"),
        (4 * 3600, "4 h"),
        (7500, "2 h 5 min"),
        (200_000, "2 days"),
    ],
)
def test_a_duration_has_the_figures_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_moment_is_told_exactly_with_its_offset() -> None:
    assert WALL.exactly(datetime(2026, 10, 24, 19, 5, tzinfo=UTC)) == "2026-10-24 21:05:00 +02:00"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["today 21:05", "Mon 19 Oct 21:05"]), ("ru", ["сегодня 21:05", "пн 19 окт 21:05"])],
)
def test_within_a_sentence_days_are_small_where_the_language_has_them_so(
    language: str, words: list[str]
) -> None:
    moments = (datetime(2026, 10, day, 19, 5, tzinfo=UTC) for day in (24, 19))
    with translation.override(language):
        assert [WALL.within(moment) for moment in moments] == words


def test_russian_counts_days_in_its_own_way() -> None:
    with translation.override("ru"):
        assert [span(n * 86400) for n in (2, 5, 21)] == ["2 дня", "5 дней", "21 день"]
        assert duration(0.31) == "0,3 с"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("j M Y", "4 мая 2026"),
        ("D j M", "Пн 4 мая"),
        ("l j F", "Понедельник 4 мая"),
        ("M Y", "05.2026"),
        ("F Y", "Май 2026"),
    ],
)
def test_a_russian_date_declines_its_month_and_writes_it_small(form: str, words: str) -> None:
    with translation.override("ru"):
        assert date_format(datetime(2026, 5, 4, tzinfo=UTC), form) == words
        assert date_format(datetime(2026, 11, 5, tzinfo=UTC), "j M Y") == "5 ноя 2026"
