"""Tax rates: what a country takes from a day on; a change is a new row."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock import clock
from billclock.accounts.models import User
from billclock.billing import founding
from billclock.billing.provider import TaxRate
from billclock.web.countries import Country
from billclock.web.kit import columns
from billclock.web.kit.columns import State, Text
from billclock.web.kit.fields import Day, Form
from billclock.web.kit.figures import Percent, Share, share
from billclock.web.kit.filters import Choice
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Act, Given, Section, Values

NOW, COMING, PAST = "now", "coming", "past"
TIMES = {
    NOW: Mark("circle-check", "ok", _("valid now")),
    COMING: Mark("calendar-days", "warn", _("coming")),
    PAST: Mark("history", "off", _("past")),
}


class TaxForm(Form):
    """A tax from a day on."""

    area = forms.CharField(
        label=_("Country"), max_length=20,
        help_text=_("Two letters such as DE; with a kind where there are several: DE-books."),
    )  # fmt: skip
    ppm = Percent(label=_("Rate, %"), help_text=_("Such as 19 or 7.5."))
    valid_from = Day(
        label=_("Valid from"),
        help_text=_("Until the day before, what was valid stays. It can't be a day that is "
                    "charged already."),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name on invoices"), max_length=60, required=False, help_text=_("Such as VAT.")
    )


def _rows() -> QuerySet[Any]:
    later = TaxRate.objects.filter(
        area=OuterRef("area"), valid_from__gt=OuterRef("valid_from"), valid_from__lte=clock.today()
    )
    return TaxRate.objects.annotate(over=Exists(later))


def _time(row: Any) -> str:
    if row.valid_from > clock.today():
        return COMING
    return PAST if row.over else NOW


def _of_time(rows: QuerySet[Any], wanted: str) -> QuerySet[Any]:
    today: date = clock.today()
    if wanted == COMING:
        return rows.filter(valid_from__gt=today)
    return rows.filter(valid_from__lte=today, over=wanted == PAST)


def _create(values: Values, _by: User) -> TaxRate:
    return founding.set_tax(**{**values, "area": values["area"].strip()})


def _take_back(row: TaxRate, _given: Given) -> None:
    founding.take_back_tax(row)


SHOWN = (
    columns.Day("valid_from", _("Valid from"), sort="valid_from"),
    Share("ppm", pgettext_lazy("tax", "Rate")),
    Text("name", _("Name on invoices")),
    State("time", _("State"), of=_time, marks=TIMES),
)

TAX_RATES = Section(
    name="tax-rates",
    title=_("Tax rates"),
    one=_("tax rate"),
    rows=_rows,
    named=lambda row: f"{row.area} {share(row.ppm)}, {date_format(row.valid_from, 'j M Y')}",
    columns=(Country("area", _("Country"), sort="area"), *SHOWN),
    search=("area", "name"),
    filters=(
        Choice("time", _("State"), choices={key: mark.word for key, mark in TIMES.items()},
               kept=_of_time),
    ),
    sort="area",
    facts=(Country("area", _("Country")), *SHOWN),
    form=TaxForm,
    create=_create,
    acts=(
        Act("take-back", _("Take back"), _take_back, icon="trash-2", danger=True,
            confirm=_("It is deleted, as nothing was charged by it; what was valid before it is "
                      "valid again.")),
    ),
    panels=(
        Related(
            "others", _("This country's rates"),
            rows=lambda row: _rows().filter(area=row.area).order_by("-valid_from"),
            columns=SHOWN,
        ),
    ),
    intro=_("A rate never changes: set the new one from its day on, and it takes over by itself."),
    empty=_("Set the tax of each country you sell to, from a day on."),
)  # fmt: skip
