"""Products: what is sold, how its time is billed, what it costs and will cost."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import stocking
from billclock.billing.catalog import Cycle, Module, Product, ProductType
from billclock.billing.services import Service
from billclock.web import catalog_words as words
from billclock.web.company import companies
from billclock.web.company_forms import CODE_HELP, providers
from billclock.web.kit.columns import Code, Column, Link, Number, State, Text
from billclock.web.kit.fields import Form
from billclock.web.kit.figures import Chosen, named_choices
from billclock.web.kit.filters import Choice
from billclock.web.kit.leading import list_of
from billclock.web.kit.listing import line
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section, Values
from billclock.web.service_words import STATUS
from billclock.web.times import Wall

MOST_PRICES = 300


def products() -> QuerySet[Product]:
    """Give the products in order."""
    return Product.objects.order_by("name", "pk")


class ProductForm(Form):
    """A product."""

    fixed = ("code", "provider")
    parts = (
        (_("What it is"), ("code", "name", "type", "module", "orderable")),
        (_("Who sells it"), ("provider", "company")),
        (_("How it is billed"), ("cycle", "prorata_day", "grace_days", "deletion_days")),
    )
    code = forms.SlugField(label=_("Code"), max_length=60, help_text=CODE_HELP)
    name = forms.CharField(label=_("Name"), max_length=200)
    type = Chosen(ProductType.objects.order_by("name"), label=_("Product type"))
    module = Chosen(
        Module.objects.order_by("code"), named="code", label=_("Processing module"),
        required=False, help_text=_("None: there is nothing to make, and it is active at once."),
    )  # fmt: skip
    orderable = forms.BooleanField(label=_("Can be ordered"), required=False, initial=True)
    provider = Chosen(providers(), label=_("Provider"))
    company = Chosen(companies(), label=_("Company"))
    cycle = forms.TypedChoiceField(
        label=_("Billed"), coerce=int,
        choices=[(int(cycle), word) for cycle, word in words.CYCLES.items()],
        help_text=_("It stays so from the first service on."),
    )  # fmt: skip
    prorata_day = forms.IntegerField(
        label=_("Pro-rata day"), min_value=1, max_value=31, initial=15,
        help_text=_("By calendar months: who orders on that day or later has the next month with "
                    "it."),
    )  # fmt: skip
    grace_days = forms.IntegerField(
        label=_("Days of grace"), min_value=0, max_value=366, required=False,
        help_text=_("As the provider has it, if empty."),
    )  # fmt: skip
    deletion_days = forms.IntegerField(
        label=_("Days until it is closed"), min_value=0, max_value=3660, required=False,
        help_text=_("As its type has it, if empty."),
    )  # fmt: skip

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        chosen = ("type", "module", "provider", "company")
        return {**super().of(row), **{name: getattr(row, f"{name}_id") for name in chosen}}


def _add(values: Values, _by: User) -> Product:
    return stocking.add_product(**values)


def _change(row: Product, values: Values, _by: User) -> Product:
    facts = {name: value for name, value in values.items() if name != "provider"}
    return stocking.change_product(row, **facts)


def _sell(row: Product, _given: Given) -> None:
    stocking.offer(row, orderable=True)


def _sell_no_more(row: Product, _given: Given) -> None:
    stocking.offer(row, orderable=False)


def _cycle(row: Any) -> object:
    return words.CYCLES[Cycle(row.cycle)]


def _rows() -> QuerySet[Product]:
    return Product.objects.select_related("type", "provider", "company", "module")


def _needed(found: Iterable[Any]) -> tuple[Column, ...]:
    """Give the columns that some price has something in."""
    amount, *others = words.FIGURES
    filled = [column for column in others if any(column.value(row) is not None for row in found)]
    what = (words.WHAT,) if any(row.addon for row in found) else ()
    return (*what, words.PERIOD, amount, *filled, *words.DAYS)


def _prices(row: Any, _request: HttpRequest) -> dict[str, Any]:
    """Give the product's prices, apart by their time."""
    wall = Wall.here()
    mine = words.prices().filter(product=row)
    found = list(mine.order_by("addon", "currency", "months", "-valid_from")[:MOST_PRICES])
    columns = _needed(found)
    by_time: dict[str, list[Any]] = {key: [] for key in words.TIMES}
    for price in found:
        address = reverse("prices_one", args=[price.pk])
        by_time[price.time].append(line(None, columns, price, wall, address))
    return {
        "columns": columns,
        "times": [(words.TIMES[key], lines) for key, lines in by_time.items() if lines],
        "product": row,
    }


def _services(row: Any, _request: HttpRequest) -> dict[str, Any]:
    counted = Service.objects.filter(product=row).values("status").annotate(n=Count("id"))
    found = {one["status"]: one["n"] for one in counted.order_by("status")}
    counts = [(mark, found[status]) for status, mark in STATUS.items() if status in found]
    return {"counts": counts, "all": list_of("services", product=str(row.pk))}


PRODUCTS = Section(
    name="products",
    title=_("Products"),
    one=_("product"),
    rows=_rows,
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        Code("code", _("Code"), sort="code"),
        Link("type", _("Product type"), to="product-types", named="name"),
        Text("cycle", _("Billed"), of=_cycle),
        Link("provider", _("Provider"), to="providers", named="name", less=True),
        State("orderable", _("State"), marks=words.ORDERABLE),
    ),
    facts=(
        Code("code", _("Code")),
        Link("type", _("Product type"), to="product-types", named="name"),
        Text("cycle", _("Billed"), of=_cycle),
        Link("module", _("Processing module"), to="modules", named="code"),
        Link("company", _("Company"), to="companies", named="name"),
        Number("grace_days", _("Days of grace")),
        Number("deletion_days", _("Days until it is closed")),
    ),
    search=("name", "code"),
    filters=(
        Choice("type", _("Product type"),
               choices=named_choices(lambda: ProductType.objects.order_by("name"))),
        Choice("cycle", _("Billed"),
               choices={str(int(cycle)): word for cycle, word in words.CYCLES.items()}),
        Choice("orderable", _("State"),
               choices={"1": _("can be ordered"), "0": _("not for sale")}),
    ),
    sort="name",
    form=ProductForm,
    create=_add,
    change=_change,
    acts=(
        Act("sell", _("Sell"), _sell, icon="power",
            allowed=lambda row: _("It can be ordered already.") if row.orderable else ""),
        Act("sell-no-more", _("Sell no longer"), _sell_no_more, icon="power-off",
            confirm=_("Nobody can order it any more; services that there are go on."),
            allowed=lambda row: "" if row.orderable else _("It is not for sale.")),
    ),
    panels=(
        Panel("prices", _("Prices"), template="catalog/prices.html", context=_prices),
        Related(
            "addons", _("Add-ons"), rows=lambda row: row.addons.order_by("name", "pk"),
            columns=(Text("name", _("Name")), *words.ADDON), template="catalog/addons.html",
            context=lambda row, _request: {"product": row},
            link=lambda row: reverse("addons_one", args=[row.pk]),
            empty=_("Nothing can be ordered or used beyond the product itself."),
        ),
        Panel("services", _("Services"), template="catalog/services.html", context=_services),
    ),
    css="css/catalog.css",
    empty=_("Set up what you sell: a product of a type, then its prices."),
)  # fmt: skip
