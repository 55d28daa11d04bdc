"""What is done to an account from its page: money taken, a letter written, charges credited."""

from __future__ import annotations

from functools import partial
from secrets import randbits

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock.billing import notice_kinds
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.notifications import notify
from billclock.web.kit.fields import Form
from billclock.web.kit.section import Act, Given

LONGEST_TEXT = 10_000
BITS = 62  # of a letter's own key, within what a column of the books holds


class LetterForm(Form):
    """What is written to a client; `token` makes a form that is sent twice one letter."""

    subject = forms.CharField(label=_("Subject"), max_length=150)
    text = forms.CharField(
        label=_("Text"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Greeting, the way to sign in and the sender's name are put around it."),
    )  # fmt: skip
    token = forms.IntegerField(
        widget=forms.HiddenInput, initial=partial(randbits, BITS), min_value=0, max_value=2**BITS
    )


def _write(row: Account, given: Given) -> str:
    on = row.provider.today()
    facts = {"title": given.values["subject"], "text": given.values["text"]}
    notify(row, notice_kinds.WRITTEN.name, period=on, on=on, subject=given.values["token"],
           facts=facts)  # fmt: skip
    return _now("The letter waits to go out.")


def _alone(_row: Account, _given: Given) -> None:
    raise BillingError(_now("This is asked on a page of its own, for each account alone."))


def _unreadable(row: Account) -> Promise | str:
    with_address = row.client.contacts.exclude(email="")
    return "" if with_address.exists() else _("The client has nobody with an e-mail address.")


ACTS = (
    Act("pay", _("Take payment"), _alone, icon="plus", bulk=False, page="client-accounts_pay",
        leads=lambda row: row.funds.balance_minor < 0),
    Act("credit", _("Credit"), _alone, icon="undo-2", bulk=False, page="client-accounts_credit"),
    Act("by-hand", _("Enter by hand"), _alone, icon="pencil", bulk=False,
        page="client-accounts_by_hand"),
    Act("write", _("Write"), _write, icon="mail", form=LetterForm, bulk=False,
        allowed=_unreadable),
)  # fmt: skip
