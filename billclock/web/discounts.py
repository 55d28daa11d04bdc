"""Discounts for groups, clients' accounts or all, and promo codes: a share off, from a day on."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock import clock
from billclock.accounts.models import User
from billclock.billing import rebates
from billclock.billing.catalog import Discount, ProductType, PromoCode
from billclock.billing.clients import ClientGroup
from billclock.web import catalog_words as words
from billclock.web.company import OF_PROVIDER, PROVIDER
from billclock.web.company_forms import providers
from billclock.web.kit import columns
from billclock.web.kit.columns import Code, Link, Number, State, Text
from billclock.web.kit.fields import Day, Form
from billclock.web.kit.figures import Chosen, Percent, Share
from billclock.web.kit.filters import Choice
from billclock.web.kit.section import Act, Given, Section, Values
from billclock.web.seeking import account_field

ENDS = _("The first day without it; it goes on, if empty.")


class DiscountForm(Form):
    """A discount; of one that is given, name and end can change."""

    fixed = ("ppm", "group", "account", "type", "valid_from")
    parts = (
        (_("What it is"), ("name", "ppm")),
        (_("For whom"), ("group", "account", "type")),
        (_("From when"), ("valid_from", "valid_until")),
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    ppm = Percent(label=_("Share off, %"), help_text=_("Of those that fit the largest counts."))
    group = Chosen(
        ClientGroup.objects.select_related("provider").order_by("provider__name", "name"),
        named=lambda row: f"{row.provider.name}: {row.name}",
        label=_("Client group"),
        required=False,
        help_text=_("Neither group nor account: for all."),
    )
    account = account_field(
        required=False, help_text=_("For one client's account alone: its number, or his name.")
    )
    type = Chosen(
        ProductType.objects.order_by("name"), label=_("Product type"), required=False,
        help_text=_("On all products, if empty."),
    )  # fmt: skip
    valid_from = Day(label=pgettext_lazy("day", "From"), initial=clock.today)
    valid_until = Day(label=_("Ends on"), required=False, help_text=ENDS)

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        return {
            **super().of(row),
            "group": row.group_id,
            "type": row.type_id,
        }


def _give(values: Values, _by: User) -> Discount:
    return rebates.give_discount(**values)


def _change(row: Discount, values: Values, _by: User) -> Discount:
    return rebates.change_discount(row, name=values["name"], valid_until=values["valid_until"])


def _take_back(row: Discount, _given: Given) -> None:
    rebates.take_back_discount(row)


def _discounts() -> QuerySet[Discount]:
    return Discount.objects.select_related("group", "account__client", "type")


def _time(row: Any) -> str:
    today = clock.today()
    if row.valid_from > today:
        return words.COMING
    return words.PAST if row.valid_until is not None and row.valid_until <= today else words.NOW


def _of_time(rows: QuerySet[Any], wanted: str) -> QuerySet[Any]:
    today: date = clock.today()
    over = Q(valid_until__lte=today)
    if wanted == words.COMING:
        return rows.filter(valid_from__gt=today)
    begun = rows.filter(valid_from__lte=today)
    return begun.filter(over) if wanted == words.PAST else begun.exclude(over)


TIME = Choice(
    "time", _("State"), choices={key: mark.word for key, mark in words.TIMES.items()}, kept=_of_time
)
DAYS = (
    columns.Day("valid_from", pgettext_lazy("day", "From"), sort="valid_from"),
    columns.Day("valid_until", _("Ends on")),
    State("time", _("State"), of=_time, marks=words.TIMES),
)

DISCOUNTS = Section(
    name="discounts",
    title=_("Discounts"),
    one=_("discount"),
    rows=_discounts,
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        Share("ppm", _("Share off")),
        Text("group", _("Client group"), of="group.name"),
        Link("account", _("Account"), to="client-accounts", named="number",
             below="account.client.name"),
        Text("type", _("Product type"), of="type.name"),
        *DAYS,
    ),
    search=("name", "group__name", "account__number"),
    filters=(TIME,),
    sort="name",
    form=DiscountForm,
    create=_give,
    change=_change,
    acts=(
        Act("take-back", _("Take back"), _take_back, icon="trash-2", danger=True,
            confirm=_("It is deleted, as it has not begun.")),
    ),
    intro=_("A share off every charge; what is billed already stays as it is."),
    empty=_("Give a group of clients, or one, a share off from a day on."),
)  # fmt: skip


class PromoCodeForm(Form):
    """A promo code."""

    fixed = ("provider", "code")
    provider = Chosen(providers(), label=_("Provider"))
    code = forms.CharField(label=_("Code"), max_length=40, help_text=_("As clients type it."))
    ppm = Percent(label=_("Share off, %"))
    periods = forms.IntegerField(
        label=_("Periods"), min_value=1, max_value=120, initial=1,
        help_text=_("For so many of a service's first periods."),
    )  # fmt: skip
    most_uses = forms.IntegerField(
        label=_("Most orders"), min_value=1, max_value=10**6, required=False,
        help_text=_("Any number, if empty."),
    )  # fmt: skip
    valid_from = Day(label=_("From"), initial=clock.today)
    valid_until = Day(label=_("Ends on"), required=False, help_text=ENDS)

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        return {**super().of(row), "provider": row.provider_id}


def _offer(values: Values, _by: User) -> PromoCode:
    return rebates.offer_code(**values)


def _change_code(row: PromoCode, values: Values, _by: User) -> PromoCode:
    facts = {name: value for name, value in values.items() if name not in ("provider", "code")}
    return rebates.change_code(row, **facts)


PROMO_CODES = Section(
    name="promo-codes",
    title=_("Promo codes"),
    one=_("promo code"),
    rows=lambda: PromoCode.objects.select_related("provider"),
    named="code",
    columns=(
        Code("code", _("Code"), sort="code"),
        Share("ppm", _("Share off")),
        Number("periods", _("Periods")),
        Number("uses", _("Orders so far")),
        Number("most_uses", _("Most orders")),
        *DAYS,
    ),
    facts=(
        OF_PROVIDER,
        Share("ppm", _("Share off")),
        Number("periods", _("Periods")),
        Number("uses", _("Orders so far")),
        Number("most_uses", _("Most orders")),
        *DAYS,
    ),
    search=("code",),
    filters=(PROVIDER, TIME),
    sort="code",
    form=PromoCodeForm,
    create=_offer,
    change=_change_code,
    empty=_("Make a code that gives a share off a service's first periods."),
)
