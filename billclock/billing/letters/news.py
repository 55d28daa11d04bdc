"""What a letter is about, and the tables its facts are put into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from billclock.billing.clients import Account
from billclock.billing.facts import Facts
from billclock.billing.money import Money
from billclock.billing.services import Service

MOST_LINES = 100
"""Lines of a letter; of more it says how many there are."""


class NoLongerSoError(Exception):
    """What a letter was to tell is not true any more; the text says why."""


@dataclass(frozen=True, slots=True)
class News:
    """What a letter is about, as the notice has it, with the facts its act gave."""

    account: Account
    kind: str
    subject: int
    period: date
    threshold: int
    facts: Facts

    def money(self, minor: int) -> Money:
        """Give an amount in the account's currency."""
        return Money(minor, self.account.currency_id)

    def days(self, until: date) -> int:
        """Count the days from the provider's today to a date, 0 where it has passed."""
        return max((until - self.account.provider.today()).days, 0)


def services(keys: Iterable[int]) -> dict[int, Service]:
    """Give services by their keys, with their products."""
    return Service.objects.select_related("product").in_bulk(set(keys))


def service_name(service: Service) -> str:
    """Name a service as letters do."""
    return f"{service.name or service.number} ({service.product.name})"


def part(lines: Sequence[Facts], *, total: Money | None = None, title: object = "") -> Facts:
    """Give a table of a letter, cut where it is too long; a single line needs no total."""
    shown = lines[:MOST_LINES]
    return {
        "title": title,
        "lines": shown,
        "left_out": len(lines) - len(shown),
        "total": total if len(lines) > 1 else None,
    }
