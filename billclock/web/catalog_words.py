"""How products and add-ons are billed, in words; prices with their time, and their columns."""

from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Subquery, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billclock import clock
from billclock.billing.catalog import AddOn, Cycle, Price
from billclock.web.kit.columns import Code, Day, Link, Money, Number, State, Text
from billclock.web.kit.figures import UnitMoney
from billclock.web.kit.marks import Mark

CYCLES: dict[Cycle, Promise] = {
    Cycle.PERIODIC: _("by periods from the day of order"),
    Cycle.CALENDAR: _("by calendar months"),
    Cycle.DAILY: _("by the day"),
    Cycle.HOURLY: _("by the hour"),
}
BILLINGS: dict[AddOn.Billing, Promise] = {
    AddOn.Billing.FREE: _("free"),
    AddOn.Billing.ORDERED: _("as ordered, with the period"),
    AddOn.Billing.USED: _("as used over the included, by the day"),
    AddOn.Billing.PEAK: _("highest use over the included, by the period"),
    AddOn.Billing.ONCE: _("once, with the order"),
}
ORDERABLE = {
    True: Mark("circle-check", "ok", _("can be ordered")),
    False: Mark("power-off", "off", _("not for sale")),
}
NOW, COMING, PAST = "now", "coming", "past"
TIMES = {
    NOW: Mark("circle-check", "ok", _("valid now")),
    COMING: Mark("calendar-days", "warn", _("coming")),
    PAST: Mark("history", "off", _("past")),
}


def period(months: int) -> str:
    """Say a period."""
    if months == 0:
        return _now("an hour")
    return ngettext("%d month", "%d months", months) % months


def _period(row: Any) -> str:
    return period(row.months)


def _of_unit(row: Any) -> int | None:
    return row.unit_micro or None


def _of_period(row: Any) -> int | None:
    return row.amount_minor if row.amount_minor or not row.unit_micro else None


def _setup(row: Any) -> int | None:
    return row.setup_minor or None


def prices() -> QuerySet[Any]:
    """Give prices with their time: coming, past for services that there are too, or valid now."""
    today = clock.today()
    later = Price.objects.filter(
        product=OuterRef("product"),
        addon=OuterRef("addon"),
        currency=OuterRef("currency"),
        months=OuterRef("months"),
        valid_from__gt=OuterRef("valid_from"),
        valid_from_existing__lte=today,
    )
    addon = AddOn.objects.filter(pk=OuterRef("addon")).values("name")
    return Price.objects.select_related("product").annotate(
        over=Exists(later),
        time=Case(
            When(valid_from__gt=today, then=Value(COMING)),
            When(over=True, then=Value(PAST)),
            default=Value(NOW),
            output_field=CharField(),
        ),
        of_addon=Subquery(addon),
    )


def _billed(row: Any) -> object:
    return BILLINGS[AddOn.Billing(row.billing)]


def _what(row: Any) -> object:
    return row.of_addon or row.product.name


PRODUCT = Link("product", _("Product"), to="products", named="name")
ADDON = (
    Code("code", _("Code"), sort="code"),
    Text("billing", _("Billed"), of=_billed),
    Number("included", _("Included"), below="unit"),
    Number("most", _("Limit")),
)
WHAT = Text("what", _("What for"), of=_what)
PERIOD = Text("months", _("Period"), of=_period)
FIGURES = (
    Money("amount", _("Price"), of=_of_period),
    UnitMoney("unit", _("Price of a unit"), of=_of_unit),
    Money("setup", _("Set-up"), of=_setup, less=True),
)
DAYS = (
    Day("valid_from", _("For orders from")),
    Day("valid_from_existing", _("For services there are from")),
)
STATE = State("time", _("State"), of="time", marks=TIMES)
