"""Columns of services and of what belongs to them: charges, decisions, stops, operations."""

from datetime import date, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock import clock
from billclock.billing.catalog import AddOn, Cycle, Price, Product
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.money import Money as Sum
from billclock.billing.services import Operation, Outcome, Reason, Service, ServiceQuerySet
from billclock.web import kept, searched
from billclock.web import service_words as words
from billclock.web.kit.columns import Day, Link, Moment, Money, Number, State, Switch, Text
from billclock.web.kit.marks import Mark
from billclock.web.kit.query import held
from billclock.web.numbers import whole, wholes
from billclock.web.times import Wall


def services() -> ServiceQuerySet:
    """Give services with what their columns show, and the price each is renewed by today.

    Only accounts are joined: from a join with a small table SQLite begins there, and puts all
    services in order afterwards.
    """
    price = Price.objects.filter(
        product=OuterRef("product"), currency=OuterRef("account__currency"), addon=0,
        months=OuterRef("months"), valid_from_existing__lte=clock.today(clock.server_zone()),
    ).order_by("-valid_from_existing", "-pk")  # fmt: skip
    rows = Service.objects.select_related("account").prefetch_related(
        "account__client", "account__provider", "account__funds", "product__type", "product__module"
    )
    return rows.annotate(
        price_minor=Subquery(price.values("amount_minor")[:1]),
        price_micro=Subquery(price.values("unit_micro")[:1]),
    )


def found_by(word: str) -> Q:
    """Give the condition of a searched word: a number, the service's name, a client's name."""
    return (
        Q(number__in=searched.numbers(word))
        | held(("name",), word)
        | Q(account__in=searched.accounts(word))
    )


def billed(rows: QuerySet[Any], cycle: str) -> QuerySet[Any]:
    """Keep the services of products that are billed so."""
    sold = Product.objects.filter(cycle__in=wholes([cycle]))
    return rows.filter(product__in=list(sold.values_list("pk", flat=True)))


def stopped_for(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Keep the services whose set of reasons holds one."""
    every = range(1, sum(Reason) + 1)
    wanted = whole(value) or 0
    return rows.filter(stopped_for__gt=0, stopped_for__in=[n for n in every if n & wanted])


def _price(row: Any) -> int | None:
    return row.price_minor if row.product.cycle != Cycle.HOURLY else None


def _for_how_long(row: Any) -> str:
    if row.price_minor is None:
        return _now("no price")
    return words.period(row.months, row.product.cycle)


class RenewalPrice(Money):
    """What a service is renewed by; by the hour a price may be less than a minor unit."""

    def html(self, row: Any, wall: Wall) -> SafeString:
        """Give the price, and for how long one has it."""
        if row.product.cycle != Cycle.HOURLY or row.price_micro is None:
            return super().html(row, wall)
        digits = f"{row.price_micro // 1_000_000}.{row.price_micro % 1_000_000:06}".rstrip("0")
        said = f"{digits.rstrip('.')} {row.account.currency_id}"
        return format_html('{}<span class="l2">{}</span>', said, _for_how_long(row))


def _reasons(row: Any) -> str:
    return words.reasons_said(row.stopped_for)


def addons(rows: QuerySet[Charge]) -> QuerySet[Charge]:
    """Give charges the names of their add-ons."""
    name = AddOn.objects.filter(pk=OuterRef("addon")).values("name")[:1]
    return rows.annotate(addon_name=Subquery(name))


def _what(row: Any) -> str:
    said = str(words.CHARGES[ChargeKind(row.kind)])
    return f"{said}: {row.addon_name}" if row.addon and row.addon_name else said


def days(start: date, end: date) -> str:
    """Say the days of a half-open period by its first and its last."""
    if end <= start:
        return date_format(start, "j M Y")
    last = end - timedelta(days=1)
    first = date_format(start, "j M Y" if start.year != last.year else "j M")
    return (
        date_format(last, "j M Y") if last == start else f"{first} – {date_format(last, 'j M Y')}"
    )


def _span(row: Any) -> str:
    return days(row.period_start, row.period_end)


def _back(row: Any) -> str:
    return kept.read(row.reversal.why) if hasattr(row, "reversal") else ""


def _numbers(row: Any) -> str:
    """Say what a decision saw: "needed 11.90 €, there were 8.10 €"."""
    if not row.need_minor:
        return ""
    if row.outcome == Outcome.OVER_MOST:
        return _now("in use %(used)s, allowed %(most)s") % {
            "used": row.need_minor, "most": row.available_minor}  # fmt: skip
    code, language = row.service.account.currency_id, get_language() or "en"
    return _now("it needed %(need)s, there were %(have)s") % {
        "need": Sum(row.need_minor, code).shown(language),
        "have": Sum(row.available_minor, code).shown(language),
    }


STATE = State("status", _("State"), marks=words.STATUS, below=_reasons)
PRODUCT = Link("product", _("Product"), to="products", named="name")
ACCOUNT = Link(
    "account", _("Account"), to="client-accounts", named="number", below="account.client.name"
)
ENDS = Day("paid_until", _("Paid until"))
PRICE = RenewalPrice(
    "price", _("Price"), of=_price, currency="account.currency_id", below=_for_how_long
)
RENEWS = Switch("auto_renew", _("Automatic renewal"))
REASONS = Text("stopped_for", _("Stopped"), of=_reasons)

LIST = (
    Text("number", _("Service number"), below="name", sort="number"),
    PRODUCT, ACCOUNT, STATE, ENDS, PRICE, Switch("auto_renew", _("Renews")),
)  # fmt: skip

FACTS = (
    Text("name", _("Name"), of="name"),
    PRODUCT,
    ACCOUNT,
    Link("client", _("Client"), of="account.client", to="clients", named="name"),
    ENDS,
    RENEWS,
    PRICE,
    REASONS,
    Day("opened_on", _("Since")),
    Day("held_until", _("Held until")),
    Day("closed_on", _("Closed on")),
    Text("module", _("Processing module"), of="product.module.code"),
)

CHARGE = (
    Text("what", _("What"), of=_what),
    Text("days", _("Days"), of=_span),
    Money("net", _("Net"), of="net_minor", currency="account.currency_id", less=True),
    Money("tax", _("Tax"), of="tax_minor", currency="account.currency_id", less=True),
    Money("total", _("Total"), of="total_minor", currency="account.currency_id"),
    Day("on", _("Charged on")),
    State(
        "state", _("State"), of=lambda row: hasattr(row, "reversal"), below=_back,
        marks={False: Mark("circle-check", "ok", _("in force")),
               True: Mark("undo-2", "off", _("taken back"))},
    ),
)  # fmt: skip

VERDICT = (
    Day("on", _("Date")),
    State("outcome", _("Decision"), marks=words.OUTCOMES, below=_numbers),
)


def _cause(row: Operation) -> str:
    """Say what an operation follows from."""
    word = words.CAUSES.get(row.cause)
    return str(word) if word else kept.read(row.cause)


SUSPENSION = (
    Text("reason", _("Reason"), of=lambda row: words.REASONS[Reason(row.reason)]),
    Day("on", _("Since")),
    Day("lifted_on", _("Lifted"), below=kept.of("lifted_why")),
    Text("by", _("By"), of=lambda row: words.actor(row.by)),
)

OPERATION = (
    Text("action", _("What"), of=lambda row: words.ACTIONS[row.action], below=_cause),
    State("state", _("State"), marks=words.OPERATIONS, below=kept.of("last_error")),
    Number("attempts", _("Tries")),
    Moment("created_at", _("Asked for")),
    Moment("finished_at", _("Ended"), less=True),
)

ADDON = (
    Text("addon", _("Add-on"), of="addon.name"),
    Number("quantity", _("Ordered")),
    Number("included", _("Included"), of="addon.included"),
    Number("used", _("In use")),
    Number("most", _("At most"), of="addon.most"),
    Text("unit", _("Unit"), of="addon.unit", less=True),
)

SWITCH = (
    Moment("at", _("When")),
    Switch("on", _("Automatic renewal")),
    Text("by", _("By"), of=lambda row: words.actor(row.by)),
    Text("why", _("Why"), of=kept.of("why")),
)


TASK = (
    Text("subject", _("What"), of=kept.of("subject")),
    State("done", _("State"), of=lambda row: row.done_at is not None, marks=words.TASKS),
    Moment("created_at", _("Since")),
    Text("done_by", _("By"), less=True),
)
