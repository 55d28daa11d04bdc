"""The agenda finds what is due between two moments, and costs nothing in between."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from billclock.cron import Expression
from billclock.scheduler.agenda import Agenda, Gap

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()
HOUR = 3600
BERLIN = ZoneInfo("Europe/Berlin")


def agenda(*expressions, zone=UTC):
    made = Agenda(START)
    for entry, text in enumerate(expressions, 1):
        made.put(entry, Expression.parse(text), zone)
    return made


def due(made, until):
    return [((moment - START) / 60, sorted(entries)) for moment, entries in made.due(until)]


def test_moments_come_in_order_and_share_their_entries():
    made = agenda("*/20 * * * *", "30 * * * *", "40 * * * *")
    assert due(made, START + HOUR) == [(20, [1]), (30, [2]), (40, [1, 3]), (60, [1])]


def test_the_end_is_included_and_the_start_is_not():
    made = agenda("0 * * * *")
    assert due(made, START + HOUR) == [(60, [1])]
    assert due(made, START + HOUR) == []
    assert due(made, START + 2 * HOUR) == [(120, [1])]


def test_an_entry_can_change_its_expression_or_go():
    made = agenda("10 * * * *", "20 * * * *")
    made.put(1, Expression.parse("50 * * * *"), UTC)
    made.drop([2])
    assert due(made, START + HOUR) == [(50, [1])]
    assert len(made) == 1


def test_nothing_is_due_on_an_empty_agenda():
    assert agenda().next_moment() is None
    assert due(agenda("@reboot"), START + 1000 * HOUR) == []


def test_hands_turn_back_and_forward():
    made = agenda("0 * * * *")
    list(made.due(START + 3 * HOUR))
    made.turn_to(START)
    assert due(made, START + HOUR) == [(60, [1])]
    made.turn_to(START + 10 * HOUR)
    assert made.next_moment() == START + 11 * HOUR


def test_gaps_count_first_and_last():
    made = agenda("*/10 * * * *", "0 0 1 1 *")
    assert list(made.gaps(START, START + HOUR, {}, 100)) == [
        Gap(1, START + 600, START + HOUR, 6),
    ]


def test_what_is_covered_does_not_count():
    made = agenda("*/10 * * * *", "*/10 * * * *")
    gaps = list(made.gaps(START, START + HOUR, {2: START + 2400}, 100))
    assert gaps == [
        Gap(1, START + 600, START + HOUR, 6),
        Gap(2, START + 3000, START + HOUR, 2),
    ]


def test_a_long_gap_is_bounded_but_its_last_moment_is_true():
    made = agenda("* * * * *")
    year = START + 365 * 24 * HOUR
    assert list(made.gaps(START, year, {}, 1000)) == [Gap(1, START + 60, year, 1000)]


def test_zones_have_hands_of_their_own():
    made = Agenda(START)
    made.put(1, Expression.parse("0 14 * * *"), UTC)
    made.put(2, Expression.parse("0 14 * * *"), BERLIN)
    assert due(made, START + 3 * HOUR) == [(60, [2]), (120, [1])]


def test_a_hundred_thousand_entries_of_one_hand_go_at_once():
    made = Agenda(START)
    for entry in range(100_000):
        made.put(entry, Expression.parse("0 * * * *"), UTC)
    made.drop(range(99_999))
    assert due(made, START + HOUR) == [(60, [99_999])]
