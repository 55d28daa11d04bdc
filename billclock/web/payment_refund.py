"""Money of a payment given back: how much, and why, on a page that says what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billclock.accounts import audit
from billclock.billing import returning
from billclock.billing.errors import BillingError
from billclock.billing.payments import Payment
from billclock.web.client_words import amount
from billclock.web.fresh import fresh
from billclock.web.kit import detail, rights
from billclock.web.kit.editing import WRONG
from billclock.web.kit.fields import Amount, Form, typed_amount
from billclock.web.kit.section import Section
from billclock.web.payment_acts import answer, left, refusal
from billclock.web.payments import PAYMENTS


class RefundForm(Form):
    """How much goes back, and why; `left` is what was left when it was asked."""

    minor = Amount(label=_("Amount"), currency="currency")
    why = forms.CharField(
        label=_("Why"), max_length=200, help_text=_("Stays with the payment; the client sees the "
                                                    "money only.")
    )  # fmt: skip
    left = forms.IntegerField(widget=forms.HiddenInput)
    currency = forms.CharField(widget=forms.HiddenInput, max_length=3)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def refund(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Ask how much of a payment goes back and why; give it back through its gateway."""
    user = rights.editor(request, section)
    row, sent = detail.one(section, key), request.method == "POST"
    code = row.account.currency_id
    known = {"minor": typed_amount(left(row), code), "left": left(row), "currency": code}
    typed = {**request.POST.dict(), "currency": code} if sent else None
    form = RefundForm(typed, initial=known)
    if sent and form.is_valid():
        values = form.cleaned_data
        try:
            attempt = returning.refund(row, values["minor"], values["why"], left=values["left"])
        except BillingError as error:
            form.refuse(error)
        else:
            said = f"{amount(values['minor'], code)}: {values['why']}"
            audit.note(user.email, "payments.refund", section.subject(row), after=said,
                       request=request)  # fmt: skip
            messages.success(request, answer(attempt))
            return redirect(section.address("one", row.pk))
    return _page(request, row, form)


def _page(request: HttpRequest, row: Payment, form: RefundForm) -> HttpResponse:
    context: Mapping[str, Any] = {
        "section": PAYMENTS,
        "row": row,
        "name": PAYMENTS.name_of(row),
        "form": form,
        "left": amount(left(row), row.account.currency_id),
        "paid": amount(row.amount_minor, row.account.currency_id),
        "refusal": refusal(row),
        "back": PAYMENTS.address("one", row.pk),
    }
    return render(request, "payments/refund.html", context, status=WRONG if form.errors else 200)


ABOUT = {"section": PAYMENTS}
URLS = [path("payments/<str:key>/refund", refund, ABOUT, name="payments_refund")]
