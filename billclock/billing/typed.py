"""Numbers as a person types them: which payment, invoice or account of a provider is meant.

Capitals, spaces, marks between the parts and zeros before a number make no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeAlias

from django.db.models import QuerySet

from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.payments import Payment
from billclock.billing.provider import Provider

Payable: TypeAlias = Payment | Invoice | Account

_PART = re.compile(r"[^\W\d_]+|\d+")


class Sort(StrEnum):
    """What a number may be of."""

    PAYMENT = "payment"
    INVOICE = "invoice"
    REQUEST = "request"
    ACCOUNT = "account"


def payable(provider: Provider, typed: str, sort: str = "") -> list[Payable]:
    """Give what a typed number may name, of one sort or of any: nothing, one thing or a choice.

    A number typed as it is written names that alone, whatever else is alike.
    """
    form = _form(typed)
    if not form:
        return []
    every = [rows for one, rows in _rows(provider).items() if sort in {"", one}]
    exact = [row for rows in every for row in rows.filter(number=typed.strip())]
    return exact or [row for rows in every for row in _alike(rows, form)]


def sort_of(found: Payable) -> Sort:
    """Give what something is."""
    if isinstance(found, Invoice):
        return Sort.REQUEST if found.kind == Invoice.Kind.REQUEST else Sort.INVOICE
    return Sort.PAYMENT if isinstance(found, Payment) else Sort.ACCOUNT


def _rows(provider: Provider) -> dict[Sort, QuerySet[Any]]:
    """Give what money may be assigned to; nobody pays a draft, or what was cancelled."""
    related = ("account__client", "account__provider", "account__company", "account__funds")
    papers = Invoice.objects.filter(
        account__provider=provider, state__in=(Invoice.State.ISSUED, Invoice.State.CLOSED)
    ).select_related(*related)
    return {
        Sort.PAYMENT: Payment.objects.filter(account__provider=provider).select_related(
            *related, "method"
        ),
        Sort.INVOICE: papers.filter(kind=Invoice.Kind.INVOICE),
        Sort.REQUEST: papers.filter(kind=Invoice.Kind.REQUEST),
        Sort.ACCOUNT: Account.objects.filter(provider=provider).select_related(
            "provider", "company", "client", "funds"
        ),
    }


def _alike(rows: QuerySet[Any], form: str) -> Iterable[Any]:
    """Find rows whose numbers have a form; their last part is what the database can look for."""
    last = _PART.findall(form)[-1]
    found = rows.order_by("pk").filter(number__iendswith=last).values_list("pk", "number")
    keys = [key for key, number in found.iterator() if _form(number) == form]
    return rows.filter(pk__in=keys[:MOST]).order_by("pk")


MOST = 20
"""More that are alike are no choice for a person."""


def _form(text: str) -> str:
    """Give what a number says: its letters in capitals, its figures without zeros before them."""
    said = ""
    for part in _PART.findall(text.upper()):
        figures = part.isdecimal()
        if figures and said[-1:].isdecimal():
            said += "-"
        said += (part.lstrip("0") or "0") if figures else part
    return said
