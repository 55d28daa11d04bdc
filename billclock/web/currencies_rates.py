"""Rates: all there ever were, and one entered by hand."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import currencies
from billclock.billing.currencies import Pair, Rate
from billclock.billing.errors import BillingError, NoRateError
from billclock.billing.rates.judging import change
from billclock.web import currencies_columns as shown
from billclock.web.currencies import CURRENCIES
from billclock.web.kit.columns import Moment
from billclock.web.kit.fields import Day, Form
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.section import Section, Values
from billclock.web.visible import visible

MOST = Decimal(10) ** 12
Rows = QuerySet[Rate]


class RateForm(Form):
    """A rate of a pair from a day on; one far from the last is asked about once more."""

    currency = forms.CharField(label=_("One unit of"), max_length=3, help_text=_("Such as USD."))
    target = forms.CharField(label=_("costs in"), max_length=3, help_text=_("Such as EUR."))
    value = forms.DecimalField(label=_("Rate"), max_digits=24, decimal_places=12)
    on = Day(label=_("From day"), initial=shown.today)
    sure = forms.BooleanField(
        label=_("It is right, however far it is from the last one"), required=False
    )

    def clean(self) -> dict[str, Any]:
        """Find the pair, and look whether the rate is a likely one."""
        values = super().clean()
        if not {"currency", "target"} <= values.keys():
            return values
        try:
            values["pair"] = currencies.find_pair(f"{values['currency']}/{values['target']}")
        except BillingError as error:
            self.add_error("currency", visible(str(error)))
        value = values.get("value")
        if value is not None and not 0 < value < MOST:
            self.add_error("value", _("A rate is above zero, such as 1.0842."))
        elif value is not None and "pair" in values and "on" in values and not values["sure"]:
            self._doubt(values["pair"], values)
        return values

    def _doubt(self, pair: Pair, values: Mapping[str, Any]) -> None:
        """Refuse a rate beyond the pair's guard, measured as for an upload."""
        try:
            last = currencies.rate(pair, values["on"])
        except NoRateError:
            return
        per_cent = change(last.value, values["value"])
        if abs(per_cent) > currencies.settings_of(pair).guard:
            facts = {"change": per_cent, "last": f"{last.value:f}", "day": last.on}
            told = _("That is %(change)+.1f %% from %(last)s, the rate of %(day)s.") % facts
            self.add_error("value", told + " " + _("If it is right, tick the box below."))


def _enter(values: Values, _by: User) -> Rate:
    return currencies.enter(values["pair"], values["on"], values["value"])


def _known_pairs() -> dict[str, str]:
    rows = Rate.objects.order_by("currency_id", "target_id")
    pairs = rows.values_list("currency_id", "target_id").distinct()
    return {f"{one}/{other}": f"{one}/{other}" for one, other in pairs}


def _of_pair(rows: Rows, name: str) -> Rows:
    currency, _sign, target = name.partition("/")
    return rows.filter(currency=currency, target=target)


def _of_kind(rows: Rows, kind: str) -> Rows:
    if kind == "superseded":
        return rows.exclude(superseded_at=None)
    rows = rows.filter(superseded_at=None)
    return rows.filter(manual=True) if kind == "manual" else rows


RATES = Section(
    name="rates",
    title=_("Rates"),
    one=_("rate"),
    rows=Rate.objects.all,
    named=lambda row: f"{shown.pair_of(row)}, {date_format(row.on, 'j M Y')}",
    columns=shown.RATE,
    facts=(*shown.RATE, Moment("superseded_at", _("Superseded"))),
    search=("currency__code", "target__code", "source"),
    filters=(
        Choice("pair", _("Pair"), choices=_known_pairs, kept=_of_pair),
        Choice("kind", _("State"), kept=_of_kind,
               choices={kind: mark.word for kind, mark in shown.KINDS.items()}),
        Days("on", _("Day")),
    ),
    sort="-on",
    form=RateForm,
    create=_enter,
    intro=_("A rate holds from its day until the next one's. None is ever changed: what replaces "
            "it supersedes it."),
    empty=_("Upload rates of a pair, or enter one by hand."),
    for_all=False,
    within=CURRENCIES,
)  # fmt: skip
