"""Payment methods: which plugin takes money, with which settings, where its gateway tells of it."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import offering
from billclock.billing.currencies import Currency
from billclock.billing.payment_methods import offered
from billclock.billing.payments import GatewayEvent, PaymentMethod
from billclock.billing.provider import Provider
from billclock.web import plugin_words
from billclock.web.company import ACTIVE
from billclock.web.company_forms import CODE_HELP
from billclock.web.kit.columns import Code, Link, Money, State, Text
from billclock.web.kit.fields import Amount, typed_amount
from billclock.web.kit.figures import Chosen
from billclock.web.kit.filters import Choice
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Section, Values
from billclock.web.payments import HEARD
from billclock.web.plugin_settings import PluginForm

FACTS = ("code", "name", "provider", "currency", "least_minor", "order", "active")


class MethodForm(PluginForm):
    """A payment method and the settings of its plugin."""

    kinds = offered.kinds
    parts = ((_("What it is"), ("plugin", *FACTS)),)
    code = forms.SlugField(label=_("Code"), max_length=40, help_text=CODE_HELP)
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As clients read it."))
    provider = Chosen(
        Provider.objects.order_by("name"), named=lambda row: row.name, label=_("Provider")
    )
    currency = Chosen(
        Currency.objects.order_by("code"), named=lambda row: row.code, label=_("Currency")
    )
    least_minor = Amount(
        label=_("Least amount"), currency="currency", required=False,
        help_text=_("Less than this is never taken by itself."),
    )  # fmt: skip
    order = forms.IntegerField(
        label=_("Place in lists"), min_value=0, max_value=1000, required=False
    )
    active = forms.BooleanField(label=_("Active"), required=False, initial=True)

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        least = typed_amount(row.least_minor, row.currency_id) if row.least_minor else ""
        known = {"provider": row.provider_id, "currency": row.currency_id, "least_minor": least}
        return {**super().of(row), **known}


def _facts(values: Values) -> dict[str, Any]:
    found = {name: values[name] for name in FACTS}
    return {**found, "least_minor": found["least_minor"] or 0, "order": found["order"] or 0}


def _create(values: Values, _by: User) -> PaymentMethod:
    return offering.add_method(values["plugin"], values["settings"], **_facts(values))


def _change(row: PaymentMethod, values: Values, _by: User) -> PaymentMethod:
    return offering.change_method(row, values["settings"], **_facts(values))


def _rows() -> QuerySet[PaymentMethod]:
    return PaymentMethod.objects.select_related("provider", "currency")


def _kinds() -> dict[str, str]:
    return {name: plugin_words.kind(name) for name in offered.kinds()}


def _settings(row: Any) -> str:
    """Say a method's settings, but its secrets."""
    return plugin_words.settings(offered.kinds().get(row.plugin), row.settings)


def _webhook(row: PaymentMethod) -> str:
    return settings.PUBLIC_URL.rstrip("/") + reverse("payment_notice", args=[row.code])


def _strange(row: PaymentMethod) -> QuerySet[GatewayEvent]:
    """Give what was told and concerns no payment of ours, the newest first."""
    return GatewayEvent.objects.filter(payment=None, method=row).order_by("-pk")


KIND = Text("plugin", _("Kind"), of=lambda row: plugin_words.kind(row.plugin))
PROVIDER = Link("provider", _("Provider"), to="providers", named="name")

PAYMENT_METHODS = Section(
    name="payment-methods",
    title=_("Payment methods"),
    one=_("payment method"),
    rows=_rows,
    named="name",
    columns=(
        Text("name", _("Name"), below="code"), KIND,
        State("active", _("State"), marks=ACTIVE), PROVIDER, Text("currency_id", _("Currency")),
        Money("least", _("Least amount"), of=lambda row: row.least_minor or None, less=True),
    ),
    facts=(
        KIND, PROVIDER, Text("currency_id", _("Currency")),
        Money("least", _("Least amount"), of=lambda row: row.least_minor or None),
        Text("settings", _("Settings"), of=_settings),
        Code("webhook", _("Where its gateway sends notices"), of=_webhook),
    ),
    search=("code", "name"),
    filters=(
        Choice("plugin", _("Kind"), choices=_kinds),
    ),
    sort="pk",
    form=MethodForm,
    create=_create,
    change=_change,
    panels=(
        Related("strange", _("Told, and about no payment of ours"), rows=_strange, columns=HEARD,
                empty=_("All that its gateway told was about payments of ours.")),
    ),
    intro=_("How clients pay: by a gateway that tells of money, or by bank transfer, whose "
            "statements do."),
    empty=_("Without one nobody can pay; simulated is one to try things with."),
)  # fmt: skip
