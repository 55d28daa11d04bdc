"""Money given to an account or taken from it by hand, for a reason: a page that asks for both."""

from __future__ import annotations

from functools import partial
from secrets import token_hex
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.billing import by_hand, following, ledger
from billclock.billing.by_hand import HandEntry, Wish
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.web.client_words import BY_HAND, amount
from billclock.web.fresh import fresh
from billclock.web.hand_entries import HAND_ENTRIES
from billclock.web.kit import detail, rights
from billclock.web.kit.editing import WRONG
from billclock.web.kit.fields import Amount, Form
from billclock.web.kit.section import Section, Values

TO, FROM = "to", "from"
SIGNS = {TO: 1, FROM: -1}


class HandForm(Form):
    """What is moved, which way and why; `token` makes a form that is sent twice one entry."""

    way = forms.ChoiceField(
        label=_("Which way"), widget=forms.RadioSelect, initial=TO,
        choices=[(TO, _("To the account: the client is given it")),
                 (FROM, _("From the account: it is taken from the client"))],
    )  # fmt: skip
    minor = Amount(label=_("Amount"), currency="currency")
    sort = forms.ChoiceField(
        label=_("What for"), widget=forms.RadioSelect, initial=HandEntry.Sort.GOODWILL.value,
        choices=[(sort.value, word) for sort, word in BY_HAND.items()],
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=by_hand.LONGEST_REASON,
        help_text=_("It stands in the account's statement, which the client may see."),
    )  # fmt: skip
    past_floor = forms.BooleanField(
        label=_("Even if the account then owes more than it may"), required=False
    )
    currency = forms.CharField(widget=forms.HiddenInput, max_length=3)
    token = forms.CharField(widget=forms.HiddenInput, initial=partial(token_hex, 8), max_length=16)

    def clean(self) -> dict[str, Any]:
        """Refuse a sign: the way says whether money comes or goes."""
        values = super().clean()
        if (values.get("minor") or 1) < 0:
            self.add_error("minor", _("An amount above zero."))
        return values

    def clean_token(self) -> str:
        """Refuse an empty one by the field's own rule, and keep it within a key."""
        return f"form {self.cleaned_data['token']}"


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def page(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Ask what is moved and why, and enter it once."""
    user = rights.editor(request, section)
    row, sent = detail.one(section, key), request.method == "POST"
    code = row.currency_id
    typed = {**request.POST.dict(), "currency": code} if sent else None
    form = HandForm(typed, initial={"currency": code})
    if sent and form.is_valid():
        try:
            entry, new = _enter(row, form.cleaned_data, user)
        except BillingError as error:
            form.refuse(error)
        else:
            _tell(request, section, entry, user, new=new)
            return redirect(HAND_ENTRIES.address("one", entry.pk))
    free = ledger.available(row.funds, credit_blocked=row.credit_blocked)
    context = {
        "section": section, "row": row, "name": section.name_of(row), "form": form,
        "back": section.address("one", row.pk), "balance": amount(row.funds.balance_minor, code),
        "free": amount(max(free, 0), code) if row.kind != Account.Kind.POSTPAID else "",
    }  # fmt: skip
    return render(request, "clients/by_hand.html", context, status=WRONG if form.errors else 200)


def _enter(row: Account, values: Values, user: User) -> tuple[HandEntry, bool]:
    minor = (values["minor"] or 0) * SIGNS[values["way"]]
    sort, reason = HandEntry.Sort(values["sort"]), values["reason"]
    wish = Wish(sort, minor, reason, past_floor=values["past_floor"])
    return by_hand.enter(row, wish, by=user.email, key=values["token"])


def _tell(
    request: HttpRequest, section: Section, entry: HandEntry, user: User, *, new: bool
) -> None:
    """Note what was entered, and do what money that came is for."""
    if not new:
        messages.success(request, _now("It was entered already."))
        return
    said = f"{amount(entry.amount_minor, entry.account.currency_id, signed=True)}: {entry.reason}"
    audit.note(user.email, "client-accounts.by-hand", section.subject(entry.account), after=said,
               request=request)  # fmt: skip
    if entry.amount_minor > 0:
        following.attempt(entry.account)
    messages.success(request, _now("Entered."))
