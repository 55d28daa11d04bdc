"""Charges for tests of invoices: posted and taken back as the areas that do so post them."""

from __future__ import annotations

from datetime import date, timedelta

from billclock.billing import booking, invoicing, verifying
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Transfer
from billclock.billing.pricing import amount
from billclock.billing.quotes import Line, Terms
from billclock.billing.services import Service
from tests.billing.company import House, assert_books_agree

NOVEMBER = date(2026, 11, 10)
DECEMBER = date(2026, 12, 1)
POSTPAID = Account.Kind.POSTPAID


def charge(
    house: House, account: Account, net: int, on: date = NOVEMBER, product: str = "monthly"
) -> Charge:
    """Charge an account for 30 days of a new service, as the day's billing posts it."""
    service = house.service(account, product, paid_until=on)
    terms = Terms.of(account, service.product, on)
    ppm = terms.tax_rate.ppm if terms.tax_rate else 0
    end = on + timedelta(days=30)
    line = Line(
        ChargeKind.PERIOD, 0, on, end, None, 1, amount(net, 0, ppm, gross=terms.gross),
        terms.tax_rate, terms.revenue, terms.tax,
    )  # fmt: skip
    (made,) = booking.book(service, [line], on=on)
    Service.objects.filter(pk=service.pk).update(paid_until=end)
    return made


def reverse(charge: Charge, why: str = "it was down") -> None:
    """Take a charge back as if its days had not been."""
    moves = list(Transfer.objects.filter(cause__in=(1, 2), source=charge.pk))
    taken = booking.Taken([charge], moves, charge.on)
    booking.take_back(taken, on=DECEMBER, why=why, by="")
    Service.objects.filter(pk=charge.service_id).update(paid_until=charge.period_start)


def post(house: House, account: Account, *nets: int) -> list[Charge]:
    """Charge an account several times."""
    return [charge(house, account, net) for net in nets]


def issued(house: House, account: Account, *nets: int) -> Invoice:
    """Issue an invoice over charges of these amounts, on DECEMBER."""
    charges = post(house, account, *nets)
    made = invoicing.draft(account, house.company, charges, key=f"k{Invoice.objects.count()}")
    return invoicing.issue(made, DECEMBER)


def sound() -> None:
    """Check the books, but for periods: these charges do not tile them."""
    assert_books_agree()
    assert [breach for breach in verifying.breaches() if "tile" not in breach.invariant] == []
