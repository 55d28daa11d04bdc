"""What is done to documents: issued, cancelled, signed, closed, opened again, asked for by hand."""

from __future__ import annotations

from functools import partial
from secrets import token_hex
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import closing, invoicing, money
from billclock.billing.errors import BillingError, MoneyError
from billclock.billing.invoice_lines import LONGEST, Line
from billclock.billing.invoices import Invoice
from billclock.web.invoice_words import number
from billclock.web.kit.fields import Day, Form
from billclock.web.kit.section import Act, Given
from billclock.web.seeking import account_field
from billclock.web.visible import visible

LONGEST_NOTE = 1000


class RequestForm(Form):
    """What somebody is asked to pay, for what."""

    account = account_field()
    text = forms.CharField(label=_("What for"), max_length=LONGEST)
    amount = forms.CharField(
        label=_("Amount"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("The whole sum, in the account's currency. It moves no money."),
    )
    taxed = forms.BooleanField(
        label=_("With tax"), required=False, initial=True,
        help_text=_("The tax that the account pays is in the sum, and stands on the document. "
                    "Leave it off for what no tax is on, such as a deposit."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("Note on the document"), max_length=LONGEST_NOTE, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    token = forms.CharField(widget=forms.HiddenInput, initial=partial(token_hex, 8), max_length=16)

    def clean(self) -> dict[str, Any]:
        """Read the amount in the account's currency."""
        values = super().clean()
        if "account" in values and values.get("amount"):
            code = values["account"].currency_id
            try:
                read = money.parse(values["amount"], code, get_language() or "en")
            except MoneyError as error:
                self.add_error("amount", str(error))
                return values
            if read.minor <= 0:
                self.add_error("amount", _("An amount above zero."))
            values["amount"] = read.minor
        return values


class SignForm(Form):
    """When a client signed."""

    on = Day(label=_("Signed on"))


class ReopenForm(Form):
    """Why a closed document is opened again."""

    why = forms.CharField(label=_("Why"), max_length=200)


def _issue(row: Invoice, _given: Given) -> str:
    made = invoicing.issue(row, row.account.provider.today())
    return _now("Issued as %s.") % visible(made.number)


def _cancel(row: Invoice, _given: Given) -> None:
    invoicing.cancel(row)


def _sign(row: Invoice, given: Given) -> None:
    on = given.values["on"]
    if on > row.account.provider.today():
        raise BillingError(_now("That day has not come yet."))
    closing.sign(row, on)


def _close(row: Invoice, _given: Given) -> None:
    closing.close(row)


def _reopen(row: Invoice, given: Given) -> None:
    closing.reopen(row, given.by, given.values["why"])


def _request(_row: None, given: Given) -> str:
    values = given.values
    account, text, whole = values["account"], values["text"], values["amount"]
    on = account.provider.today()
    line = Line(text, whole)
    if values["taxed"]:
        line = invoicing.line_by_hand(account, text, whole, on)
    made = invoicing.request_payment(
        account, [line], key=f"by hand {values['token']}", note=values["note"], on=on, gross=True
    )
    return _now("Made and sent: %s") % visible(number(made))


def alone(_row: Invoice | None, _given: Given) -> None:
    """Refuse what is asked on a page of its own."""
    raise BillingError(_now("This is asked on a page of its own, for each document alone."))


def _is_draft(row: Invoice) -> Promise | str:
    return "" if row.state == Invoice.State.DRAFT else _("It is no draft.")


def _goes(row: Invoice) -> Promise | str:
    asked = row.kind == Invoice.Kind.REQUEST and row.state == Invoice.State.ISSUED
    return "" if asked or row.state == Invoice.State.DRAFT else _(
        "Only drafts and requests to pay can be cancelled: credit it instead."
    )  # fmt: skip


def _open(row: Invoice) -> Promise | str:
    if row.kind not in closing.ITS_OWN:
        return _("A request to pay is not closed.")
    return "" if row.state == Invoice.State.ISSUED else _("It is not issued, or closed already.")


def _closed(row: Invoice) -> Promise | str:
    return "" if row.state == Invoice.State.CLOSED else _("It is not closed.")


def _credited(row: Invoice) -> Promise | str:
    if row.kind != Invoice.Kind.INVOICE:
        return _("Only an invoice is credited.")
    issued = row.state in (Invoice.State.ISSUED, Invoice.State.CLOSED)
    return "" if issued else _("It is not issued.")


ACTS = (
    Act("draft", _("Draft an invoice"), alone, icon="plus", whole=True, page="invoices_draft"),
    Act("request", _("Ask for a payment"), _request, icon="send", whole=True, form=RequestForm,
        confirm=_("The client gets it by mail at once, with its PDF.")),
    Act("issue", _("Issue"), _issue, icon="send", allowed=_is_draft,
        confirm=_("It gets its number, the client gets it by mail, and from then on it stays as it "
                  "is.")),
    Act("credit", _("Credit"), alone, icon="undo-2", bulk=False, allowed=_credited,
        page="invoices_credit"),
    Act("sign", _("Signed"), _sign, icon="pencil", form=SignForm, allowed=_open),
    Act("close", _("Close"), _close, icon="lock", allowed=_open,
        confirm=_("Its PDF is sealed and kept, and nothing of it changes any more.")),
    Act("reopen", _("Open again"), _reopen, icon="key-round", form=ReopenForm, allowed=_closed,
        confirm=_("Its note, days and signature can be changed then. What was sealed stays on "
                  "disk.")),
    Act("cancel", _("Cancel"), _cancel, icon="trash-2", danger=True, allowed=_goes,
        confirm=_("Charges of a draft can stand on another one then.")),
)  # fmt: skip
