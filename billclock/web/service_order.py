"""Ordering a service for an account, and giving one another plan: its forms and what they cost."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Self

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from billclock.accounts.models import User
from billclock.billing import changing, orders
from billclock.billing.catalog import AddOn, Cycle, Price, Product
from billclock.billing.clients import Account
from billclock.billing.orders import Wish
from billclock.billing.services import Service
from billclock.web import service_lines as lines
from billclock.web import service_words as words
from billclock.web.kit.section import Values
from billclock.web.numbers import whole
from billclock.web.seeking import account_field, chosen
from billclock.web.service_asking import Asked, Outlook, Question
from billclock.web.visible import visible

CHOSEN = (AddOn.Billing.ORDERED, AddOn.Billing.ONCE)
"""Add-ons of which one orders an amount; the others follow from use."""


class ProductField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A product by its name and code."""

    def label_from_instance(self, obj: Any) -> str:
        """Name a product."""
        return visible(f"{obj.name} ({obj.code})")


class PlanForm(Asked):
    """What follows from account and product: periods with their prices, amounts of add-ons."""

    def plan(self, account: Account, product: Product, had: Mapping[str, int], months: int) -> None:
        """Add the fields of a product; `had` are amounts of add-ons so far, `months` the period."""
        on = account.provider.today()
        offered = list(_periods(account, product, on))
        if offered:
            known = {length for length, _word in offered}
            self.fields["months"] = forms.TypedChoiceField(
                label=_("Period"), coerce=int, choices=offered,
                initial=months if months in known else offered[0][0],
            )  # fmt: skip
        for addon in product.addons.filter(billing__in=CHOSEN).order_by("name"):
            self.fields[f"addon-{addon.code}"] = _amount(addon, had.get(addon.code))

    @property
    def usual(self) -> dict[str, Any]:
        """Give what fields are filled with before anybody types."""
        return {name: field.initial for name, field in self.fields.items() if field.initial}


class OrderForm(PlanForm):
    """For which account, which product; then how much of it."""

    account = account_field()
    product = ProductField(
        Product.objects.filter(orderable=True).order_by("name", "pk"), label=_("Product")
    )

    def __init__(
        self, data: Mapping[str, str] | None = None, *, initial: dict[str, Any] | None = None
    ) -> None:
        """Add what follows from an account and a product that are named already."""
        super().__init__(data, initial=initial)
        given = data if data is not None else (initial or {})
        self.holder: Account | None = chosen(self["account"])
        products = self.fields["product"].queryset  # type: ignore[attr-defined]
        if self.holder is not None:
            products = products.filter(provider=self.holder.provider_id)
            self.fields["product"].queryset = products  # type: ignore[attr-defined]
        product = products.filter(pk=whole(str(given.get("product", ""))) or 0).first()
        self.partly = self.holder is None or product is None
        if self.holder is not None and product is not None:
            self.plan(self.holder, product, {}, 1)
            self._terms()

    @classmethod
    def about(
        cls, row: Service | None, typed: Mapping[str, str] | None, known: Mapping[str, str]
    ) -> Self:
        """Give the form; what follows from a product just chosen begins as it usually is."""
        del row
        form = cls(typed, initial={**known})
        if typed is not None and not form.partly and "asked" not in typed:
            form = cls({**form.usual, **typed, "asked": "yes"})
        return form

    def stated(self) -> Values | None:
        """Give what was typed; before that there is nothing to look out for."""
        return super().stated() if self.is_bound else None

    def clean(self) -> dict[str, Any]:
        """Note what the account has, so that a form that is sent twice orders once."""
        values = super().clean()
        return {**values, "after": orders.newest(self.holder)} if self.holder else values

    def _terms(self) -> None:
        self.fields["promo"] = forms.CharField(label=_("Promo code"), max_length=40, required=False)
        self.fields["name"] = forms.CharField(
            label=_("Name"), max_length=200, required=False,
            help_text=_("Such as the domain it is for."),
        )  # fmt: skip
        self.fields["auto_renew"] = forms.BooleanField(
            label=_("Automatic renewal"), required=False, initial=True
        )
        self.fields["asked"] = forms.CharField(widget=forms.HiddenInput, initial="yes")


class ChangeForm(PlanForm):
    """Which product a service becomes; of the same one, how much."""

    product = ProductField(Product.objects.none(), label=_("Product"), empty_label=None)

    @classmethod
    def about(cls, row: Any, typed: Mapping[str, str] | None, known: Mapping[str, str]) -> Self:
        """Give the form of a service, with the periods and add-ons of the product chosen last."""
        form = cls(typed, initial={"product": row.product_id, **known})
        kin = Product.objects.filter(
            provider=row.product.provider_id, type=row.product.type_id, module=row.product.module_id
        )
        sold = kin.filter(orderable=True) | kin.filter(pk=row.product_id)
        form.fields["product"].queryset = sold.order_by("name", "pk")  # type: ignore[attr-defined]
        chosen = sold.filter(pk=whole(str((typed or known).get("product", ""))) or 0).first()
        had = dict(row.addons.values_list("addon__code", "quantity"))
        form.plan(row.account, chosen or row.product, had, row.months)
        if typed is not None:
            form.data = {**form.usual, **typed}
        return form

    def stated(self) -> Values | None:
        """Give what was typed; before that nothing changes."""
        return super().stated() if self.is_bound else None


def _periods(account: Account, product: Product, on: date) -> Iterator[tuple[int, str]]:
    """Give the periods that a product is sold by, with their prices."""
    found = Price.objects.valid(on, renewal=False).filter(
        product=product, currency=account.currency_id, addon=0
    )
    for price in found.order_by("months"):
        said = words.period(price.months, product.cycle)
        if product.cycle != Cycle.HOURLY:
            said = f"{said} · {lines.amount(price.amount_minor, account)}"
        yield price.months, said


def _amount(addon: AddOn, had: int | None) -> forms.Field:
    initial = addon.included if had is None else had
    label = f"{visible(addon.name)}, {visible(addon.unit)}" if addon.unit else visible(addon.name)
    free = ngettext("%d is included.", "%d are included.", addon.included) % addon.included
    if addon.choices:
        choices = [(n, str(n)) for n in sorted({*map(int, addon.choices), initial})]
        return forms.TypedChoiceField(
            label=label, coerce=int, choices=choices, initial=initial, help_text=free
        )
    return forms.IntegerField(
        label=label, min_value=0, max_value=addon.most or 2**31, initial=initial, required=False,
        help_text=free if addon.included else "",
    )  # fmt: skip


def _addons(values: Values) -> dict[str, int]:
    return {
        name.removeprefix("addon-"): amount
        for name, amount in values.items()
        if name.startswith("addon-") and amount is not None
    }


def _wish(values: Values) -> Wish:
    product = values["product"]
    usual = dict(product.addons.values_list("code", "included"))
    wanted = {code: n for code, n in _addons(values).items() if n != usual.get(code)}
    return Wish(
        product, values.get("months", 1), wanted, values["promo"].strip(), values["auto_renew"],
        values["name"],
    )  # fmt: skip


def _offer(_row: None, values: Values) -> Outlook:
    account = values["account"]
    offer = orders.offer(account, _wish(values), on=account.provider.today())
    have, short = lines.purse(offer.total_minor, account)
    paid = _now("It is paid until %s then.") % date_format(offer.end, "j M Y")
    promo = offer.promo
    notes = [paid, have]
    if promo is not None:
        off = _now("Promo code %(code)s: %(share)s %% off, for %(periods)d periods.") % {
            "code": visible(promo.code), "share": f"{promo.ppm / 10_000:g}",
            "periods": promo.periods}  # fmt: skip
        notes.insert(1, off)
    return Outlook(
        lines.sentence(offer.total_minor, account),
        list(lines.to_be(offer.lines, account)),
        notes,
        short,
        _now("Order for %s") % lines.amount(offer.total_minor, account),
        f"after {values['after']}",
    )


def _order(_row: None, values: Values, _by: User) -> Service:
    account = values["account"]
    on, after = account.provider.today(), values["after"]
    return orders.order(account, _wish(values), on=on, after=after)


def _wanted(row: Service, values: Values) -> dict[str, Any]:
    had = dict(row.addons.values_list("addon__code", "quantity"))
    product = values["product"]
    usual = dict(product.addons.values_list("code", "included"))
    addons = {code: n for code, n in _addons(values).items() if n != had.get(code, usual.get(code))}
    return {"product": product, "months": values.get("months"), "addons": addons}


def _difference(row: Service, values: Values) -> Outlook:
    found = changing.preview_change(row, on=row.account.provider.today(), **_wanted(row, values))
    months = values.get("months", row.months)
    same = values["product"].pk == row.product_id and months == row.months
    if same and not found.taken.charges and not found.new and not _wanted(row, values)["addons"]:
        return Outlook(_now("Nothing changes"), stops=_now("Choose something else than it has."))
    have, short = lines.purse(found.need_minor, row.account)
    notes = [_now("It is paid until %s then.") % date_format(found.paid_until, "j M Y"), have]
    if months != row.months:
        notes.append(_now("The other period counts from the next renewal."))
    said = lines.sentence(found.need_minor, row.account)
    return Outlook(
        said,
        [*lines.back(found, row.account), *lines.to_be(found.new, row.account)],
        notes,
        short,
        f"{_now('Change it')} · {said}",
    )


def _change(row: Service, values: Values, by: User) -> Service:
    on = row.account.provider.today()
    return changing.change(row, on=on, by=by.email, **_wanted(row, values))


ORDER = Question("order", _("Order a service"), "plus", OrderForm, _offer, _order)
CHANGE = Question("change", _("Change plan"), "pencil", ChangeForm, _difference, _change)
