"""Groups of accounts, the people who speak for clients, and to whom invoices are made out."""

from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.billing import payers, registering
from billclock.billing.clients import Account, Client, ClientGroup, Contact, Payer
from billclock.web import client_words
from billclock.web.client_forms import ContactForm, GroupForm, PayerForm
from billclock.web.countries import Country
from billclock.web.kit.columns import Code, Link, Moment, Number, Switch, Text
from billclock.web.kit.filters import Choice
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Act, Given, Section, Values

CLIENT = Link("client", _("Client"), to="clients", named="name")
ACCOUNTS = Related(
    "accounts", _("Accounts"),
    rows=lambda row: Account.objects.filter(group=row).select_related("client").order_by("number"),
    columns=(
        Text("number", _("Account number")),
        Text("client", _("Client"), of="client.name"),
    ),
    link=lambda account: reverse("client-accounts_one", args=[account.pk]),
)  # fmt: skip


def _make_group(values: Values, _by: User) -> ClientGroup:
    return registering.make_group(**values)


def _change_group(row: ClientGroup, values: Values, _by: User) -> ClientGroup:
    return registering.change_group(row, **_but(values, "provider"))


def _delete_group(row: ClientGroup, _given: Given) -> None:
    registering.delete_group(row)


def _add_contact(values: Values, _by: User) -> Contact:
    return registering.add_contact(**values)


def _change_contact(row: Contact, values: Values, _by: User) -> Contact:
    return registering.change_contact(row, **_but(values, "client"))


def _remove_contact(row: Contact, _given: Given) -> None:
    registering.remove_contact(row)


def _add_payer(values: Values, _by: User) -> Payer:
    return payers.add(**values)


def _change_payer(row: Payer, values: Values, _by: User) -> Payer:
    return payers.change(row, **_but(values, "client"))


def _confirm(row: Payer, _given: Given) -> None:
    payers.confirm(row)


def _but(values: Values, name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _groups() -> QuerySet[ClientGroup]:
    return ClientGroup.objects.select_related("provider").annotate(size=Count("accounts"))


def person(row: Contact) -> str:
    """Say a contact by name, else by how he is reached."""
    return row.name or row.email or row.phone


def _no_number(row: Payer) -> Promise | str:
    if row.tax_number_checked_at is not None:
        return _("It is confirmed already.")
    return "" if row.tax_number else _("There is no tax number.")


CLIENT_GROUPS = Section(
    name="client-groups",
    title=_("Client groups"),
    one=_("client group"),
    rows=_groups,
    named="name",
    columns=(
        Text("name", _("Name"), sort="name"),
        Link("provider", _("Provider"), to="providers", named="name"),
        Number("size", _("Accounts")),
        Switch("never_suspended", _("Never suspended")),
    ),
    search=("name",),
    sort="name",
    form=GroupForm,
    create=_make_group,
    change=_change_group,
    acts=(
        Act("delete", _("Delete"), _delete_group, icon="trash-2", danger=True,
            confirm=_("The group is gone; a group with accounts stays."),
            allowed=lambda row: _("It still has accounts.") if row.size else ""),
    ),
    panels=(ACCOUNTS,),
    empty=_("Put accounts together to which the same terms apply."),
)  # fmt: skip

CONTACTS = Section(
    name="contacts",
    title=_("Contacts"),
    one=_("contact"),
    rows=lambda: Contact.objects.select_related("client"),
    named=person,
    columns=(
        Text("name", _("Name"), of=person),
        CLIENT,
        Text("email", _("E-mail")),
        Text("phone", _("Phone")),
        Text("language", _("Language"),
             of=lambda row: client_words.LANGUAGES.get(row.language, row.language), less=True),
        Switch("sms", _("By text message, too"), less=True),
    ),
    search=("name", "email", "phone", "client__number"),
    filters=(Choice("language", _("Language"), choices=client_words.LANGUAGES),),
    form=ContactForm,
    create=_add_contact,
    change=_change_contact,
    acts=(
        Act("remove", _("Remove"), _remove_contact, icon="trash-2", danger=True,
            confirm=_("Letters go to the client's other people from then on.")),
    ),
)  # fmt: skip

PAYERS = Section(
    name="payers",
    title=_("Payers"),
    one=_("payer"),
    rows=lambda: Payer.objects.select_related("client"),
    named="name",
    columns=(
        Text("name", _("Name on the invoice")),
        CLIENT,
        Text("kind", _("Kind"), of=lambda row: client_words.CLIENT_KINDS[Client.Kind(row.kind)]),
        Country("country", _("Country")),
        Code("tax_number", _("Tax number")),
        Moment("tax_number_checked_at", _("Confirmed")),
        Code("iban", _("IBAN"), less=True),
    ),
    search=("name", "tax_number", "client__number"),
    filters=(
        Choice("kind", _("Kind"),
               choices={str(k.value): w for k, w in client_words.CLIENT_KINDS.items()}),
    ),
    form=PayerForm,
    create=_add_payer,
    change=_change_payer,
    acts=(
        Act("confirm", _("Confirm tax number"), _confirm, icon="shield-check", bulk=False,
            confirm=_("Ask the tax office first (in the EU: VIES). From then on a business of "
                      "another country owes the tax itself, and is charged none."),
            allowed=_no_number),
    ),
    panels=(
        Related(
            "accounts", _("Accounts"),
            rows=lambda row: row.client.accounts.filter(payer=row).order_by("number"),
            columns=(
                Text("number", _("Account number")),
                Text("tax_area", _("Tax")),
                Switch("reverse_charge", _("Reverse charge")),
            ),
            link=lambda account: reverse("client-accounts_one", args=[account.pk]),
            empty=_("Choose him as payer in the terms of an account."),
        ),
    ),
)  # fmt: skip
