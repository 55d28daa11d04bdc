"""One client or account of very many, chosen in a form: by number, or by a part of the name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms.boundfield import BoundField
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing.clients import Account, Client
from billclock.web import searched
from billclock.web.kit.query import held
from billclock.web.visible import visible

MOST = 20
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A row one may mean: its number, and what it is called."""

    number: str
    name: str


class Sought:
    """Rows with numbers: `address` gives choices to a script, `names` are fields searched in."""

    def __init__(self, section: str, rows: QuerySet[Any], names: Sequence[str]) -> None:
        self.section, self.rows, self.names = section, rows, names

    @property
    def address(self) -> str:
        """Give where a script finds what is like a text."""
        return reverse(f"{self.section}_choices")

    def of(self, text: str) -> Any:
        """Give the row of a number; None where there is none."""
        number = text.replace("\0", "").strip()[:LONGEST]
        rows = self.rows.filter(number__in=searched.numbers(number)) if number else ()
        return next((row for row in rows if row.number == number), None) or next(iter(rows), None)

    def like(self, text: str) -> list[Found]:
        """Give the first rows that every word of a text tells of; without one the newest."""
        rows = self.rows
        for word in text.replace("\0", "")[:LONGEST].split():
            rows = rows.filter(Q(number__istartswith=word) | held(self.names, word))
        return [_found(row) for row in rows.order_by("-pk")[:MOST]]


def _found(row: Account | Client) -> Found:
    if isinstance(row, Client):
        return Found(row.number, visible(row.name))
    return Found(row.number, visible(f"{row.client.name} · {row.currency_id}"))


ACCOUNT = Sought(
    "client-accounts",
    Account.objects.select_related("client", "company", "provider", "funds", "payer", "currency"),
    ("client__name", "client__number"),
)
CLIENT = Sought("clients", Client.objects.all(), ("name",))


class Chooser(forms.TextInput):
    """A field with a list of what is like its text; where several are, they can be picked."""

    template_name = "parts/chooser.html"

    def __init__(self, sought: Sought) -> None:
        super().__init__({"autocomplete": "off", "spellcheck": "false"})
        self.sought = sought
        self.alike: list[Found] = []

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Give the choices to its template; what can't be changed has none."""
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["attrs"]
        if shown.get("disabled"):
            return context
        shown |= {"list": f"{shown.get('id', name)}_choices", "data-choices": self.sought.address}
        listed = self.alike or self.sought.like("")
        return {**context, "choices": listed, "alike": self.alike}

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """Give what was typed, or picked among what was like it."""
        typed = super().value_from_datadict(data, files, name)
        picked = data.get(f"{name}_picked", "")
        return picked if picked and data.get(f"{name}_typed") == typed else typed


class SoughtField(forms.CharField):
    """The number of a row, clean the row; a name that is not a number is never guessed at."""

    widget: Chooser

    def __init__(self, sought: Sought, *, none: Promise, **how: Any) -> None:
        super().__init__(max_length=LONGEST, widget=Chooser(sought), **how)
        self.sought, self.none = sought, none

    def prepare_value(self, value: Any) -> Any:
        """Show a row by its number."""
        return value.number if isinstance(value, Account | Client) else value

    def clean(self, value: Any) -> Any:
        """Find the row; what is like the text is offered to be picked."""
        if isinstance(value, Account | Client):
            return value
        typed = super().clean(value)
        found = self.sought.of(typed) if typed else None
        if found is None and typed:
            self.widget.alike = self.sought.like(typed)
            raise ValidationError(
                _now("Which one is meant?") if self.widget.alike else str(self.none)
            )
        return found


def account_field(**how: Any) -> SoughtField:
    """Give an account to be chosen."""
    usual = {"label": _("Account"), "help_text": _("Its number, or a part of the client's name.")}
    return SoughtField(ACCOUNT, none=_("There is no account of this number."), **usual | how)


def client_field() -> SoughtField:
    """Give a client to be chosen."""
    return SoughtField(
        CLIENT, none=_("There is no client of this number."), label=_("Client"),
        help_text=_("His number, or a part of his name."),
    )  # fmt: skip


def chosen(bound: BoundField) -> Any:
    """Give the row that a field has before its form is clean; None where it has none yet."""
    value = bound.value()
    if isinstance(value, Account | Client):
        return value
    sought: Sought = bound.field.sought  # type: ignore[attr-defined]
    return sought.of(str(value or ""))
