"""Charges of one service: posted with their transfers, taken back, and kept for the days used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from billclock.billing import ledger
from billclock.billing.charges import TILES, Charge, ChargeKind, Reversal
from billclock.billing.clients import Account
from billclock.billing.errors import NotEnoughMoneyError
from billclock.billing.ledger import Cause, LedgerAccount, Move, Transfer
from billclock.billing.money import Money, span
from billclock.billing.pricing import Amount
from billclock.billing.quotes import Line, total
from billclock.billing.services import Service

CAUSES = (Cause.CHARGE, Cause.CHARGE_TAX)


@dataclass(frozen=True, slots=True)
class Taken:
    """Charges that are to be taken back from a day on, with their transfers."""

    charges: Sequence[Charge]
    transfers: Sequence[Transfer]
    since: date

    @property
    def total_minor(self) -> int:
        """Give what the account gets back of them, before the days used are charged again."""
        return sum(charge.total_minor for charge in self.charges)

    def only(self, addons: Collection[int]) -> Taken:
        """Keep the charges of some add-ons."""
        charges = [charge for charge in self.charges if charge.addon in addons]
        ours = {charge.pk for charge in charges}
        return Taken(charges, [t for t in self.transfers if t.source in ours], self.since)

    @property
    def kept(self) -> list[Line]:
        """Give the lines of the days before: their share of what was posted, never recomputed."""
        ours = {(t.cause, t.source): t.credit for t in self.transfers}
        return [
            _kept(charge, self.since, ours)
            for charge in self.charges
            if charge.period_start < self.since
        ]


def running(service: Service, since: date, *, pauses: bool = False) -> Taken:
    """Find what was charged for days from `since` on: periods and add-ons, nothing paid once."""
    kinds = {*TILES, ChargeKind.ADDON} - (set() if pauses else {ChargeKind.PAUSE})
    found = service.charges.filter(reversal=None, period_end__gt=since, kind__in=kinds)
    charges = list(found.select_related("price", "tax_rate", "account__funds"))
    transfers = Transfer.objects.filter(
        cause__in=CAUSES, source__in=[charge.pk for charge in charges]
    )
    return Taken(charges, list(transfers.select_related("debit", "credit")), since)


def take_back(taken: Taken, *, on: date, why: str, by: str) -> None:
    """Reverse charges and their transfers."""
    Reversal.objects.bulk_create(
        Reversal(charge=charge, on=on, why=why[:200], by=by) for charge in taken.charges
    )
    ledger.reverse(taken.transfers, on=on)


def book(service: Service, lines: Iterable[Line], *, on: date) -> list[Charge]:
    """Insert the charges of lines, and post them; the act has seen to it that they can be paid."""
    wanted = list(lines)
    charges = Charge.objects.bulk_create(
        Charge(
            service=service, account_id=service.account_id, kind=line.kind, addon=line.addon,
            period_start=line.start, period_end=line.end, generation=service.generation,
            price=line.price, quantity=line.quantity, list_minor=line.amount.list_minor,
            discount_minor=line.amount.discount_minor, net_minor=line.amount.net_minor,
            tax_minor=line.amount.tax_minor, tax_rate=line.tax_rate, on=on,
        )
        for line in wanted
    )  # fmt: skip
    moves = [
        Move(service.account.funds, credit, amount, cause, charge.pk)
        for line, charge in zip(wanted, charges, strict=True)
        for credit, amount, cause in (
            (line.revenue, line.amount.net_minor, Cause.CHARGE),
            (line.tax, line.amount.tax_minor, Cause.CHARGE_TAX),
        )
        if credit is not None and amount
    ]
    ledger.post(moves, on=on)
    return charges


def require_money(account: Account, lines: Iterable[Line], *, back: int = 0) -> None:
    """Raise NotEnoughMoneyError where an account cannot pay lines, `back` being returned to it."""
    held = LedgerAccount.objects.get(pk=account.pk)
    need = total(lines) - back
    have = ledger.available(held, credit_blocked=account.credit_blocked)
    if need > max(have, 0):
        code = account.currency_id
        raise NotEnoughMoneyError(account.number, Money(need, code), Money(have, code))


def _kept(charge: Charge, until: date, ours: dict[tuple[int, int], LedgerAccount]) -> Line:
    days = (charge.period_end - charge.period_start).days
    used = (until - charge.period_start).days
    net, tax, off = (
        span(minor, days, 0, used)
        for minor in (charge.net_minor, charge.tax_minor, charge.discount_minor)
    )
    contained = charge.list_minor - charge.discount_minor != charge.net_minor
    if contained:  # a price with its tax: their sum is parted, so that it stays the price
        net = span(charge.total_minor, days, 0, used) - tax
    price = net + tax if contained else net
    return Line(
        ChargeKind(charge.kind), charge.addon, charge.period_start, until, charge.price,
        charge.quantity, Amount(price + off, off, net, tax), charge.tax_rate,
        _credit(ours, Cause.CHARGE, charge), ours.get((Cause.CHARGE_TAX, charge.pk)),
    )  # fmt: skip


def _credit(
    ours: dict[tuple[int, int], LedgerAccount], cause: Cause, charge: Charge
) -> LedgerAccount:
    """Give where a charge's net went; a free one went nowhere, and its share is free as well."""
    return ours.get((cause, charge.pk)) or charge.account.funds
