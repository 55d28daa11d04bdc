"""Declines: hard ones are never tried again, soft ones four times in 16 days at most."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.billing.payment_methods.declines import (
    HARD,
    LONGEST_DAYS,
    MOST_TRIES,
    NETWORK_TRIES,
    RETRY_DAYS,
    Decline,
    DeclineClass,
    networks_allow,
    next_try,
)

FIRST = date(2026, 11, 20)


def tries(decline: Decline, late: int = 0) -> list[int]:
    """Give the days of all tries after the first, each declined alike and made `late` days late."""
    days, on, count = [], FIRST, 1
    while (day := next_try(decline, count, FIRST, on)) is not None:
        on, count = day + timedelta(late), count + 1
        days.append((on - FIRST).days)
    return days


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        (DeclineClass.INSUFFICIENT_FUNDS, [3, 8, 15]),
        (DeclineClass.LIMIT, [2, 8, 15]),
        (DeclineClass.TEMPORARY, [1, 2, 5]),
        (DeclineClass.DO_NOT_HONOUR, [3, 8, 15]),
        (DeclineClass.AUTHENTICATION_REQUIRED, []),
        (DeclineClass.ABANDONED, []),
        (DeclineClass.EXPIRED_CARD, []),
        (DeclineClass.LOST_OR_STOLEN, []),
        (DeclineClass.FRAUD, []),
        (DeclineClass.INVALID, []),
    ],
)
def test_each_class_has_its_days(kind: DeclineClass, days: list[int]):
    assert tries(Decline(kind)) == days


def test_every_class_is_hard_retried_or_waits_for_the_client():
    waiting = {DeclineClass.AUTHENTICATION_REQUIRED, DeclineClass.ABANDONED}
    assert set(DeclineClass) == HARD | set(RETRY_DAYS) | waiting
    assert not HARD & set(RETRY_DAYS)


def test_an_issuer_that_wants_no_more_is_hard_whatever_the_class():
    final = Decline(DeclineClass.INSUFFICIENT_FUNDS, final=True)
    assert final.hard
    assert tries(final) == []


def test_days_that_were_missed_are_made_up_for_within_the_bound():
    assert tries(Decline(DeclineClass.INSUFFICIENT_FUNDS), late=2) == [5, 10, 17]
    assert tries(Decline(DeclineClass.INSUFFICIENT_FUNDS), late=7) == [10, 18]
    assert tries(Decline(DeclineClass.TEMPORARY), late=20) == [21]


@given(
    st.builds(Decline, st.sampled_from(DeclineClass), final=st.booleans()),
    st.integers(1, 30),
    st.integers(0, 400),
)
def test_no_try_breaks_the_bounds(decline: Decline, count: int, after: int):
    on = FIRST + timedelta(after)
    day = next_try(decline, count, FIRST, on)
    if day is not None:
        assert not decline.hard
        assert count < MOST_TRIES
        assert on < day <= FIRST + timedelta(LONGEST_DAYS)


def test_a_try_that_was_not_made_has_no_next():
    with pytest.raises(ValueError, match="at least one"):
        next_try(Decline(DeclineClass.LIMIT), 0, FIRST, FIRST)


def test_the_networks_bound_counts_the_last_thirty_days():
    days = [FIRST - timedelta(n) for n in range(NETWORK_TRIES)]
    assert networks_allow(days[1:], FIRST)
    assert not networks_allow(days, FIRST)
    assert networks_allow(days, FIRST + timedelta(30))
