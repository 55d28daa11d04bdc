"""Charges: what each service cost for a period, and how every amount came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing.booking import CAUSES
from billclock.billing.catalog import AddOn, Product
from billclock.billing.charges import Charge, ChargeKind, Reversal
from billclock.billing.invoices import InvoiceLine
from billclock.billing.ledger import Transfer
from billclock.billing.services import Service
from billclock.web import kept, searched, service_words
from billclock.web.client_words import CAUSES as CAUSE_WORDS
from billclock.web.client_words import amount
from billclock.web.invoices import share
from billclock.web.kit.columns import Day, Link, Money, Number, State, Text
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.leading import way_to
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Section
from billclock.web.numbers import whole
from billclock.web.service_columns import days
from billclock.web.visible import visible

FEW_SERVICES = 20_000  # from so many on, one of a product is soon met among the newest charges
LIVE, REVERSED = "live", "reversed"
STATES = {
    LIVE: Mark("circle-check", "ok", _("in force")),
    REVERSED: Mark("undo-2", "off", _("taken back")),
}


def _rows() -> QuerySet[Charge]:
    name = AddOn.objects.filter(pk=OuterRef("addon")).values("name")[:1]
    found = Charge.objects.select_related(
        "service__product", "account__client", "price__product", "tax_rate", "reversal"
    )
    return found.annotate(addon_name=Subquery(name))


def _found_by(word: str) -> Q:
    """Give the condition of a searched word: a service's or account's number, a client."""
    named = Service.objects.filter(Q(number__in=searched.numbers(word)) | Q(name=word))
    services = searched.few(named)
    return Q(service__in=services) | Q(account__in=searched.accounts(word))


def _kept(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    if value == REVERSED:
        return rows.filter(pk__in=Reversal.objects.values("charge"))
    return rows.filter(reversal=None)


def _products() -> dict[str, str]:
    found = Product.objects.order_by("name").values_list("pk", "name")
    return {str(key): name for key, name in found}


def _of_product(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Keep a product's charges: of few services by those, of many from the newest charge on."""
    theirs = Service.objects.filter(product=whole(value)).values("pk")
    if theirs[: FEW_SERVICES + 1].count() <= FEW_SERVICES:
        return rows.filter(service__in=theirs)
    return rows.filter(Exists(theirs.filter(pk=OuterRef("service"))))


def what(row: Any) -> str:
    """Say what was charged, with the add-on's name."""
    said = str(service_words.CHARGES[ChargeKind(row.kind)])
    return f"{said}: {row.addon_name}" if row.addon and row.addon_name else said


def _span(row: Charge) -> str:
    return days(row.period_start, row.period_end)


def _state(row: Charge) -> str:
    return REVERSED if hasattr(row, "reversal") else LIVE


def _back(row: Charge) -> str:
    return kept.read(row.reversal.why) if hasattr(row, "reversal") else ""


def _named(row: Charge) -> str:
    return f"{row.service.number}, {_span(row)}"


def _formula(row: Charge, _request: HttpRequest) -> Mapping[str, Any]:
    """Give the steps from the price to what was posted, each with the stored fact behind it."""
    return {"steps": list(_steps(row))}


def _steps(row: Charge) -> Iterator[tuple[str, str, str, str]]:
    """Give name, amount, words and address of each step."""
    code = row.account.currency_id
    yield (_now("Price list"), amount(row.list_minor, code), _price(row),
           way_to("prices", row.price_id) if row.price_id else "")  # fmt: skip
    off = _now("of the price list") if row.discount_minor else _now("none")
    yield _now("Discount"), amount(-row.discount_minor, code), off, ""
    gross = row.list_minor - row.discount_minor != row.net_minor
    how = _now("the price contained the tax") if gross else _now("price less discount")
    yield _now("Net"), amount(row.net_minor, code), how, ""
    yield (_now("Tax"), amount(row.tax_minor, code), _rate(row),
           way_to("tax-rates", row.tax_rate_id) if row.tax_rate_id else "")  # fmt: skip
    yield _now("Total"), amount(row.total_minor, code), _now("net and tax, as it was posted"), ""


def _price(row: Charge) -> str:
    """Say which version of a price, for how much, on which formula."""
    if row.price is None:
        return _now("no price version: it was moved from elsewhere, or cost nothing")
    since = date_format(row.price.valid_from, "j M Y")
    return _now("version %(key)s of %(product)s, from %(since)s: %(how)s") % {
        "key": row.price_id, "product": visible(row.price.product.name), "since": since,
        "how": _how(row),
    }  # fmt: skip


def _how(row: Charge) -> str:
    price, code = row.price, row.account.currency_id
    assert price is not None  # noqa: S101 - its caller looked
    each = amount(price.amount_minor, code)
    match ChargeKind(row.kind):
        case ChargeKind.HOURLY | ChargeKind.OVERAGE:
            micro = f"{price.unit_micro // 1_000_000}.{price.unit_micro % 1_000_000:06}".rstrip("0")
            return f"{row.quantity} × {micro.rstrip('.')} {code}"
        case ChargeKind.SETUP:
            return amount(price.setup_minor, code)
        case ChargeKind.DAILY:
            return _now("the day's share of %s a month") % each
    span_days = (row.period_end - row.period_start).days
    term = service_words.period(price.months, row.service.product.cycle)
    whole = f"{row.quantity} × {each}" if row.quantity > 1 else each
    if row.list_minor == price.amount_minor * row.quantity:
        return f"{whole}, {term}"
    return _now("the share of %(days)d days of %(price)s, %(term)s") % {
        "days": span_days, "price": whole, "term": term}  # fmt: skip


def _rate(row: Charge) -> str:
    if row.tax_rate is None:
        return _now("no tax is due here, or the client owes it himself")
    since = date_format(row.tax_rate.valid_from, "j M Y")
    return f"{share(row.tax_rate.ppm)} · {row.tax_rate.area} · {_now('since %s') % since}"


def _transfers(row: Charge) -> QuerySet[Transfer]:
    """Give the transfers that posted the charge, and those that took them back."""
    ours = Transfer.objects.filter(cause__in=CAUSES, source=row.pk)
    back = Transfer.objects.filter(reverses__in=ours.values("pk"))
    both = Q(pk__in=ours.values("pk")) | Q(pk__in=back.values("pk"))
    return Transfer.objects.filter(both).select_related("debit", "credit").order_by("pk")


def _invoiced(row: Charge) -> QuerySet[InvoiceLine]:
    found = InvoiceLine.objects.filter(Q(charge=row) | Q(takes_back__charge=row))
    return found.select_related("invoice").order_by("pk")


def _side(name: str) -> Any:
    return lambda row: getattr(row, name).owner


SERVICE = Link("service", _("Service"), to="services", named="number", below="service.name")
ACCOUNT = Link(
    "account", _("Account"), to="client-accounts", named="number", below="account.client.name"
)
TOTAL = Money("total", _("Total"), of="total_minor", currency="account.currency_id")
STATE = State("state", _("State"), of=_state, marks=STATES, below=_back)

CHARGES = Section(
    name="charges",
    title=_("Charges"),
    one=_("charge"),
    rows=_rows,
    named=_named,
    columns=(
        Text("what", _("What"), of=what, below=_span),
        SERVICE, ACCOUNT,
        Money("net", _("Net"), of="net_minor", currency="account.currency_id", less=True),
        Money("tax", _("Tax"), of="tax_minor", currency="account.currency_id", less=True),
        TOTAL,
        Day("on", _("Charged on")),
        STATE,
    ),
    search=_found_by,
    filters=(
        Choice("kind", _("Kind"),
               choices={str(k.value): word for k, word in service_words.CHARGES.items()}),
        Choice("state", _("State"), kept=_kept,
               choices={name: mark.word for name, mark in STATES.items()}),
        Choice("product", _("Product"), choices=_products, kept=_of_product),
        Days("on", _("Charged on")),
    ),
    facts=(
        Text("what", _("What"), of=what), SERVICE, ACCOUNT, STATE, TOTAL,
        Text("days", _("Days"), of=_span),
        Number("quantity", _("Quantity")),
        Day("on", _("Charged on")),
        Number("generation", _("Generation"), less=True),
    ),
    panels=(
        Panel("formula", _("How it came about"), template="invoices/formula.html",
              context=_formula),
        Related("transfers", _("Transfers"), rows=_transfers, columns=(
            Text("cause", _("What"), of=lambda row: CAUSE_WORDS[row.cause]),
            Text("debit", _("From"), of=_side("debit")),
            Text("credit", _("To"), of=_side("credit")),
            Money("amount", _("Amount"), of="amount_minor", currency="currency"),
            Day("on", _("Date")),
        ), empty=_("It cost nothing, so nothing moved.")),
        Related("invoices", _("Documents"), rows=_invoiced, rare=True, columns=(
            Text("number", _("Number"), of="invoice.number", below="text"),
            Money("total", _("Net"), of="net_minor", currency="invoice.currency"),
            Day("issued_on", _("Issued"), of="invoice.issued_on"),
        ), link=lambda row: way_to("invoices", row.invoice_id)),
    ),
    css="css/invoices.css",
    empty=_("Billing writes them; nobody else does."),
)  # fmt: skip
