"""Money entered by hand: what people gave accounts and took from them, why, and taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.accounts.caseless import holds
from billclock.billing import by_hand, following
from billclock.billing.by_hand import HandEntry
from billclock.web import searched
from billclock.web.client_words import BY_HAND, amount
from billclock.web.kit.columns import Day, Link, Moment, Money, State, Text
from billclock.web.kit.fields import Form
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.marks import Mark
from billclock.web.kit.section import Act, Given, Section

LIVE, BACK, UNDOES = "live", "back", "undoes"
STATES = {
    LIVE: Mark("circle-check", "ok", _("in force")),
    BACK: Mark("undo-2", "off", _("taken back")),
    UNDOES: Mark("undo-2", "off", _("takes back another")),
}


class BackForm(Form):
    """Why an entry is taken back."""

    reason = forms.CharField(label=_("Why"), max_length=by_hand.LONGEST_REASON)
    past_floor = forms.BooleanField(
        label=_("Even if the account then owes more than it may"), required=False
    )


def _rows() -> QuerySet[HandEntry]:
    return HandEntry.objects.select_related(
        "account__client", "account__provider", "taken_back_by", "takes_back"
    )


def _found_by(word: str) -> Q:
    """Give the condition of a searched word: an account's number, a client, words of a reason."""
    return Q(account__in=searched.accounts(word)) | holds("reason", word)


def _kept(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    match value:
        case "back":
            return rows.filter(taken_back_by__isnull=False)
        case "undoes":
            return rows.filter(takes_back__isnull=False)
    return rows.filter(taken_back_by=None, takes_back=None)


def _state(row: HandEntry) -> str:
    if row.takes_back_id is not None:
        return UNDOES
    return BACK if hasattr(row, "taken_back_by") else LIVE


def _sort(row: HandEntry) -> object:
    return BY_HAND[HandEntry.Sort(row.sort)]


def _named(row: HandEntry) -> str:
    said = amount(row.amount_minor, row.account.currency_id, signed=True)
    return f"{row.account.number}, {said}"


def _other(row: HandEntry) -> HandEntry | None:
    """Give the entry that one takes back, or that took it back."""
    return row.takes_back or getattr(row, "taken_back_by", None)


def _live(row: HandEntry) -> Promise | str:
    if row.takes_back_id is not None:
        return _("It takes another one back: enter the money anew.")
    return _("It is taken back.") if hasattr(row, "taken_back_by") else ""


def _take_back(row: HandEntry, given: Given) -> str:
    values = given.values
    made, new = by_hand.take_back(
        row, values["reason"], by=given.by.email, past_floor=values["past_floor"]
    )
    if not new:
        return _now("It is taken back.")
    if made.amount_minor > 0:
        following.attempt(made.account)
    return _now("Taken back.")


ACCOUNT = Link("account", _("Account"), to="client-accounts", named="number",
               below="account.client.name")  # fmt: skip
CHANGE = Money("change", _("Amount"), of="amount_minor", currency="account.currency_id",
               signed=True)  # fmt: skip
REASON = Text("reason", _("Why"))

HAND_ENTRIES = Section(
    name="hand-entries",
    title=_("By hand"),
    one=_("entry by hand"),
    rows=_rows,
    named=_named,
    columns=(
        Day("on", _("Date")),
        ACCOUNT,
        CHANGE,
        Text("what", _("What for"), of=_sort),
        REASON,
        State("state", _("State"), of=_state, marks=STATES),
        Text("by", _("By"), less=True),
    ),
    facts=(
        Moment("entered_at", _("Entered at")),
        ACCOUNT,
        CHANGE,
        Text("what", _("What for"), of=_sort),
        REASON,
        Text("by", _("By")),
        Link("other", _("Taken back"), to="hand-entries", of=_other, named="reason"),
    ),
    search=_found_by,
    filters=(
        Choice("state", _("State"), choices={k: mark.word for k, mark in STATES.items()},
               kept=_kept),
        Choice("what", _("What for"), of="sort",
               choices={k.value: word for k, word in BY_HAND.items()}),
        Days("on", _("Date")),
    ),
    acts=(
        Act("back", _("Take back"), _take_back, icon="undo-2", form=BackForm, bulk=False,
            allowed=_live,
            confirm=_("An opposite entry is made that names this one; both stay.")),
    ),
    intro=_("Goodwill and corrections. Money is entered from an account's page."),
    empty=_("Nothing was entered by hand."),
)  # fmt: skip
