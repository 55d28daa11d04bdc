"""Two questions with lines to tick: which charges stand on a draft, which lines are credited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billclock.accounts import audit
from billclock.billing import crediting, invoicing
from billclock.billing.charges import Charge
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.invoices import Invoice, InvoiceLine
from billclock.web.client_words import amount, charge_said
from billclock.web.fresh import fresh
from billclock.web.invoice_acts import LONGEST_NOTE
from billclock.web.invoice_words import number
from billclock.web.invoices import INVOICES
from billclock.web.kit import detail, rights
from billclock.web.kit.editing import WRONG
from billclock.web.kit.fields import Form
from billclock.web.kit.section import Section
from billclock.web.seeking import account_field, chosen
from billclock.web.visible import visible

MOST = 500


@dataclass(frozen=True, slots=True)
class Tick:
    """A line to tick: its key, what it is, its amount; `why_not` where it cannot be chosen."""

    key: str
    what: str
    amount: str
    ticked: bool
    why_not: str = ""


class DraftForm(Form):
    """Whose charges, and what the document says besides."""

    account = account_field()
    note = forms.CharField(
        label=_("Note on the document"), max_length=LONGEST_NOTE, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    token = forms.CharField(widget=forms.HiddenInput, initial=partial(token_hex, 8), max_length=16)


class CreditForm(Form):
    """Why lines are credited."""

    why = forms.CharField(label=_("Why"), max_length=180, help_text=_("Stands on the credit note."))


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def draft(request: HttpRequest, section: Section) -> HttpResponse:
    """Ask for an account, then which of its charges that are on no invoice; draft over them."""
    user = rights.editor(request, section)
    sent = request.method == "POST"
    given = {"account": request.GET.get("account", "")}
    form = DraftForm(request.POST if sent else None, initial=given)
    account = chosen(form["account"])
    free = _free(account) if account else []
    ticked = set(request.POST.getlist("line"))
    if sent and form.is_valid() and request.POST.get("do") == "draft":
        wanted = [charge for charge in free if str(charge.pk) in ticked]
        values = form.cleaned_data
        try:
            made = invoicing.draft(
                values["account"], values["account"].company, wanted,
                key=f"by hand {values['token']}", note=values["note"],
            )  # fmt: skip
        except BillingError as error:
            form.refuse(error)
        else:
            return _made(request, user.email, "invoices.draft", made, _now("Drafted"))
    asked = request.POST.get("do") == "draft"
    ticks = [_charge_tick(one, account, not asked or str(one.pk) in ticked) for one in free]
    return _page(request, _("Draft an invoice"), form, ticks, known=account is not None)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def credit(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Ask which lines of an invoice are credited and why; write the credit note."""
    user = rights.editor(request, section)
    row = detail.one(section, key)
    sent = request.method == "POST"
    form = CreditForm(request.POST if sent else None)
    lines = _lines(row)
    ticked = set(request.POST.getlist("line"))
    if sent and form.is_valid():
        wanted = [line for line in lines if str(line.pk) in ticked]
        try:
            made = crediting.give_back(row, wanted, why=form.cleaned_data["why"], by=user.email)
        except BillingError as error:
            form.refuse(error)
        else:
            return _made(request, user.email, "invoices.credit", made, _now("Credited by"))
    ticks = [_line_tick(one, row, not sent or str(one.pk) in ticked) for one in lines]
    return _page(request, _("Credit"), form, ticks, row=row)


def _free(account: Account) -> list[Charge]:
    """Give an account's charges that may stand on an invoice, the newest first."""
    found = Charge.objects.filter(account=account, reversal=None, invoice_line=None)
    dear = found.exclude(net_minor=0, tax_minor=0).select_related("service__product")
    ours = dear.filter(service__product__company=account.company_id)
    return list(ours.order_by("-on", "-pk")[:MOST])


def _charge_tick(charge: Charge, account: Account | None, ticked: bool) -> Tick:
    code = account.currency_id if account else ""
    what = visible(charge_said(charge))
    return Tick(str(charge.pk), what, amount(charge.total_minor, code), ticked)


def _lines(row: Invoice) -> list[InvoiceLine]:
    related = ("charge__reversal", "taken_back_by")
    return list(row.lines.select_related(*related).order_by("position")[:MOST])


def _line_tick(line: InvoiceLine, row: Invoice, ticked: bool) -> Tick:
    why_not = ""
    if hasattr(line, "taken_back_by"):
        why_not = _now("It is credited already.")
    elif line.charge is None:
        why_not = _now("It has no charge.")
    elif not hasattr(line.charge, "reversal") and line.charge.kind not in crediting.ALONE:
        why_not = _now("Its days are in force: change or close the service first.")
    said = amount(line.net_minor + line.tax_minor, row.currency)
    return Tick(str(line.pk), visible(line.text), said, ticked and not why_not, why_not)


def _made(request: HttpRequest, by: str, action: str, made: Invoice, said: str) -> HttpResponse:
    subject = INVOICES.subject(made)
    audit.note(by, action, subject, after=made.note, request=request)
    messages.success(request, f"{said}: {visible(number(made))}")
    return redirect(INVOICES.address("one", made.pk))


def _page(
    request: HttpRequest, title: Any, form: Form, ticks: Iterable[Tick], *,
    row: Invoice | None = None, known: bool = True,
) -> HttpResponse:  # fmt: skip
    found = list(ticks)
    context = {
        "section": INVOICES,
        "title": title,
        "form": form,
        "row": row,
        "name": INVOICES.name_of(row) if row else "",
        "known": known,
        "ticks": found,
        "may": any(not tick.why_not for tick in found),
        "cut": len(found) == MOST,
        "back": INVOICES.address("one", row.pk) if row else INVOICES.address(),
    }
    return render(request, "invoices/choose.html", context, status=WRONG if form.errors else 200)


ABOUT = {"section": INVOICES}
URLS = [
    path("invoices/draft", draft, ABOUT, name="invoices_draft"),
    path("invoices/<str:key>/credit", credit, ABOUT, name="invoices_credit"),
]
