"""Currencies: those in use, with their pairs and their rates on the page of each."""

from typing import Any

from babel.core import UnknownLocaleError
from babel.numbers import get_currency_name
from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import currencies
from billclock.billing.currencies import Currency, Rate, RatePair
from billclock.billing.errors import PanelNumberError, UnknownCurrencyError
from billclock.web import currencies_columns as shown
from billclock.web.currencies_chart import of_currency
from billclock.web.kit.columns import Number, State, Text
from billclock.web.kit.fields import Form
from billclock.web.kit.filters import Choice
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section, Values

USE = {
    True: Mark("circle-check", "ok", _("in use")),
    False: Mark("power-off", "off", _("not in use")),
}


class CurrencyForm(Form):
    """A currency of the standard, and what is ours to say of it."""

    faults = ((UnknownCurrencyError, "code"), (PanelNumberError, "panel_id"))
    fixed = ("code",)
    code = forms.CharField(
        label=_("Code"),
        max_length=3,
        help_text=_("Three letters of ISO 4217, such as EUR; decimals and number follow from it."),
    )
    symbol = forms.CharField(label=_("Symbol"), max_length=8, required=False)
    panel_id = forms.IntegerField(
        label=_("Number in the panel"),
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text=_("By which commands of the panel name it, as in plid=153/50."),
    )


def _create(values: Values, _by: User) -> Currency:
    return currencies.take_up(values["code"], symbol=values["symbol"], panel_id=values["panel_id"])


def _change(row: Currency, values: Values, _by: User) -> Currency:
    return currencies.describe(
        row, symbol=values["symbol"], panel_id=values["panel_id"], active=row.active
    )


def _switch(row: Currency, *, on: bool) -> None:
    currencies.describe(row, symbol=row.symbol, panel_id=row.panel_id, active=on)


def _use(row: Currency, _given: Given) -> None:
    _switch(row, on=True)


def _leave(row: Currency, _given: Given) -> None:
    _switch(row, on=False)


def name_of(row: Currency) -> str:
    """Give a currency's name in the reader's language."""
    try:
        return str(get_currency_name(row.code, locale=(get_language() or "en").replace("-", "_")))
    except UnknownLocaleError:
        return str(get_currency_name(row.code, locale="en"))


def _pairs(row: Any) -> QuerySet[RatePair]:
    mine = Q(currency=row.pk) | Q(target=row.pk)
    return shown.with_latest(RatePair.objects.filter(mine)).order_by("currency_id", "target_id")


def _rates(row: Any) -> QuerySet[Rate]:
    mine = Q(currency=row.pk) | Q(target=row.pk)
    return Rate.objects.filter(mine, superseded_at=None).order_by("-on", "-pk")


CURRENCIES = Section(
    name="currencies",
    title=_("Currencies"),
    one=_("currency"),
    rows=Currency.objects.all,
    named="code",
    columns=(
        Text("code", _("Code"), sort="code"),
        Text("name", _("Name"), of=name_of),
        Text("symbol", _("Symbol")),
        Number("exponent", _("Decimals"), less=True),
        Text("number", _("ISO number"), of=lambda row: f"{row.number:03}", less=True),
        Text("panel_id", _("Number in the panel"), less=True),
        State("active", _("State"), marks=USE),
    ),
    search=("code", "symbol"),
    filters=(Choice("active", _("State"), choices={"1": _("in use"), "0": _("not in use")}),),
    sort="code",
    form=CurrencyForm,
    create=_create,
    change=_change,
    acts=(
        Act("use", _("Use"), _use, icon="power",
            allowed=lambda row: _("It is in use already.") if row.active else ""),
        Act("leave", _("Use no longer"), _leave, icon="power-off",
            confirm=_("It is marked as not in use; its rates, prices and accounts stay."),
            allowed=lambda row: "" if row.active else _("It is not in use.")),
    ),
    panels=(
        Panel("history", _("Rates over time"), template="currencies/chart.html",
              context=of_currency),
        Related(
            "pairs", _("Pairs"), rows=_pairs, columns=shown.PAIR, most=50,
            link=lambda pair: reverse("rate-pairs_one", args=[pair.pk]),
            empty=_("No source of rates is set for it."),
        ),
        Related(
            "rates", _("Latest rates"), rows=_rates, columns=shown.RATE, most=15,
            link=lambda rate: reverse("rates_one", args=[rate.pk]),
            more=lambda _row: reverse("rates"),
            empty=_("No rate is known yet: upload rates, or enter one by hand."),
        ),
    ),
    empty=_("A currency is here as soon as a rate of it is stored or a price is in it."),
    for_all=False,
)  # fmt: skip
