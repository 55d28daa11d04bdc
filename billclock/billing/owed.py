"""What money that a bank tells of may be for: open payments, unpaid invoices, accounts.

What a payer names goes before who he is, and what is open before what was paid: an entry is
compared with one after the other, and the first that fits or leaves a choice decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from billclock import clock
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.payments import Payment, PaymentMethod
from billclock.billing.statements import matching
from billclock.billing.statements.base import StatementEntry
from billclock.billing.statements.matching import (
    Ambiguous,
    Match,
    Matched,
    OpenRequest,
    Unmatched,
)

REMEMBERED = timedelta(days=400)
"""How long a payment's number still finds its account after it was paid: who pays twice."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an entry may pay, and what of it is open, in minor units: 0 for an account."""

    account: Account
    open_minor: int
    payment: Payment | None = None
    invoice: Invoice | None = None

    @property
    def name(self) -> str:
        """Give the number by which people know it."""
        if self.payment is not None:
            return self.payment.number
        return self.invoice.number if self.invoice is not None else self.account.number

    @property
    def iban(self) -> str:
        """Give the account its client pays from, as far as that is known."""
        return self.account.payer.iban if self.account.payer is not None else ""


class Owed:
    """All that may be paid by one method, as of now."""

    def __init__(self, method: PaymentMethod) -> None:
        related = ("account__client", "account__payer", "account__provider", "account__company")
        payments = Payment.objects.filter(method=method).select_related(*related, "method")
        waiting = payments.filter(state=Payment.State.NEW, stored=None).order_by("id")
        since = clock.today() - REMEMBERED
        paid = payments.filter(credited_on__gte=since).order_by("id")
        self._currency = method.currency_id
        self._targets: list[Target] = []
        self._open = self._add(Target(p.account, p.amount_minor, payment=p) for p in waiting)
        self._paid = self._add(Target(p.account, 0, payment=p) for p in paid)
        self._invoices = self._add(_invoices(method))
        self._accounts = self._add(Target(account, 0) for account in _accounts(method))

    def match(self, entries: Sequence[StatementEntry]) -> list[Match]:
        """Give a match for each entry, in their order."""
        found: dict[int, Match] = {}
        named = (*self._open, *self._paid)
        for numbers in (named, self._invoices, self._accounts):
            self._go_on(entries, found, [self._request(n, named=True) for n in numbers])
            if numbers is named:
                self._weigh(entries, found)
        taken = {n for match in found.values() for n in _numbers(match)}
        billed = {self._targets[n].invoice for n in taken}
        billed |= {self._payment(n).invoice for n in self._open}
        unbilled = [n for n in self._invoices if self._targets[n].invoice not in billed]
        rest = [n for n in (*self._open, *unbilled) if n not in taken]
        self._go_on(entries, found, [self._request(n, named=False) for n in rest])
        return [found[place] for place in range(len(entries))]

    def targets(self, match: Match) -> list[Target]:
        """Give what a match names."""
        return [self._targets[number] for number in _numbers(match)]

    def _add(self, targets: Iterable[Target]) -> range:
        begin = len(self._targets)
        self._targets.extend(targets)
        return range(begin, len(self._targets))

    def _payment(self, number: int) -> Payment:
        payment = self._targets[number].payment
        if payment is None:
            raise LookupError(f"target {number} is no payment")
        return payment

    def _go_on(
        self,
        entries: Sequence[StatementEntry],
        found: dict[int, Match],
        requests: Sequence[OpenRequest],
    ) -> None:
        """Match what nothing before has matched."""
        places = [n for n in range(len(entries)) if isinstance(found.get(n), Unmatched | None)]
        matches = matching.match([entries[place] for place in places], requests)
        found.update(zip(places, matches, strict=True))

    def _weigh(self, entries: Sequence[StatementEntry], found: dict[int, Match]) -> None:
        """Look what else an entry names that pays by a payment's number: an open invoice.

        One of the same account is paid by that money anyway, and takes the place of a payment
        that was made before; where the two are of different accounts a person must choose.
        """
        places = [n for n in range(len(entries)) if isinstance(found[n], Matched)]
        requests = [self._request(number, named=True) for number in self._invoices]
        billed = matching.match([entries[place] for place in places], requests)
        for place, bill in zip(places, billed, strict=True):
            perhaps = isinstance(bill, Ambiguous) and len(bill.requests) == 1
            if isinstance(bill, Unmatched) or perhaps:
                continue
            numbers = (*_numbers(found[place]), *_numbers(bill))
            if len({self._targets[number].account.pk for number in numbers}) > 1:
                why = "it names a payment and an invoice of different accounts"
                asked = tuple(self._request(number, named=True) for number in numbers)
                found[place] = Ambiguous(entries[place], asked, why)
            elif not any(self._targets[n].open_minor for n in _numbers(found[place])):
                found[place] = bill

    def _request(self, number: int, *, named: bool) -> OpenRequest:
        target = self._targets[number]
        who = {} if named else {"payer": target.account.client.name, "iban": target.iban}
        reference = target.name if named else ""
        return OpenRequest(number, reference, target.open_minor, self._currency, **who)


def _numbers(match: Match) -> list[int]:
    return [] if isinstance(match, Unmatched) else [request.number for request in match.requests]


def _invoices(method: PaymentMethod) -> Iterable[Target]:
    found = (
        Invoice.objects.open()
        .filter(account__provider=method.provider_id, currency=method.currency_id)
        .exclude(number="")
    )
    related = ("account__client", "account__payer", "account__provider", "account__company")
    for invoice in found.select_related(*related).order_by("issued_on", "id"):
        yield Target(invoice.account, invoice.left, invoice=invoice)


def _accounts(method: PaymentMethod) -> Iterable[Account]:
    found = Account.objects.filter(provider=method.provider_id, currency=method.currency_id)
    return found.select_related("client", "payer", "provider", "company").order_by("pk")
