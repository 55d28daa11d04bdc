"""What one may say of clients, the people who speak for them, payers, groups and accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import founding, registering, terms
from billclock.billing.clients import Account, ClientGroup, Payer
from billclock.billing.currencies import Currency
from billclock.billing.notice_kinds import KINDS
from billclock.billing.payments import StoredMethod
from billclock.billing.provider import Company, Provider
from billclock.web import client_words as words
from billclock.web import countries
from billclock.web.kit.fields import Amount, Form, typed_amount
from billclock.web.kit.figures import Chosen
from billclock.web.seeking import chosen, client_field

MOST_DAYS = 3650


def _stored(row: StoredMethod) -> str:
    return f"{row.method.name} {row.masked}".strip()


def country_field(*, required: bool = False) -> forms.ChoiceField:
    """Give a country by its name in the reader's language."""
    return forms.ChoiceField(label=_("Country"), choices=_countries, required=required)


def _countries() -> list[tuple[str, str]]:
    names = countries.names(get_language() or "en")
    known = ((code, name) for code, name in names.items() if founding.is_country(code))
    return [("", "–"), *sorted(known, key=lambda one: one[1])]


class ClientForm(Form):
    """Who a client is."""

    number = forms.CharField(
        label=_("Client number"), max_length=20, required=False,
        help_text=_("Left empty, it is the next one."),
    )  # fmt: skip
    name = forms.CharField(label=_("Client name"), max_length=200)
    kind = forms.TypedChoiceField(
        label=_("Kind"), coerce=int,
        choices=[(kind.value, word) for kind, word in words.CLIENT_KINDS.items()],
    )  # fmt: skip
    country = country_field()
    analytics_id = forms.CharField(
        label=_("Number in web analytics"), max_length=64, required=False
    )
    never_suspended = forms.BooleanField(
        label=_("Never suspended"), required=False,
        help_text=_("None of his services is stopped for money by itself."),
    )  # fmt: skip


class ContactForm(Form):
    """How somebody is reached, and what he wants to read."""

    fixed = ("client",)
    parts = (
        (_("Person"), ("client", "name", "email", "phone", "language")),
        (_("Letters"), ("letters", "sms")),
    )
    client = client_field()
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False,
        help_text=_("As it is dialled in the client's country, or with + and the country's code."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language"), choices=list(words.LANGUAGES.items()))
    letters = forms.MultipleChoiceField(
        label=_("Letters he gets"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(kind.name, _now(kind.title)) for kind in KINDS.values() if kind.optional],
        help_text=_("Invoices, stops and failed payments are always told."),
    )  # fmt: skip
    sms = forms.BooleanField(label=_("By text message, too"), required=False)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        """Offer a new contact the usual letters."""
        usual = [kind.name for kind in KINDS.values() if kind.optional and kind.on]
        super().__init__(data, initial={"letters": usual, **(initial or {})})

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Give what a contact chose, too."""
        return {**super().of(row), "letters": registering.wanted(row)}


class PayerForm(Form):
    """To whom invoices are made out."""

    fixed = ("client",)
    client = client_field()
    kind = forms.TypedChoiceField(
        label=_("Kind"), coerce=int,
        choices=[(kind.value, word) for kind, word in words.CLIENT_KINDS.items()],
    )  # fmt: skip
    name = forms.CharField(label=_("Name on the invoice"), max_length=200)
    country = country_field()
    address = forms.CharField(
        label=_("Address"), required=False, max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    tax_number = forms.CharField(
        label=_("Tax number"), max_length=40, required=False,
        help_text=_("Its check digits are looked at. When the tax office knows it, too, say so on "
                    "the payer's page: then a business abroad owes the tax itself."),
    )  # fmt: skip
    iban = forms.CharField(
        label=_("IBAN"), max_length=42, required=False,
        help_text=_("By which his bank transfers are recognised."),
    )  # fmt: skip


class GroupForm(Form):
    """A group of a provider's accounts."""

    fixed = ("provider",)
    provider = Chosen(Provider.objects.order_by("name"), label=_("Provider"))
    name = forms.CharField(label=_("Name"), max_length=100)
    never_suspended = forms.BooleanField(
        label=_("Never suspended"), required=False,
        help_text=_("No service of its accounts is stopped for money by itself."),
    )  # fmt: skip


class AccountForm(Form):
    """Whose account it is, where, and on what terms it pays."""

    fixed = ("client", "company", "currency", "number")
    parts = (
        (_("Account"), ("client", "company", "currency", "number")),
        (_("Terms"), ("kind", "limit", "credit_due_days", "group", "payer", "never_suspended")),
        (_("Automatic payments"), ("autopay", "autopay_most")),
    )
    client = client_field()
    company = Chosen(Company.objects.order_by("name"), label=_("Company"))
    currency = Chosen(
        Currency.objects.filter(active=True).order_by("code"), named="code", label=_("Currency")
    )
    number = forms.CharField(
        label=_("Account number"), max_length=20, required=False,
        help_text=_("Left empty, it is the next one."),
    )  # fmt: skip
    kind = forms.TypedChoiceField(
        label=_("Kind"), coerce=int,
        choices=[(kind.value, word) for kind, word in words.ACCOUNT_KINDS.items()],
    )  # fmt: skip
    limit = Amount(
        currency="currency", label=_("Credit limit"), required=False,
        help_text=_("How far below zero it may go; for an account with credit only."),
    )  # fmt: skip
    credit_due_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=MOST_DAYS, initial=30,
        help_text=_("Within which a debt has to be paid."),
    )  # fmt: skip
    group = Chosen(ClientGroup.objects.order_by("name"), label=_("Client group"), required=False)
    payer = Chosen(Payer.objects.none(), label=_("Payer"), required=False)
    never_suspended = forms.BooleanField(label=_("Never suspended"), required=False)
    autopay = Chosen(
        StoredMethod.objects.none(), named=_stored, label=_("Charged by itself"), required=False
    )
    autopay_most = Amount(
        currency="currency", label=_("At most within a month"), required=False,
        help_text=_("Left empty, there is no limit."),
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, initial: dict[str, Any] | None = None
    ) -> None:
        """Offer the payers and stored methods of the client, once he is named."""
        super().__init__(data, initial=initial)
        client = chosen(self["client"])
        payers = Payer.objects.filter(client=client).order_by("name")
        stored = StoredMethod.objects.filter(client=client).select_related("method")
        self.fields["payer"].queryset = payers  # type: ignore[attr-defined]
        self.fields["autopay"].queryset = stored.order_by("pk")  # type: ignore[attr-defined]

    def fix(self) -> None:
        """Let what stays be seen only, without a word on what to leave empty."""
        super().fix()
        self.fields["number"].help_text = ""

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Give an account's facts and terms; amounts as one types them."""
        account: Account = row
        now, code = terms.terms_of(account), account.currency_id
        return {
            **super().of(row),
            "limit": typed_amount(now.limit or None, code),
            "autopay_most": typed_amount(now.autopay_most, code),
        }
