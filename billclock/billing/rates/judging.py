"""Which offered rates are taken, which stay out and why: decisions on values alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum


class Verdict(Enum):
    """What becomes of an offered rate."""

    NEW = "new"
    SAME = "same"
    REPLACED = "replaced"
    KEPT = "kept"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Offer:
    """A rate that a source gives for a day: as published, and after the formula."""

    on: date
    quoted: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """An offer, its verdict, and the rate of an earlier or the same day it was compared with."""

    offer: Offer
    verdict: Verdict
    before: Decimal | None

    @property
    def change(self) -> Decimal:
        """Give the change against `before` in per cent."""
        return change(self.before, self.offer.value)


def change(before: Decimal | None, value: Decimal) -> Decimal:
    """Give the change in per cent, 0 where there was nothing before."""
    return (value - before) * 100 / before if before else Decimal(0)


def judge(
    offers: Sequence[Offer],
    known: Mapping[date, Decimal],
    before: Decimal | None,
    *,
    guard: int,
    replace: bool = False,
    confirm: bool = False,
) -> list[Decision]:
    """Decide on the offers, oldest first; `before` is the last rate known before the first.

    A rate known for the same day stays unless `replace`. A change of more than `guard` per cent
    against the day before holds the offer back unless `confirm`; the later ones are then measured
    against the same last good rate.
    """
    decisions = []
    for offer in offers:
        own = known.get(offer.on)
        last = before if own is None else own
        if own is not None and (own == offer.value or not replace):
            verdict = Verdict.SAME if own == offer.value else Verdict.KEPT
            before = own
        elif abs(change(last, offer.value)) > guard and not confirm:
            verdict = Verdict.HELD
        else:
            verdict = Verdict.NEW if own is None else Verdict.REPLACED
            before = offer.value
        decisions.append(Decision(offer, verdict, last))
    return decisions
