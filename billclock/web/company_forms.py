"""What one may say of a provider, its companies and its departments."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from billclock.billing.errors import UnknownCurrencyError
from billclock.billing.provider import Closing, Provider
from billclock.web.client_forms import country_field
from billclock.web.kit.fields import Form
from billclock.web.kit.figures import Chosen, Numbers, Percent, Words

LANGUAGES = (("en", "English"), ("ru", "Русский"))
CLOSINGS = {
    Closing.NEVER: _("never"),
    Closing.DAYS: _("some days after it is issued"),
    Closing.PAID: _("when it is paid"),
    Closing.SIGNED: _("when it is signed"),
}
CODE_HELP = _("Letters, digits, - and _; it stays for good, as the books are kept under it.")


def providers() -> QuerySet[Provider]:
    """Give the providers in order."""
    return Provider.objects.order_by("name", "pk")


class ProviderForm(Form):
    """A provider and its terms."""

    faults = ((UnknownCurrencyError, "currency"),)
    fixed = ("code",)
    parts = (
        (_("Who"), ("code", "name", "currency", "zone", "language", "active")),
        (_("Where to write"), ("site", "notice_email", "support_email")),
        (_("Letters"), ("low_money_days", "expiry_days")),
        (_("Stopping"), ("quiet_from", "quiet_until", "grace_days", "deletes_suspended",
                         "holidays")),
        (_("Invoices"), ("automatic_invoices", "invoices_for_credit")),
        (_("Limits that ask first"), ("most_days_forward", "most_suspended_ppm",
                                     "most_priced_ppm")),
    )  # fmt: skip
    code = forms.SlugField(label=_("Code"), max_length=40, help_text=CODE_HELP)
    name = forms.CharField(label=_("Name"), max_length=200)
    currency = forms.CharField(
        label=_("Currency"), max_length=3, help_text=_("Three letters of ISO 4217, such as EUR.")
    )
    zone = forms.CharField(
        label=_("Time zone"), max_length=64, initial="UTC",
        help_text=_("Such as Europe/Berlin: when a day begins for what is billed."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language"), choices=LANGUAGES, help_text=_("Of letters to who chose none.")
    )
    site = forms.URLField(label=_("Site"), required=False, assume_scheme="https")
    notice_email = forms.EmailField(
        label=_("Letters are from"), required=False, help_text=_("The sender clients see.")
    )
    support_email = forms.EmailField(label=_("Clients answer to"), required=False)
    low_money_days = Numbers(
        label=_("Days of low-money letters"), initial="10 5 4 3 2 1 0",
        help_text=_("How many days before the money is used up a client is told."),
    )  # fmt: skip
    expiry_days = Numbers(
        label=_("Days of expiry letters"), initial="5 4 3 2 1 0",
        help_text=_("How many days before its end, where a service is not renewed by itself."),
    )  # fmt: skip
    grace_days = forms.IntegerField(
        label=_("Days of grace"), min_value=0, max_value=366, initial=3,
        help_text=_("From the day a client was told that his service was not renewed."),
    )  # fmt: skip
    quiet_from = forms.TimeField(
        label=_("Quiet hours from"), required=False, widget=forms.TimeInput({"type": "time"}),
        help_text=_("Nothing is stopped from then …"),
    )  # fmt: skip
    quiet_until = forms.TimeField(
        label=_("Quiet hours until"), required=False, widget=forms.TimeInput({"type": "time"}),
        help_text=_("… until then."),
    )  # fmt: skip
    holidays = Words(
        label=_("Holidays"), required=False, widget=forms.Textarea({"rows": 2}),
        help_text=_("Nothing is stopped on these days: 2027-05-01, or 05-01 for every year."),
    )  # fmt: skip
    deletes_suspended = forms.BooleanField(
        label=_("Close services that stood for too long"), required=False,
        help_text=_("After as many days as their product says."),
    )  # fmt: skip
    automatic_invoices = forms.BooleanField(
        label=_("Make invoices for renewals by itself"), required=False
    )
    invoices_for_credit = forms.BooleanField(
        label=_("Invoice what was bought on credit"), required=False, initial=True
    )
    most_days_forward = forms.IntegerField(
        label=_("Days that a run may catch up"), min_value=1, max_value=366, initial=7
    )
    most_suspended_ppm = Percent(
        label=_("Services stopped at once, %"), initial=30_000,
        help_text=_("A run that would stop more waits for a person."),
    )  # fmt: skip
    most_priced_ppm = Percent(
        label=_("Services priced anew at once, %"), initial=500_000,
        help_text=_("A run that would price more waits for a person."),
    )  # fmt: skip
    active = forms.BooleanField(label=_("Active"), required=False, initial=True)

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it, the currency by its code."""
        return {**super().of(row), "currency": row.currency_id}


class CompanyForm(Form):
    """A legal entity, as it stands on invoices."""

    fixed = ("provider", "code")
    parts = (
        (_("Who"), ("provider", "code", "name", "country", "address", "tax_number",
                    "registration")),
        (_("Bank account"), ("iban", "bic", "bank_name")),
        (_("Prices and tax"), ("prices_gross", "tax_by_line")),
        (_("Invoices"), ("number_template", "due_days", "closing", "closing_days")),
    )  # fmt: skip
    provider = Chosen(providers(), label=_("Provider"))
    code = forms.SlugField(label=_("Code"), max_length=40, help_text=CODE_HELP)
    name = forms.CharField(label=_("Name"), max_length=200)
    country = country_field(required=True)
    address = forms.CharField(
        label=_("Address"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3})
    )
    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    registration = forms.CharField(label=_("Registration"), max_length=100, required=False)
    iban = forms.CharField(label=_("IBAN"), max_length=42, required=False)
    bic = forms.CharField(label=_("BIC"), max_length=11, required=False)
    bank_name = forms.CharField(label=_("Bank"), max_length=100, required=False)
    prices_gross = forms.BooleanField(
        label=_("Prices contain the tax"), required=False,
        help_text=_("It stays so from the first service on."),
    )  # fmt: skip
    tax_by_line = forms.BooleanField(
        label=_("Round the tax at each line"), required=False,
        help_text=_("Else once a rate, on the sum of its lines."),
    )  # fmt: skip
    number_template = forms.CharField(
        label=_("Numbers of invoices"), max_length=60, initial="{year}-{number:06}",
        help_text=_("Such as INV-{year}-{number:06}; with the year they begin again each year."),
    )  # fmt: skip
    due_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=366, initial=14)
    closing = forms.ChoiceField(label=_("An invoice is closed"), choices=list(CLOSINGS.items()))
    closing_days = forms.IntegerField(
        label=_("Days until it is closed"), min_value=0, max_value=3660, initial=30
    )

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it with the bank's numbers too."""
        bank = row.bank
        return {
            **super().of(row),
            "provider": row.provider_id,
            "iban": bank.get("iban", ""),
            "bic": bank.get("bic", ""),
            "bank_name": bank.get("name", ""),
        }


class DepartmentForm(Form):
    """A department."""

    fixed = ("provider",)
    provider = Chosen(providers(), label=_("Provider"))
    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(
        label=_("E-mail"), required=False, help_text=_("Where its tasks and warnings are sent.")
    )

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Fill it."""
        return {**super().of(row), "provider": row.provider_id}
