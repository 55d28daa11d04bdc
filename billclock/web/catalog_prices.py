"""Prices: what something costs from a day on, for orders and for services that there are."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billclock import clock
from billclock.accounts.models import User
from billclock.billing import price_lists
from billclock.billing.catalog import AddOn, Cycle, Price, Product
from billclock.billing.currencies import Currency
from billclock.billing.price_lists import Figures, Place
from billclock.web import catalog_words as words
from billclock.web.catalog_products import PRODUCTS, products
from billclock.web.kit.columns import Day as DayColumn
from billclock.web.kit.columns import Text
from billclock.web.kit.fields import Amount, Day, Form
from billclock.web.kit.figures import Chosen, UnitPrice, named_choices
from billclock.web.kit.filters import Choice
from billclock.web.kit.section import Act, Given, Section, Values


def currencies() -> QuerySet[Currency]:
    """Give the currencies in use."""
    return Currency.objects.filter(active=True).order_by("code")


class PriceForm(Form):
    """A price; of one product only its own add-ons are offered."""

    parts = (
        (_("What for"), ("product", "addon", "currency", "months")),
        (_("How much"), ("amount_minor", "unit_micro", "setup_minor")),
        (_("From when"), ("valid_from", "valid_from_existing", "meant")),
    )
    product = Chosen(products(), label=_("Product"))
    addon = Chosen(
        AddOn.objects.select_related("product").order_by("product__name", "name"),
        named=lambda row: f"{row.product.name}: {row.name}",
        label=_("Add-on"),
        required=False,
        help_text=_("None for the price of the product itself."),
    )
    currency = Chosen(
        currencies(), named="code", label=_("Currency"),
        help_text=_("Others are put into use under Money, Currencies."),
    )  # fmt: skip
    months = forms.IntegerField(
        label=_("Months"), min_value=0, max_value=price_lists.LONGEST, initial=1,
        help_text=_("How long it is for: 1 by the day, 0 by the hour."),
    )  # fmt: skip
    amount_minor = Amount(
        label=_("Price"), currency="currency", required=False,
        help_text=_("Of the whole period; by the day, of a month. Of one unit, for an add-on."),
    )  # fmt: skip
    unit_micro = UnitPrice(
        label=_("Price of a unit"), required=False,
        help_text=_("Of an hour, or of a unit used over the included; up to six decimals."),
    )  # fmt: skip
    setup_minor = Amount(
        label=_("Set-up"), currency="currency", required=False,
        help_text=_("Paid once, with the order."),
    )  # fmt: skip
    valid_from = Day(label=_("For orders from"))
    valid_from_existing = Day(
        label=_("For services there are from"), required=False,
        help_text=_("The same day, if you leave it empty. Until then they are renewed at the "
                    "price before."),
    )  # fmt: skip
    meant = forms.BooleanField(
        label=_("I mean it, even if it is far from the price before"), required=False
    )

    def __init__(self, data: Any = None, *, initial: Any = None, **how: Any) -> None:
        given = initial or {}
        product = _product(str(given.get("product", "")))
        begun = _begun(product) if product else {}
        super().__init__(data, initial={"valid_from": clock.today(), **begun, **given}, **how)
        if product is not None:
            offered = product.addons.select_related("product").order_by("name")
            self.fields["addon"].queryset = offered  # type: ignore[attr-defined]


def _product(key: str) -> Product | None:
    try:
        return Product.objects.filter(pk=int(key)).select_related("provider").first()
    except (ValueError, OverflowError):
        return None


def _begun(product: Product) -> dict[str, Any]:
    """Give what a new price of a product begins with."""
    months = 0 if product.cycle == Cycle.HOURLY else 1
    return {"currency": product.provider.currency_id, "months": months}


def _create(values: Values, _by: User) -> Price:
    place = Place(values["product"], values["currency"].code, values["months"], values["addon"])
    figures = Figures(*(values[name] or 0 for name in ("amount_minor", "unit_micro",
                                                       "setup_minor")))  # fmt: skip
    return price_lists.set_price(
        place, figures, valid_from=values["valid_from"],
        valid_from_existing=values["valid_from_existing"], meant=values["meant"],
    )  # fmt: skip


def _take_back(row: Price, _given: Given) -> None:
    price_lists.take_back(row)


def _named(row: Any) -> str:
    since = date_format(row.valid_from, "j M Y")
    what = f"{row.product.name}: {row.of_addon}" if row.addon else row.product.name
    return f"{what}, {words.period(row.months)}, {row.currency_id}, {since}"


ADDON = Text("addon", _("Add-on"), of="of_addon")
PRICES = Section(
    name="prices",
    title=_("Prices"),
    one=_("price"),
    rows=words.prices,
    named=_named,
    columns=(
        Text("product", _("Product"), of="product.name", below="of_addon"),
        words.PERIOD,
        *words.FIGURES,
        DayColumn("valid_from", _("For orders from"), sort="valid_from"),
        words.DAYS[1],
        words.STATE,
    ),
    facts=(words.PRODUCT, ADDON, words.PERIOD, *words.FIGURES, *words.DAYS),
    search=("product__name", "product__code"),
    filters=(
        Choice("product", _("Product"), choices=named_choices(products)),
        Choice("currency", _("Currency"), choices=named_choices(currencies, "code")),
        Choice("time", _("State"), choices={key: mark.word for key, mark in words.TIMES.items()}),
    ),
    form=PriceForm,
    create=_create,
    acts=(
        Act("take-back", _("Take back"), _take_back, icon="trash-2", danger=True,
            confirm=_("It is deleted, as nothing was charged by it; what was valid before it is "
                      "valid again.")),
    ),
    within=PRODUCTS,
    intro=_("A price never changes: set the new one from its day on, for orders at once and for "
            "services there are on a later day if you like."),
    empty=_("Set what a product costs in a currency for a period."),
)  # fmt: skip
