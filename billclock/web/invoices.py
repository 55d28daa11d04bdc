"""Invoices, requests to pay, credit notes: what each says, and what paid it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock.billing import papers
from billclock.billing.documents.paper import LANGUAGES
from billclock.billing.invoices import Invoice, InvoiceLine
from billclock.billing.payments import Payment
from billclock.billing.provider import Company, Provider
from billclock.web import invoice_words as words
from billclock.web import kept, searched, why
from billclock.web.client_words import LANGUAGES as LANGUAGE_NAMES
from billclock.web.client_words import amount
from billclock.web.invoice_acts import ACTS
from billclock.web.kit.columns import Day, Link, Money, Number, State, Text
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.leading import way_to
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Section
from billclock.web.payment_words import STATES
from billclock.web.service_columns import days

SETTLED = (Invoice.State.ISSUED, Invoice.State.CLOSED)


def _rows() -> QuerySet[Invoice]:
    return Invoice.objects.select_related(
        "account__client", "account__provider", "account__payer", "company__provider", "credits"
    )


def found_by(word: str) -> Q:
    """Give the condition of a searched word: a document's or account's number, a client."""
    return Q(number__in=searched.numbers(word)) | Q(account__in=searched.accounts(word))


def _kept(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Keep the documents that stand somewhere; late ones by their providers' dates."""
    if value in (words.DRAFT, words.CANCELLED, words.CLOSED):
        return rows.filter(state=value)
    asked = rows.filter(state__in=SETTLED).exclude(kind=Invoice.Kind.CREDIT_NOTE)
    if value == words.PAID:
        return asked.filter(paid_on__isnull=False)
    late = Q(pk__in=())
    for provider in Provider.objects.all():
        late |= Q(account__provider=provider, due_on__lt=provider.today())
    unpaid = asked.filter(paid_on=None)
    return unpaid.filter(late) if value == words.OVERDUE else unpaid.exclude(late)


def _companies() -> dict[str, str]:
    found = Company.objects.order_by("name").values_list("pk", "name")
    return {str(key): name for key, name in found}


def _lines(row: Invoice) -> QuerySet[InvoiceLine]:
    found = row.lines.select_related("invoice", "charge__reversal", "taken_back_by__invoice")
    return found.order_by("position")


def _of_days(row: InvoiceLine) -> str:
    return days(row.period_start, row.period_end) if row.period_start and row.period_end else ""


def _rate(row: InvoiceLine) -> str:
    return share(row.tax_ppm)


def share(ppm: int) -> str:
    """Say a share in millionths as percents: "19 %"."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".") + "\u00a0%"


def _line_state(row: InvoiceLine) -> str:
    back = getattr(row, "taken_back_by", None)
    if back is not None:
        return "credited"
    reversed_ = row.charge is not None and hasattr(row.charge, "reversal")
    return "reversed" if reversed_ else ""


def _charge_link(row: InvoiceLine) -> str:
    return way_to("charges", row.charge_id) if row.charge_id else ""


def _payments(row: Invoice) -> QuerySet[Payment]:
    return row.payments.select_related("account", "method").order_by("-pk")


def _credit_notes(row: Invoice) -> QuerySet[Invoice]:
    return row.credit_notes.select_related("account__provider").order_by("pk")


def _sums(row: Invoice, _request: HttpRequest) -> Mapping[str, Any]:
    """Give the tax of each rate as the document has it, and the sums below it."""
    paper = papers.paper(row)
    return {
        "taxes": [
            (
                share(tax.ppm),
                amount(tax.net_minor, row.currency),
                amount(tax.tax_minor, row.currency),
            )
            for tax in paper.taxes
        ],
        "net": amount(row.net_minor, row.currency),
        "tax": amount(row.tax_minor, row.currency),
        "total": amount(row.total_minor, row.currency),
        "covered": amount(row.covered_minor, row.currency) if row.covered_minor else "",
        "remark": kept.read(row.note),
        "own": _paper(row, paper.language),
        "others": [_paper(row, one, asked=True) for one in LANGUAGES if one != paper.language],
    }


def _paper(row: Invoice, language: str, *, asked: bool = False) -> tuple[str, str]:
    address = reverse("document", args=[row.pk])
    return f"{address}?in={language}" if asked else address, LANGUAGE_NAMES[language]


def _paid(row: Invoice, _request: HttpRequest) -> Mapping[str, Any] | None:
    """Say how a document's debt ended or why it is open."""
    if row.number == "" or row.kind == Invoice.Kind.CREDIT_NOTE:
        return None
    return {
        "mark": words.MARKS[words.state(row)],
        "paid_on": row.paid_on,
        "due_on": row.due_on,
        "request": row.kind == Invoice.Kind.REQUEST,
        "covered": amount(row.covered_minor, row.currency) if row.covered_minor else "",
        "open": amount(row.open_minor, row.currency),
        "whole": row.covered_minor >= row.total_minor,
    }


STATE = State("state", _("State"), of=words.state, marks=words.MARKS, below=words.sealed)
ACCOUNT = Link(
    "account", _("Account"), to="client-accounts", named="number", below="account.client.name"
)
ISSUED = Day("issued_on", _("Issued"), sort="issued_on")
DUE = Day("due_on", _("Due"), less=True)
TOTAL = Money("total", _("Total"), of="total_minor", currency="currency")

LINE = (
    Text("text", _("What"), below=_of_days),
    Number("quantity", _("Quantity"), less=True),
    Money("net", _("Net"), of="net_minor", currency="invoice.currency"),
    Text("rate", pgettext_lazy("tax", "Rate"), of=_rate),
    Money("tax", _("Tax"), of="tax_minor", currency="invoice.currency", less=True),
    State("state", _("State"), of=_line_state, marks={
        "credited": words.MARKS[words.CREDIT],
        "reversed": Mark("undo-2", "warn", _("taken back, not credited")),
    }),
)  # fmt: skip
PAYMENT = (
    Text("number", _("Payment")),
    Text("method", _("Method"), of="method.name"),
    Money("amount", _("Amount"), of="amount_minor", currency="account.currency_id"),
    State("state", _("State"), marks=STATES),
    Day("credited_on", _("Credited on")),
)
NOTE = (
    Text("number", _("Number"), of=words.number),
    Day("issued_on", _("Issued")),
    Text("note", _("Why"), of=kept.of("note")),
    TOTAL,
)

INVOICES = Section(
    name="invoices",
    title=_("Invoices"),
    one=_("invoice"),
    rows=_rows,
    named=words.number,
    number="number",
    columns=(
        Text("number", _("Number"), of=words.number, below=words.kind),
        ACCOUNT, STATE, ISSUED, DUE, TOTAL, Text("company", _("Company"), of="company.name",
                                                 less=True),
    ),
    search=found_by,
    filters=(
        Choice("kind", _("Kind"), choices=words.KINDS),
        Choice("state", _("State"), choices=words.FILTER, kept=_kept),
        Choice("company", _("Company"), choices=_companies),
        Days("issued_on", _("Issued")),
    ),
    acts=ACTS,
    facts=(
        Text("kind", _("Kind"), of=words.kind), ACCOUNT, STATE,
        Link("client", _("Client"), of="account.client", to="clients", named="name"),
        Link("company", _("Company"), to="companies", named="name"),
        TOTAL, ISSUED, Day("due_on", _("Due")), Day("paid_on", _("Paid on")),
        Day("signed_on", _("Signed on")), Day("closed_on", _("Closed on")),
        Link("credits", _("Takes back"), to="invoices", named=words.number),
    ),
    panels=(
        Related("lines", _("Lines"), rows=_lines, columns=LINE, most=200, link=_charge_link),
        Panel("sums", _("Tax and document"), template="invoices/sums.html", context=_sums),
        Panel("paid", _("What paid it"), template="invoices/paid.html", context=_paid),
        why.OF_INVOICE,
        Related("payments", _("Payments asked for by it"), rows=_payments, columns=PAYMENT,
                rare=True, link=lambda row: way_to("payments", row.pk)),
        Related("credit-notes", _("Credit notes"), rows=_credit_notes, columns=NOTE, rare=True,
                link=lambda row: way_to("invoices", row.pk)),
    ),
    css="css/invoices.css",
    empty=_("They come of postpaid months, of automatic requests, and by hand."),
)  # fmt: skip
