"""Why a card was declined, and when it may be tried again; pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class DeclineClass(StrEnum):
    """Why a payment was declined, as far as it matters for what to do next."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT = "limit"
    TEMPORARY = "temporary"
    DO_NOT_HONOUR = "do_not_honour"
    AUTHENTICATION_REQUIRED = "authentication_required"
    EXPIRED_CARD = "expired_card"
    LOST_OR_STOLEN = "lost_or_stolen"
    FRAUD = "fraud"
    INVALID = "invalid"
    ABANDONED = "abandoned"


HARD = frozenset(
    {
        DeclineClass.EXPIRED_CARD,
        DeclineClass.LOST_OR_STOLEN,
        DeclineClass.FRAUD,
        DeclineClass.INVALID,
    }
)
"""The issuer will never approve: another try costs a fee and cannot succeed."""

RETRY_DAYS: Mapping[DeclineClass, tuple[int, ...]] = {
    DeclineClass.INSUFFICIENT_FUNDS: (3, 8, 15),
    DeclineClass.LIMIT: (2, 8, 15),
    DeclineClass.TEMPORARY: (1, 2, 5),
    DeclineClass.DO_NOT_HONOUR: (3, 8, 15),
}
"""Days after the first try; a class that is missing waits for the client and is not retried."""

MOST_TRIES = 4
LONGEST_DAYS = 16

NETWORK_TRIES = 15
NETWORK_DAYS = 30
"""Visa's bound for one card and amount; Mastercard's (35 in 30 days) is wider.

Visa raised its figure to 20 in May 2025; the older and smaller one holds for both.
"""


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a payment was declined: its class, the gateway's code and words, and `final`.

    `final` is set where the issuer asks for no further tries, whatever the class.
    """

    kind: DeclineClass
    code: str = ""
    message: str = ""
    final: bool = False

    @property
    def hard(self) -> bool:
        """Tell whether the same card can never succeed."""
        return self.final or self.kind in HARD

    @property
    def retried(self) -> bool:
        """Tell whether trying again without the client makes sense."""
        return not self.hard and self.kind in RETRY_DAYS


def next_try(decline: Decline, tries: int, first_on: date, on: date) -> date | None:
    """Give the day of the next try, after `on`, or None where there is to be none.

    `tries` counts those made for one debt, the first of them on `first_on`, the last declined with
    `decline` on `on`. A day that has passed is made up for on the day after `on`, within
    LONGEST_DAYS of the first try.
    """
    if tries < 1:
        raise ValueError(f"{tries} tries were declined; at least one must have been made")
    days = RETRY_DAYS.get(decline.kind, ()) if decline.retried else ()
    if tries >= MOST_TRIES or tries > len(days):
        return None
    day = max(first_on + timedelta(days[tries - 1]), on + timedelta(1))
    return day if day <= first_on + timedelta(LONGEST_DAYS) else None


def networks_allow(declined_on: Collection[date], on: date) -> bool:
    """Tell whether one more try of a card on `on` stays within the card networks' bounds.

    `declined_on` are the days of that card's declined tries for the same amount, one a try.
    """
    since = on - timedelta(NETWORK_DAYS)
    return sum(since < day <= on for day in declined_on) < NETWORK_TRIES
