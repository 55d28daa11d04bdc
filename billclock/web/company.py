"""Who sells: providers with their terms, the companies on their invoices, departments."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import founding
from billclock.billing.provider import Closing, Company, Department, Provider
from billclock.web.client_words import LANGUAGES
from billclock.web.company_forms import (
    CLOSINGS,
    CompanyForm,
    DepartmentForm,
    ProviderForm,
    providers,
)
from billclock.web.countries import Country
from billclock.web.kit.columns import Code, Link, Number, State, Switch, Text
from billclock.web.kit.figures import Share, named_choices
from billclock.web.kit.filters import Choice
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Section, Values

ACTIVE = {
    True: Mark("circle-check", "ok", _("active")),
    False: Mark("power-off", "off", _("not active")),
}
FOUND = _("Begin with a provider: a name, a currency and a time zone.")


def companies() -> QuerySet[Company]:
    """Give the companies in order."""
    return Company.objects.order_by("name", "pk")


PROVIDER = Choice("provider", _("Provider"), choices=named_choices(providers))


def _terms(values: Values) -> dict[str, Any]:
    facts = dict(values)
    for name in ("low_money_days", "expiry_days"):
        facts[name] = founding.descending(facts[name])
    return facts


def _open_provider(values: Values, _by: User) -> Provider:
    return founding.open_provider(**_terms(values))


def _change_provider(row: Provider, values: Values, _by: User) -> Provider:
    return founding.change_provider(row, **_terms(values))


def _legal(values: Values) -> dict[str, Any]:
    facts = dict(values)
    del facts["provider"]
    iban = "".join(facts.pop("iban").split()).upper()
    bank = {"iban": iban, "bic": facts.pop("bic").upper(), "name": facts.pop("bank_name")}
    return {**facts, "bank": {name: text for name, text in bank.items() if text}}


def _open_company(values: Values, _by: User) -> Company:
    return founding.open_company(values["provider"], **_legal(values))


def _change_company(row: Company, values: Values, _by: User) -> Company:
    return founding.change_company(row, **_legal(values))


def _add_department(values: Values, _by: User) -> Department:
    return founding.add_department(values["provider"], name=values["name"], email=values["email"])


def _change_department(row: Department, values: Values, _by: User) -> Department:
    return founding.change_department(row, name=values["name"], email=values["email"])


OF_PROVIDER = Link("provider", _("Provider"), to="providers", named="name")

PROVIDERS = Section(
    name="providers",
    title=_("Providers"),
    one=_("provider"),
    rows=Provider.objects.all,
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        Code("code", _("Code"), sort="code"),
        Text("currency", _("Currency"), of="currency_id"),
        Text("zone", _("Time zone")),
        Number("grace_days", _("Days of grace")),
        State("active", _("State"), marks=ACTIVE),
    ),
    facts=(
        Code("code", _("Code")),
        Text("currency", _("Currency"), of="currency_id"),
        Text("zone", _("Time zone"), below=lambda row: date_format(row.today(), "j M Y")),
        Text("language", _("Language"),
             of=lambda row: LANGUAGES.get(row.language, row.language)),
        Number("grace_days", _("Days of grace")),
        Text("notice_email", _("Letters are from")),
        Share("most_suspended", _("Stopped at once at most"), of="most_suspended_ppm"),
        Share("most_priced", _("Priced anew at once at most"), of="most_priced_ppm"),
    ),
    search=("name", "code"),
    sort="name",
    form=ProviderForm,
    create=_open_provider,
    change=_change_provider,
    panels=(
        Related(
            "companies", _("Companies"), rows=lambda row: row.companies.order_by("name", "pk"),
            columns=(Text("name", _("Name")), Code("code", _("Code")),
                     Country("country", _("Country"))),
            link=lambda row: reverse("companies_one", args=[row.pk]),
            empty=_("Enter the company whose name stands on its invoices."),
        ),
        Related(
            "departments", _("Departments"),
            rows=lambda row: row.departments.order_by("name", "pk"),
            columns=(Text("name", _("Name")), Text("email", _("E-mail"))),
            link=lambda row: reverse("departments_one", args=[row.pk]),
            empty=_("Tasks of services that people make go to a department."),
        ),
    ),
    empty=FOUND,
)  # fmt: skip

COMPANIES = Section(
    name="companies",
    title=_("Companies"),
    one=_("company"),
    rows=lambda: Company.objects.select_related("provider"),
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        Code("code", _("Code"), sort="code"),
        OF_PROVIDER,
        Country("country", _("Country")),
        Text("tax_number", _("Tax number"), less=True),
        Switch("prices_gross", _("Prices contain the tax")),
    ),
    facts=(
        Code("code", _("Code")),
        OF_PROVIDER,
        Country("country", _("Country"), below=lambda row: ", ".join(row.address.splitlines())),
        Text("tax_number", _("Tax number"), below="registration"),
        Text("bank", _("Bank account"), of=lambda row: row.bank.get("iban", ""),
             below=lambda row: row.bank.get("bic", "")),
        Switch("prices_gross", _("Prices contain the tax")),
        Code("number_template", _("Numbers of invoices")),
        Number("due_days", _("Days to pay")),
        Text("closing", _("An invoice is closed"), of=lambda row: CLOSINGS[Closing(row.closing)]),
    ),
    search=("name", "code"),
    filters=(PROVIDER,),
    sort="name",
    form=CompanyForm,
    create=_open_company,
    change=_change_company,
    empty=_("Enter the company whose name stands on invoices."),
)  # fmt: skip

DEPARTMENTS = Section(
    name="departments",
    title=_("Departments"),
    one=_("department"),
    rows=lambda: Department.objects.select_related("provider"),
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        OF_PROVIDER,
        Text("email", _("E-mail")),
    ),
    search=("name", "email"),
    filters=(PROVIDER,),
    sort="name",
    form=DepartmentForm,
    create=_add_department,
    change=_change_department,
    empty=_("The people who answer for something, and where they read."),
)
