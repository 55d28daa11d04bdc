"""Sums of a run as a person reads them, and what changed most since the run before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from billclock.billing import money
from billclock.billing.batches import Figures

MOST_MOVERS = 5


def sums(charged: Mapping[str, int], nothing: str = "nothing") -> str:
    """Give sums by currency as one text; `nothing` for none."""
    told = (f"{money.plain(minor, money.exponent(code))} {code}" for code, minor in charged.items())
    return ", ".join(told) or nothing


def movers(now: Figures, before: Figures) -> list[str]:
    """Say which product types' sums changed most."""
    changes: Counter[str] = Counter(now.by_type)
    changes.subtract(before.by_type)
    largest = sorted(changes.items(), key=lambda item: -abs(item[1]))[:MOST_MOVERS]
    return [_mover(key, before.by_type[key], now.by_type[key]) for key, n in largest if n]


def _mover(key: str, before: int, now: int) -> str:
    kind, _, currency = key.rpartition(" ")
    was, is_now = (money.plain(n, money.exponent(currency)) for n in (before, now))
    return f"{kind}: {was} -> {is_now} {currency}"
