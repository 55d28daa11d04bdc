"""The payments that go with invoices: what is open of them, by the method a client last used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from billclock import clock
from billclock.billing.invoices import Invoice, draw_many
from billclock.billing.payments import SEQUENCE, Payment, PaymentMethod, number_of


def ask(invoices: Sequence[Invoice], on: date) -> int:
    """Ask for what money has not paid, where the provider offers a way to pay; give how often."""
    methods = _methods(invoices)
    asked = [invoice for invoice in invoices if invoice.open_minor and invoice.pk in methods]
    asked.sort(key=lambda invoice: (invoice.account.company_id, invoice.pk))
    for _, group in groupby(asked, key=lambda invoice: invoice.account.company_id):
        _request(list(group), methods, on)
    return len(asked)


def _request(invoices: Sequence[Invoice], methods: dict[int, PaymentMethod], on: date) -> None:
    company, now = invoices[0].account.company, clock.now()
    last = draw_many(company, SEQUENCE, 0, len(invoices)).last
    Payment.objects.bulk_create(
        Payment(
            key=f"invoice {invoice.key}"[:120], number=number_of(company, drawn),
            account=invoice.account, method=methods[invoice.pk], invoice=invoice,
            purpose=Payment.Purpose.INVOICE, amount_minor=invoice.open_minor,
            created_at=now, created_on=on,
        )
        for drawn, invoice in enumerate(invoices, last - len(invoices) + 1)
    )  # fmt: skip


def _methods(invoices: Sequence[Invoice]) -> dict[int, PaymentMethod]:
    """Give by invoice the method its client last paid with, else the first that is offered."""
    providers = {invoice.account.provider_id for invoice in invoices}
    offered = PaymentMethod.objects.filter(provider__in=providers, active=True)
    by_key = {method.pk: method for method in offered.order_by("-order", "-id")}
    first = {(method.provider_id, method.currency_id): method for method in by_key.values()}
    used = dict(
        Payment.objects.filter(
            account__in={invoice.account_id for invoice in invoices},
            state=Payment.State.CREDITED,
            method__in=by_key,
        )
        .order_by("id")
        .values_list("account_id", "method_id")
    )
    found: dict[int, PaymentMethod] = {}
    for invoice in invoices:
        last = by_key.get(used.get(invoice.account_id, 0))
        method = last or first.get((invoice.account.provider_id, invoice.currency))
        if method:
            found[invoice.pk] = method
    return found
