"""Pairs of currencies: where their rates come from, how they stand, an upload at once."""

from types import MappingProxyType
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import currencies
from billclock.billing.currencies import GUARD, MOST_GUARD, Rate, RatePair
from billclock.billing.errors import BillingError, FormulaError, SourceError, UnknownCurrencyError
from billclock.billing.rates import sources
from billclock.jobs import currencyrate_upload, registry
from billclock.web import currencies_columns as shown
from billclock.web.currencies import CURRENCIES
from billclock.web.currencies_chart import of_pair
from billclock.web.kit.fields import Form
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section, Values


class PairForm(Form):
    """Where a pair's rates come from."""

    faults = ((UnknownCurrencyError, "currency"), (SourceError, "source"),
              (FormulaError, "formula"))  # fmt: skip
    fixed = ("currency", "target")
    noted = MappingProxyType({"source": sources.told})
    currency = forms.CharField(label=_("One unit of"), max_length=3, help_text=_("Such as USD."))
    target = forms.CharField(label=_("costs in"), max_length=3, help_text=_("Such as EUR."))
    source = forms.CharField(
        label=_("Source"),
        max_length=500,
        initial="ecb",
        help_text=_("ecb (European Central Bank), cbr (Bank of Russia), an address or a path; "
                    "ecb@ADDRESS for a mirror."),
    )  # fmt: skip
    formula = forms.CharField(
        label=_("Formula"),
        max_length=100,
        required=False,
        help_text=_("What the published rate goes through, such as *1.02 or +0.5."),
    )
    guard = forms.IntegerField(
        label=_("Guard, %"),
        min_value=0,
        max_value=MOST_GUARD,
        initial=GUARD,
        help_text=_("A change by more than this waits for a person."),
    )

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it with a pair's settings, currencies by their codes."""
        return {**super().of(row), "currency": row.currency_id, "target": row.target_id}


class UploadForm(Form):
    """How an upload is done."""

    replace = forms.BooleanField(label=_("Replace rates that are known already"), required=False)
    confirm = forms.BooleanField(
        label=_("Take changes beyond the guard: I have looked at the source"), required=False
    )


def _rows() -> QuerySet[RatePair]:
    return shown.with_latest(RatePair.objects.all())


def _create(values: Values, by: User) -> RatePair:
    pair = currencies.find_pair(f"{values['currency']}/{values['target']}")
    if RatePair.objects.filter(currency_id=pair.currency, target_id=pair.target).exists():
        raise BillingError(_("%s has settings already: change them there.") % pair)
    return _configured(pair, values, by)


def _change(row: RatePair, values: Values, by: User) -> RatePair:
    return _configured(row.pair, values, by)


def _configured(pair: currencies.Pair, values: Values, _by: User) -> RatePair:
    return currencies.configure(
        pair, source=values["source"], formula=values["formula"], guard=values["guard"]
    )


def upload(pairs: str, values: Values) -> str:
    """Run the job currencyrate.upload for pairs with commas, all of them if empty; what it says.

    Raises BillingError with its failures where there are any.
    """
    options = {"plid": pairs} if pairs else {}
    options |= {"replace": "on"} if values.get("replace") else {}
    confirm = bool(values.get("confirm"))
    try:
        report = registry.perform(currencyrate_upload.NAME, confirm=confirm, options=options)
    except OSError as error:
        raise BillingError(_("The upload could not begin: %s") % error) from None
    if report.busy:
        raise BillingError(report.busy)
    if report.failed:
        raise BillingError(" · ".join(f"{name}: {why}" for name, why in report.failed.items()))
    return " · ".join(line.strip() for line in report.lines)


def _upload(row: RatePair, given: Given) -> str:
    return upload(str(row.pair), given.values)


def _upload_all(_none: None, given: Given) -> str:
    return upload("", given.values)


def _rates(row: Any) -> QuerySet[Rate]:
    return Rate.objects.filter(currency=row.currency_id, target=row.target_id).order_by(
        "-on", "-pk"
    )


PAIRS = Section(
    name="rate-pairs",
    title=_("Pairs"),
    one=_("pair"),
    rows=_rows,
    named=shown.pair_of,
    columns=shown.PAIR,
    search=("currency__code", "target__code"),
    sort="pk",
    form=PairForm,
    create=_create,
    change=_change,
    acts=(
        Act("upload", _("Upload now"), _upload, icon="download", form=UploadForm),
        Act("upload-all", _("Upload all now"), _upload_all, icon="download", form=UploadForm,
            whole=True),
    ),
    panels=(
        Panel("history", _("Rates over time"), template="currencies/chart.html", context=of_pair),
        Related(
            "rates", _("Rates"), rows=_rates, columns=shown.RATE, most=30,
            link=lambda rate: reverse("rates_one", args=[rate.pk]),
            more=lambda row: f"{reverse('rates')}?pair={shown.pair_of(row)}",
            empty=_("No rate is known yet: upload rates, or enter one by hand."),
        ),
    ),
    intro=_("Where rates come from. The job currencyrate.upload fetches them, by its line in the "
            "crontab or at once from here."),
    empty=_("Name two currencies and a source of their rate."),
    for_all=False,
    within=CURRENCIES,
)  # fmt: skip
