"""Add-ons: what one may have more of with a product, and how that is billed."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import stocking
from billclock.billing.catalog import AddOn
from billclock.web import catalog_words as words
from billclock.web.catalog_products import PRODUCTS, products
from billclock.web.company_forms import CODE_HELP
from billclock.web.kit.columns import Text
from billclock.web.kit.fields import Form
from billclock.web.kit.figures import Chosen, Numbers, named_choices
from billclock.web.kit.filters import Choice
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Section, Values

MOST = 2**53


class AddOnForm(Form):
    """An add-on."""

    fixed = ("product", "code")
    product = Chosen(products(), label=_("Product"))
    code = forms.SlugField(label=_("Code"), max_length=40, help_text=CODE_HELP)
    name = forms.CharField(label=_("Name"), max_length=200)
    billing = forms.TypedChoiceField(
        label=_("Billed"), coerce=int, initial=int(AddOn.Billing.ORDERED),
        choices=[(int(kind), word) for kind, word in words.BILLINGS.items()],
        help_text=_("It stays so from the first service that has it."),
    )  # fmt: skip
    unit = forms.CharField(
        label=_("Unit"), max_length=20, required=False, help_text=_("Such as GB or address.")
    )
    included = forms.IntegerField(
        label=_("Included"), min_value=0, max_value=MOST, initial=0,
        help_text=_("So many units cost nothing."),
    )  # fmt: skip
    most = forms.IntegerField(
        label=_("Limit"), min_value=0, max_value=MOST, required=False,
        help_text=_("Nobody can order more; who uses more is stopped. None, if empty."),
    )  # fmt: skip
    choices = Numbers(
        label=_("Numbers to choose from"), required=False, max_length=200,
        help_text=_("Such as 1 2 4 8, for what is ordered; any number, if empty."),
    )  # fmt: skip

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        return {**super().of(row), "product": row.product_id}


def _create(values: Values, _by: User) -> AddOn:
    return stocking.add_addon(**values)


def _change(row: AddOn, values: Values, _by: User) -> AddOn:
    facts = {name: value for name, value in values.items() if name != "product"}
    return stocking.change_addon(row, **facts)


def _rows() -> QuerySet[AddOn]:
    return AddOn.objects.select_related("product")


def _prices(row: Any) -> QuerySet[Any]:
    mine = words.prices().filter(product=row.product_id, addon=row.pk)
    return mine.order_by("currency", "months", "-valid_from")


ADDONS = Section(
    name="addons",
    title=_("Add-ons"),
    one=_("add-on"),
    rows=_rows,
    named=lambda row: f"{row.product.name}: {row.name}",
    columns=(Text("name", _("Name"), sort="name"), words.PRODUCT, *words.ADDON),
    facts=(
        words.PRODUCT,
        *words.ADDON,
        Text("choices", _("Numbers to choose from"),
             of=lambda row: ", ".join(map(str, row.choices))),
    ),
    search=("name", "code", "product__name"),
    filters=(
        Choice("product", _("Product"), choices=named_choices(products)),
        Choice("billing", _("Billed"),
               choices={str(int(kind)): word for kind, word in words.BILLINGS.items()}),
    ),
    sort="name",
    form=AddOnForm,
    create=_create,
    change=_change,
    panels=(
        Related(
            "prices", _("Prices"), rows=_prices, most=60,
            columns=(Text("currency", _("Currency"), of="currency_id"), words.PERIOD,
                     *words.FIGURES, *words.DAYS, words.STATE),
            empty=_("It has no price yet, so nobody can order it."),
        ),
    ),
    within=PRODUCTS,
    empty=_("Disk, addresses, licences: what one may have more of with a product."),
)  # fmt: skip
