"""Product types: the terms that products of a kind share."""

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import stocking
from billclock.billing.catalog import ProductType
from billclock.web.catalog_products import PRODUCTS
from billclock.web.company_forms import CODE_HELP
from billclock.web.kit.columns import Code, Number, Switch, Text
from billclock.web.kit.fields import Form
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Section, Values


class TypeForm(Form):
    """A kind of product."""

    fixed = ("code",)
    code = forms.SlugField(label=_("Code"), max_length=40, help_text=CODE_HELP)
    name = forms.CharField(label=_("Name"), max_length=200)
    priority = forms.IntegerField(
        label=_("Priority"), min_value=-1000, max_value=1000, initial=0,
        help_text=_("Where money is short, types with a higher number are renewed first."),
    )  # fmt: skip
    deletion_days = forms.IntegerField(
        label=_("Days until it is closed"), min_value=0, max_value=3660, required=False,
        help_text=_("After a service was stopped for money; never, if empty."),
    )  # fmt: skip
    by_months = forms.BooleanField(
        label=_("Spread a long period's price over its months"), required=False
    )
    bills_suspended = forms.BooleanField(label=_("Bill stopped time too"), required=False)
    domain = forms.BooleanField(label=_("Domain names"), required=False)
    returns_unused = forms.BooleanField(
        label=_("Give unused days back"), required=False, initial=True,
        help_text=_("To who closes a service before its end."),
    )  # fmt: skip


def _add_type(values: Values, _by: User) -> ProductType:
    return stocking.add_type(**values)


def _change_type(row: ProductType, values: Values, _by: User) -> ProductType:
    return stocking.change_type(row, **values)


TYPES = Section(
    name="product-types",
    title=_("Product types"),
    one=_("product type"),
    rows=ProductType.objects.all,
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        Code("code", _("Code"), sort="code"),
        Number("priority", _("Priority")),
        Number("deletion_days", _("Days until it is closed")),
        Switch("by_months", _("Spread over months"), less=True),
        Switch("bills_suspended", _("Stopped time billed"), less=True),
        Switch("returns_unused", _("Unused days given back"), less=True),
        Switch("domain", _("Domain names"), less=True),
    ),
    search=("name", "code"),
    sort="name",
    form=TypeForm,
    create=_add_type,
    change=_change_type,
    panels=(
        Related(
            "products", _("Products"), rows=lambda row: row.products.order_by("name", "pk"),
            columns=(Text("name", _("Name")), Code("code", _("Code"))),
            link=lambda row: reverse("products_one", args=[row.pk]),
        ),
    ),
    within=PRODUCTS,
    empty=_("Hosting, servers, domains: a kind of product with the terms they share."),
)  # fmt: skip
