"""A back office of the tests' own: two sections on real tables, and their addresses."""

from typing import Any

from django import forms

from billclock.billing.clients import Client
from billclock.billing.errors import AmountTextError, BillingError
from billclock.billing.ledger import LedgerAccount
from billclock.urls import urlpatterns as ours
from billclock.web.kit import urls
from billclock.web.kit.columns import Day, Link, Money, Number, State, Switch, Text
from billclock.web.kit.fields import Amount, Form
from billclock.web.kit.fields import Day as DayField
from billclock.web.kit.filters import Choice, Days, Flag
from billclock.web.kit.marks import Mark
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Act, Given, Section

KINDS = {1: "individual", 2: "company", 3: "sole trader"}


class TakenError(BillingError):
    """A number that another client has."""


class ClientForm(Form):
    parts = (("Who", ("number", "name")),)
    faults = ((TakenError, "number"),)
    number = forms.CharField(max_length=20)
    name = forms.CharField(max_length=200)
    registered_on = DayField(help_text="The day of the first order.")
    never_suspended = forms.BooleanField(required=False)


class LimitForm(Form):
    faults = ((AmountTextError, "limit"),)
    currency = forms.CharField(initial="EUR")
    limit = Amount(currency="currency", required=False)


def create(values: Any, by: Any) -> Client:
    if Client.objects.filter(number=values["number"]).exists():
        raise TakenError(f"{values['number']} is another client's number")
    return Client.objects.create(**values)


def change(row: Client, values: Any, by: Any) -> None:
    if values["name"] == "nobody":
        raise BillingError("nobody is no client", "give a name")
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def close(row: Client, given: Given) -> str:
    if row.name.startswith("Busy"):
        raise BillingError(f"{row.name} has services", "close them first")
    row.closed = True
    row.save()
    return ""


def limit(row: Client, given: Given) -> str:
    if given.values["limit"] == 13:
        raise AmountTextError("0.13", "is unlucky", 2)
    return f"limit of {row.name}: {given.values['limit']}"


def count(_none: None, _given: Given) -> str:
    return f"{Client.objects.count()} counted"


CLIENTS = Section(
    name="patrons",
    title="Patrons",
    one="patron",
    rows=Client.objects.all,
    named="name",
    columns=(
        Text("name", "Name", below="number", sort="name"),
        State(
            "state",
            "State",
            of="closed",
            marks={True: Mark("lock", "off", "closed"), False: Mark("check", "ok", "open")},
        ),
        Day("registered_on", "Since", sort="registered_on"),
        Switch("never_suspended", "Never suspended", less=True),
    ),
    search=("name", "number"),
    filters=(
        Choice("kind", "Kind", choices=lambda: KINDS),
        Flag("open", "Open", kept=lambda rows: rows.filter(closed=False)),
        Days("registered_on", "Since"),
    ),
    sort="name",
    form=ClientForm,
    create=create,
    change=change,
    acts=(
        Act("close", "Close", close, icon="lock", confirm="It buys no more.", danger=True,
            allowed=lambda row: "It is closed already." if row.closed else ""),
        Act("limit", "Limit", limit, form=LimitForm, bulk=False),
        Act("count", "Count", count, whole=True),
    ),
    panels=(
        Related(
            "others",
            "Others",
            rows=lambda row: Client.objects.exclude(pk=row.pk).order_by("name"),
            columns=(Text("name", "Name"),),
            most=2,
            link=lambda row: f"/patrons/{row.pk}",
            more=lambda _row: "/patrons",
        ),
        Panel("none", "Never there", template="kit/related.html", context=lambda _r, _q: None),
    ),
    a_page=10,
)  # fmt: skip

PURSES = Section(
    name="purses",
    title="Purses",
    one="purse",
    rows=LedgerAccount.objects.all,
    named="owner",
    columns=(
        Text("owner", "Owner", sort="owner"),
        Money("balance", "Balance", of="balance_minor", currency="currency", signed=True,
              sort="balance_minor"),
        Number("exponent", "Decimals"),
        Link("patron", "Patron", to="patrons", named="name",
             of=lambda row: Client.objects.first() if row.owner == "linked" else None),
    ),
    for_all=False,
)  # fmt: skip

urlpatterns = [*ours, *urls.patterns(CLIENTS), *urls.patterns(PURSES)]
