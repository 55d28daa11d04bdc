"""Clients: who they are, with their accounts, people and payers."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock import clock
from billclock.accounts.models import User
from billclock.billing import registering
from billclock.billing.clients import Account, Client, Contact, Payer
from billclock.web import client_words
from billclock.web.access import signed_in
from billclock.web.client_accounts import ACCOUNTS, BALANCE, KIND
from billclock.web.client_forms import ClientForm
from billclock.web.client_people import CONTACTS, PAYERS, person
from billclock.web.countries import Country
from billclock.web.kit import rights
from billclock.web.kit.columns import Code, Day, Moment, State, Switch, Text
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section, Values


def _client_kind(row: Client) -> object:
    return client_words.CLIENT_KINDS[Client.Kind(row.kind)]


def _create(values: Values, _by: User) -> Client:
    return registering.register(on=clock.today(clock.server_zone()), **values)


def _change(row: Client, values: Values, _by: User) -> Client:
    number = values["number"] or row.number
    return registering.change(row, **{**values, "number": number})


def _close(row: Client, _given: Given) -> None:
    registering.close(row)


def _reopen(row: Client, _given: Given) -> None:
    registering.reopen(row)


def _accounts(row: Any) -> QuerySet[Account]:
    found = Account.objects.filter(client=row).select_related("funds", "provider")
    return found.order_by("number")


def _contacts(row: Any) -> QuerySet[Contact]:
    return Contact.objects.filter(client=row).order_by("pk")


def _payers(row: Any) -> QuerySet[Payer]:
    return Payer.objects.filter(client=row).order_by("pk")


def _ways(row: Any, request: HttpRequest) -> dict[str, Any] | None:
    """Give what may be added to a client, to who may add it."""
    if row.closed or not rights.acts(signed_in(request), CLIENTS):
        return None
    asked = urlencode({"client": row.number})
    return {
        "ways": [
            (word, f"{section.address('new')}?{asked}")
            for section, word in (
                (ACCOUNTS, _now("Open an account")),
                (CONTACTS, _now("Add a contact")),
                (PAYERS, _now("Add a payer")),
            )
        ]
    }


CLIENTS = Section(
    name="clients",
    title=_("Clients"),
    one=_("client"),
    rows=Client.objects.all,
    named="name",
    number="number",
    columns=(
        Text("number", _("Client number"), sort="number"),
        Text("name", _("Client name")),
        Text("kind", _("Kind"), of=_client_kind),
        Country("country", _("Country"), less=True),
        Day("registered_on", _("Registered"), less=True),
        State("closed", _("State"), marks=client_words.OPEN),
    ),
    facts=(
        Text("number", _("Client number")),
        Text("kind", _("Kind"), of=_client_kind),
        Country("country", _("Country")),
        Day("registered_on", _("Registered")),
        Switch("never_suspended", _("Never suspended")),
    ),
    search=("number", "name"),
    filters=(
        Choice("kind", _("Kind"),
               choices={str(k.value): w for k, w in client_words.CLIENT_KINDS.items()}),
        Choice("closed", _("State"), choices={"0": _("active"), "1": _("closed client")}),
        Days("registered_on", _("Registered")),
    ),
    form=ClientForm,
    create=_create,
    change=_change,
    acts=(
        Act("close", _("Close client"), _close, icon="power-off", danger=True,
            confirm=_("He orders nothing any more. Services and money keep him from being "
                      "closed: end them, and give the money back, first."),
            allowed=lambda row: _("He is closed already.") if row.closed else ""),
        Act("reopen", _("Open again"), _reopen, icon="power",
            allowed=lambda row: "" if row.closed else _("He is not closed.")),
    ),
    panels=(
        Related(
            "accounts", _("Accounts"), rows=_accounts,
            columns=(
                Text("number", _("Account number"), below="provider.name"), KIND, BALANCE,
            ),
            link=lambda account: reverse("client-accounts_one", args=[account.pk]),
        ),
        Related(
            "contacts", _("Contacts"), rows=_contacts,
            columns=(
                Text("name", _("Name"), of=person),
                Text("email", _("E-mail")),
                Text("phone", _("Phone")),
            ),
            link=lambda contact: reverse("contacts_one", args=[contact.pk]),
            empty=_("Nobody is told anything: add somebody who reads."),
        ),
        Related(
            "payers", _("Payers"), rows=_payers,
            columns=(
                Text("name", _("Name on the invoice")),
                Country("country", _("Country")),
                Code("tax_number", _("Tax number")),
                Moment("tax_number_checked_at", _("Confirmed")),
            ),
            link=lambda payer: reverse("payers_one", args=[payer.pk]),
            empty=_("Invoices are made out to the client himself."),
        ),
        Panel("add", _("Add"), template="clients/ways.html", context=_ways),
    ),
    css="css/clients.css",
)  # fmt: skip
