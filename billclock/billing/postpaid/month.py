"""A provider's month that is to be invoiced, and which of them are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billclock.billing.clients import Account
from billclock.billing.periods import add_months
from billclock.billing.progress import Watermark
from billclock.billing.provider import Company, Provider

JOB = "payment_generate_postpaid"

PREFIX = "postpaid"
"""How the keys of such invoices begin."""


@dataclass(frozen=True, slots=True)
class Month:
    """A provider's month from its first day `since`, invoiced on the business date `on`."""

    provider: Provider
    since: date
    on: date

    @property
    def until(self) -> date:
        """Give the first day after it, which is the date of its run."""
        return add_months(self.since, 1, 1)

    @property
    def values(self) -> dict[str, object]:
        """Give the values its statements take."""
        return {
            "provider": self.provider.pk,
            "credit": int(self.provider.invoices_for_credit),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
        }

    def __str__(self) -> str:
        """Give it as 2026-10."""
        return f"{self.since:%Y-%m}"

    def key(self, account: Account, company: Company) -> str:
        """Give the key of an account's invoice by a company."""
        return f"{PREFIX} {account.number} {company.code} {account.currency_id} {self}"

    def invoices(self, account: Account) -> bool:
        """Tell whether an account's kind is invoiced by the month."""
        by_setting = account.kind == Account.Kind.CREDIT and self.provider.invoices_for_credit
        return account.kind == Account.Kind.POSTPAID or by_setting


def latest(provider: Provider, on: date) -> Month:
    """Give the last month that is over on a date."""
    return Month(provider, add_months(on.replace(day=1), -1, 1), on)


def months(provider: Provider, on: date) -> list[Month]:
    """Give the months that are over on a date and not invoiced, oldest first.

    The last one alone where the job never ran; none where it was done already.
    """
    this = on.replace(day=1)
    mark = Watermark.objects.filter(job=JOB, provider=provider).first()
    until = add_months(mark.on, 1, 1) if mark else this
    found = []
    while until <= this:
        found.append(Month(provider, add_months(until, -1, 1), on))
        until = add_months(until, 1, 1)
    return found
