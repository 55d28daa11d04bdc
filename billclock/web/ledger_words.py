"""How accounts of the ledger read: whose money it is, and what for."""

from collections.abc import Callable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billclock.billing.ledger import Kind, LedgerAccount
from billclock.web.visible import visible

SIDES: dict[Kind, Promise] = {
    Kind.REVENUE: _("revenue: %s"),
    Kind.TAX: _("tax: %s"),
    Kind.CLEARING: _("paid by: %s"),
    Kind.EXCHANGE: _("exchange: %s"),
    Kind.AFFILIATE: _("partner: %s"),
    Kind.ROUNDING: _("rounding: %s"),
    Kind.FEES: _("fees: %s"),
    Kind.OPENING: _("before the books: %s"),
    Kind.BY_HAND: _("by hand: %s"),
}


def said(account: LedgerAccount) -> str:
    """Name an account: a client's by its number, another by what it is for."""
    word = SIDES.get(Kind(account.kind))
    return str(word) % visible(account.owner) if word else account.owner


def side(name: str) -> Callable[[Any], str]:
    """Give a column's `of`: the account on one side of a transfer, `debit` or `credit`."""
    return lambda row: said(getattr(row, name))
