"""Money taken into an account: from a stored method at once, or by a method the client acts in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from secrets import token_hex

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from billclock.accounts import audit
from billclock.billing import following, paying
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.payment_methods.base import Instructions, Redirect, Started
from billclock.billing.payments import Payment, PaymentMethod, StoredMethod
from billclock.web.client_coming import month
from billclock.web.client_words import amount
from billclock.web.fresh import fresh
from billclock.web.invoices import INVOICES
from billclock.web.kit import detail, rights
from billclock.web.kit.editing import WRONG
from billclock.web.kit.fields import Amount, Form, typed_amount
from billclock.web.kit.section import Section, Values
from billclock.web.payment_words import LINES, STATES
from billclock.web.payments import PAYMENTS
from billclock.web.visible import visible

Ways = Mapping[str, tuple[PaymentMethod, StoredMethod | None]]


class PayForm(Form):
    """How much is taken, and how; `token` makes a form that is sent twice one payment."""

    minor = Amount(label=_("Amount"), currency="currency")
    way = forms.ChoiceField(label=_("How"), widget=forms.RadioSelect)
    currency = forms.CharField(widget=forms.HiddenInput, max_length=3)
    token = forms.CharField(widget=forms.HiddenInput, initial=partial(token_hex, 8), max_length=16)

    def offer(self, found: Ways) -> None:
        """Offer an account's ways to pay."""
        field = self.fields["way"]
        field.choices = [(key, _said(*way)) for key, way in found.items()]  # type: ignore[attr-defined]
        field.initial = next(iter(found), None)


def ways(account: Account) -> Ways:
    """Give how an account's money can be taken: what the client stored, then what is offered."""
    stored = StoredMethod.objects.filter(
        client=account.client_id, state=StoredMethod.State.USABLE,
        method__provider=account.provider_id, method__currency=account.currency_id,
    )  # fmt: skip
    offered = PaymentMethod.objects.filter(
        provider=account.provider_id, currency=account.currency_id, active=True
    )
    found: dict[str, tuple[PaymentMethod, StoredMethod | None]] = {
        f"stored-{one.pk}": (one.method, one) for one in stored.select_related("method")
    }
    return found | {f"method-{one.pk}": (one, None) for one in offered.order_by("order", "name")}


def _said(method: PaymentMethod, stored: StoredMethod | None) -> str:
    if stored is None:
        return _now("%s: the client pays, and is told how") % visible(method.name)
    return _now("%s: taken at once") % visible(f"{method.name} {stored.masked}".strip())


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def page(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Ask how much of which way is taken, and take it or say how it is paid."""
    user = rights.editor(request, section)
    row, sent = detail.one(section, key), request.method == "POST"
    code, found = row.currency_id, ways(row)
    typed = {**request.POST.dict(), "currency": code} if sent else None
    form = PayForm(typed, initial={"minor": typed_amount(_missing(row), code), "currency": code})
    form.offer(found)
    if sent and form.is_valid():
        values = form.cleaned_data
        try:
            payment, told = _take(row, values, *found[values["way"]])
        except BillingError as error:
            form.refuse(error)
        else:
            if told:
                said = f"{amount(values['minor'], code)}: {payment.number}"
                audit.note(user.email, "client-accounts.pay", section.subject(row), after=said,
                           request=request)  # fmt: skip
            messages.success(request, told or _now("It was asked for already."))
            return redirect(PAYMENTS.address("one", payment.pk))
    context = {
        "section": section, "row": row, "name": section.name_of(row), "form": form,
        "ways": bool(found), "back": section.address("one", row.pk),
        "balance": amount(row.funds.balance_minor, code),
    }  # fmt: skip
    return render(request, "clients/pay.html", context, status=WRONG if form.errors else 200)


def _missing(row: Account) -> int | None:
    """Give what the coming month lacks, to begin with; None where it lacks nothing."""
    ahead = month(row)
    lacks = ahead.need - ahead.free
    return lacks if ahead.bound and lacks > 0 else None


def _take(
    row: Account, values: Values, method: PaymentMethod, stored: StoredMethod | None
) -> tuple[Payment, str]:
    """Take money once a token; give the payment, and what to tell of it: "" the second time."""
    key = f"by hand {values['token']}"
    known = Payment.objects.filter(key=key).first()
    if known is not None:
        return known, ""
    payment = paying.request(row, method, values["minor"], key=key, stored=stored)
    if stored is None:
        started = paying.start(payment, f"{settings.PUBLIC_URL.rstrip('/')}/")
        payment.refresh_from_db()
    else:
        payment, started = paying.charge(payment), None
    if payment.credited_on is not None:
        following.attempt(row)
    return payment, _told(payment, started)


def _told(payment: Payment, started: Started | None) -> str:
    """Say what became of a payment, or what the client is to be told so that he can pay."""
    match started:
        case Redirect():
            return _now("The client pays here: %s") % visible(started.url)
        case Instructions():
            lines = ", ".join(f"{LINES.get(name, name)}: {text}" for name, text in started.lines)
            return _now("The client pays by himself: %s") % visible(lines)
        case _:
            return f"{visible(payment.number)}: {STATES[Payment.State(payment.state)].word}"


@require_safe
def credit(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Lead to an account's invoices, whose lines are credited there with a reason."""
    rights.editor(request, section)
    row = detail.one(section, key)
    return redirect(f"{INVOICES.address()}?{urlencode({'q': row.number})}")
