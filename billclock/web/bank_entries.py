"""Bank entries: what a bank told of, what it pays, what waits for a person to say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import banking, following
from billclock.billing.errors import BillingError
from billclock.billing.payments import BankEntry
from billclock.billing.services import Task
from billclock.billing.typed import Payable, Sort, payable, sort_of
from billclock.web import kept
from billclock.web.kit.columns import Code, Day, Link, Moment, Money, State, Text
from billclock.web.kit.faults import said
from billclock.web.kit.fields import Form
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.marks import Mark
from billclock.web.kit.section import Act, Given, Section
from billclock.web.payments import METHOD, methods
from billclock.web.visible import visible

MOST_NAMED = 5  # of several that have the number
WAITS, BOOKED, OUT, ASIDE, ALL = "waits", "booked", "out", "aside", "all"
STATES = {
    WAITS: Mark("user", "warn", _("waits for a person")),
    BOOKED: Mark("circle-check", "ok", _("booked")),
    ASIDE: Mark("circle-x", "off", _("set aside")),
    OUT: Mark("log-out", "off", _("went out")),
}


class WaitingFirst(Choice):
    """Entries by where they stand: those that wait where the address says nothing."""

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give what is asked for."""
        value = given.get(self.name, WAITS) or ALL
        return {self.name: value if value in {*STATES, ALL} else WAITS}


SORTS = {
    Sort.PAYMENT: _("a payment"),
    Sort.INVOICE: _("an invoice"),
    Sort.REQUEST: _("a request to pay"),
    Sort.ACCOUNT: _("an account"),
}


class AssignForm(Form):
    """What an entry pays."""

    to = forms.CharField(
        label=_("Payment, invoice or account"), max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Its number; capitals, spaces, marks and zeros before it don't matter."),
    )  # fmt: skip
    sort = forms.ChoiceField(
        label=_("What the number is of"), required=False,
        choices=[("", _("whatever has it")), *SORTS.items()],
    )  # fmt: skip


class AsideForm(Form):
    """Why an entry is no client's money."""

    why = forms.CharField(label=_("Why"), max_length=200)


def _tasks() -> QuerySet[Task]:
    key = Concat(Value("bank "), OuterRef("method__code"), Value(" "), OuterRef("key"))
    return Task.objects.filter(key=key, kind=banking.TASK)


def _rows() -> QuerySet[BankEntry]:
    return BankEntry.objects.select_related("method", "payment__account__client").annotate(
        waits=Exists(_tasks().filter(done_at=None)), asked=Exists(_tasks())
    )


def _state(row: Any) -> str:
    if row.payment_id:
        return BOOKED
    if row.waits:
        return WAITS
    return OUT if row.amount_minor < 0 and not row.asked and not row.aside_by else ASIDE


def _kept(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    if value == BOOKED:
        return rows.filter(payment__isnull=False)
    free = rows.filter(payment=None) if value != ALL else rows
    if value == WAITS:
        return free.filter(banking.asked_about())
    gone = Q(amount_minor__lt=0, asked=False, aside_by="")
    if value == OUT:
        return free.filter(gone, waits=False)
    return free.filter(waits=False).exclude(gone) if value == ASIDE else free


def _assign(row: BankEntry, given: Given) -> str:
    to = _meant(row, given.values["to"], given.values["sort"])
    payment = banking.assign(row, to, by=given.by.email)
    told = _now("Booked as %s.") % visible(payment.number)
    after = following.attempt(payment.account)
    if after.fault is not None:
        why = said(after.fault) if isinstance(after.fault, BillingError) else ""
        later = _now("What follows it could not be done now, and is tried again every hour.")
        return f"{told} {later} {why}".rstrip()
    return f"{told} {_now('Services renewed: %d') % after.renewed}" if after.renewed else told


def _meant(row: BankEntry, number: str, sort: str) -> Payable:
    """Find the one thing that a number names, or say why that is not possible."""
    found = payable(row.method.provider, number, sort)
    if not found:
        raise BillingError(
            _now("There is no payment, invoice or account %s.") % visible(number.strip())
        )
    if len(found) > 1:
        named = ", ".join(f"{one.number} ({SORTS[sort_of(one)]})" for one in found[:MOST_NAMED])
        raise BillingError(
            _now("More than one has the number %(number)s: %(named)s. Say what it is of, or write "
                 "it as lists show it.") % {"number": visible(number.strip()),
                                            "named": visible(named)}
        )  # fmt: skip
    return found[0]


def _aside(row: BankEntry, given: Given) -> None:
    banking.set_aside(row, given.values["why"], by=given.by.email)


def _alone(_row: None, _given: Given) -> None:
    raise BillingError(_now("This is asked on a page of its own."))


def _free(row: Any) -> Promise | str:
    return _("It is booked already.") if row.payment_id else ""


def _named(row: BankEntry) -> str:
    return f"{date_format(row.on, 'j M Y')}, {row.name or row.iban or row.key[:12]}"


STATE = State("state", _("State"), of=_state, marks=STATES, below=kept.of("why"))
PAYMENT = Link("payment", _("Payment"), to="payments", named="number",
               below="payment.account.client.name")  # fmt: skip

BANK_ENTRIES = Section(
    name="bank-entries",
    title=_("Bank entries"),
    one=_("bank entry"),
    rows=_rows,
    named=_named,
    columns=(
        Text("name", _("Payer"), below="text"), Day("on", _("Booked on")),
        Money("amount", _("Amount"), of="amount_minor", currency="currency", signed=True),
        STATE, PAYMENT, METHOD,
    ),
    facts=(
        STATE, Day("on", _("Booked on")),
        Money("amount", _("Amount"), of="amount_minor", currency="currency", signed=True),
        Text("name", _("Payer")), Code("iban", _("From account")), Text("text", _("Text")),
        PAYMENT, METHOD, Moment("imported_at", _("Imported")), Code("key", _("Key"), less=True),
    ),
    search=("name", "text", "iban"),
    filters=(
        WaitingFirst("state", _("State"), kept=_kept,
                     choices={**{key: mark.word for key, mark in STATES.items()},
                              ALL: _("all of them")}),
        Choice("method", _("Method"), choices=methods),
        Days("on", _("Booked on")),
    ),
    acts=(
        Act("upload", _("Import a statement"), _alone, icon="upload", whole=True,
            page="bank-entries_upload"),
        Act("assign", _("Assign"), _assign, icon="user", bulk=False, form=AssignForm,
            allowed=_free,
            confirm=_("The money goes onto the account; invoices are paid and services renewed "
                      "by it at once.")),
        Act("aside", _("Set aside"), _aside, icon="circle-x", form=AsideForm, allowed=_free,
            confirm=_("It is no client's money, and nobody is asked about it any more.")),
    ),
    css="css/invoices.css",
    intro=_("What a line of a statement pays is decided only where one answer is left; you are "
            "asked about the rest."),
    empty=_("Import a bank's statement: camt.053, or CSV by the layout of its payment method."),
)  # fmt: skip
