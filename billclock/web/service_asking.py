"""A question on a page of its own: what will come of it is shown, then done as it was shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.billing.errors import BillingError
from billclock.billing.services import Service
from billclock.web.fresh import fresh
from billclock.web.kit import detail, rights
from billclock.web.kit.columns import Money, Text
from billclock.web.kit.editing import WRONG
from billclock.web.kit.faults import said
from billclock.web.kit.fields import Form
from billclock.web.kit.section import Section, Values
from billclock.web.times import Wall


@dataclass(frozen=True, slots=True)
class Line:
    """A charge to be, or with a negative total one that comes back."""

    what: str
    days: str
    total_minor: int
    currency: str
    tax_minor: int = 0
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will come of an act: in a sentence and notes, and line by line.

    `stops` says why it can't be done, where that is known; `button` is what it is pressed by.
    `state` is what it was reckoned from and is not shown, where doing it once changes that.
    """

    said: str
    lines: Sequence[Line] = ()
    notes: Sequence[str] = ()
    stops: str = ""
    button: str = ""
    state: str = ""

    @property
    def stamp(self) -> str:
        """Give a mark of it, to notice that something else would come of it now."""
        shown = repr((self.said, self.lines, self.notes, self.stops, self.state))
        return blake2b(shown.encode("utf-8", "replace"), digest_size=12).hexdigest()


class Asked(Form):
    """What is asked about a service, or about a new one; `partly` where more follows from it."""

    partly = False

    @classmethod
    def about(
        cls, row: Service | None, typed: Mapping[str, str] | None, known: Mapping[str, str]
    ) -> Self:
        """Give the form of a service: with what was typed, else what the address knows."""
        del row
        return cls(typed, initial={**known})

    def stated(self) -> Values | None:
        """Give what to look out for: what was typed, or what is known before anything is."""
        if self.is_bound:
            return self.cleaned_data if self.is_valid() else None
        return {}


@dataclass(frozen=True, eq=False)
class Question:
    """A question: its name in the audit trail, its form, what would come of it, what does it."""

    name: str
    title: Promise
    icon: str
    form: type[Asked]
    outlook: Callable[[Any, Values], Outlook]
    do: Callable[[Any, Values, User], Service]
    danger: bool = False


LINES = (
    Text("what", _("What")),
    Text("days", _("Days")),
    Money("discount", _("Discount"), of="discount_minor", currency="currency", less=True),
    Money("tax", _("Tax"), of="tax_minor", currency="currency", less=True),
    Money("total", _("Total"), of="total_minor", currency="currency", signed=True),
)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def ask(request: HttpRequest, section: Section, question: Question, key: str = "") -> HttpResponse:
    """Ask, show what would come of it, and do what was shown: what changed since is shown anew."""
    user = rights.editor(request, section)
    row = detail.one(section, key) if key else None
    sent = request.method == "POST"
    form = question.form.about(row, request.POST.dict() if sent else None, request.GET.dict())
    outlook = _looked_out(question, row, form)
    seen = request.POST.get("seen", "") if sent else ""
    if seen and outlook is not None and not outlook.stops and seen == outlook.stamp:
        made = _done(request, section, question, row, form, user)
        if made is not None:
            return redirect(section.address("one", made.pk))
        outlook = None
    return _page(request, section, question, row, form, outlook, changed=bool(seen))


def _looked_out(question: Question, row: Any, form: Asked) -> Outlook | None:
    """Give what would come of it; None where the form, or billing, finds a fault."""
    values = form.stated()
    if values is None:
        return None
    try:
        return question.outlook(row, values)
    except BillingError as error:
        if not form.is_bound:
            return Outlook("", stops=said(error))
        form.refuse(error)
        return None


def _done(
    request: HttpRequest, section: Section, question: Question, row: Any, form: Asked, user: User
) -> Service | None:
    """Do it and write it down; None with the form's error set where it was refused."""
    try:
        made = question.do(row, form.cleaned_data, user)
    except BillingError as error:
        form.refuse(error)
        return None
    values = form.lines(typed=True)
    subject = section.subject(made)
    audit.note(user.email, f"services.{question.name}", subject, after=values, request=request)
    messages.success(request, f"{question.title}: {section.name_of(made)}")
    return made


def _page(
    request: HttpRequest, section: Section, question: Question, row: Any, form: Asked,
    outlook: Outlook | None, *, changed: bool,
) -> HttpResponse:  # fmt: skip
    wall = Wall.here()
    context: dict[str, Any] = {
        "section": section,
        "question": question,
        "form": form,
        "row": row,
        "name": section.name_of(row) if row is not None else "",
        "outlook": outlook,
        "changed": changed and outlook is not None,
        "shown": {
            "columns": LINES,
            "lines": [
                {"cells": [(column, column.html(line, wall)) for column in LINES]}
                for line in outlook.lines
            ],
        } if outlook else None,
        "back": section.address("one", row.pk) if row is not None else section.address(),
    }  # fmt: skip
    return render(request, "services/ask.html", context, status=WRONG if form.errors else 200)
