"""How documents read: their kinds, where each stands, what one without a number is called."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from billclock.billing.invoices import Invoice
from billclock.web.kit.marks import Mark

KINDS: dict[str, Promise] = {
    Invoice.Kind.INVOICE: _("invoice"),
    Invoice.Kind.REQUEST: _("request to pay"),
    Invoice.Kind.CREDIT_NOTE: _("credit note"),
}
DRAFT, OPEN, OVERDUE, PAID, CREDIT, CANCELLED = (
    "draft", "open", "overdue", "paid", "credit", "cancelled",
)  # fmt: skip
CLOSED = "closed"
MARKS = {
    DRAFT: Mark("pencil", "off", pgettext_lazy("document", "draft")),
    OPEN: Mark("hourglass", "now", pgettext_lazy("document", "to be paid")),
    OVERDUE: Mark("clock-alert", "bad", pgettext_lazy("document", "overdue")),
    PAID: Mark("circle-check", "ok", pgettext_lazy("document", "paid")),
    CREDIT: Mark("undo-2", "off", pgettext_lazy("document", "credited")),
    CANCELLED: Mark("circle-x", "off", pgettext_lazy("document", "cancelled")),
}
FILTER = {
    **{state: MARKS[state].word for state in (OPEN, OVERDUE, PAID, DRAFT, CANCELLED)},
    CLOSED: _("closed, its PDF sealed"),
}


def state(row: Invoice) -> str:
    """Give where a document stands; whether it is late is seen by its provider's date."""
    if row.state in (Invoice.State.DRAFT, Invoice.State.CANCELLED):
        return row.state
    if row.kind == Invoice.Kind.CREDIT_NOTE:
        return CREDIT
    if row.paid_on is not None:
        return PAID
    late = row.due_on is not None and row.due_on < row.account.provider.today()
    return OVERDUE if late else OPEN


def number(row: Invoice) -> str:
    """Give a document's number, "draft 12" before it has one."""
    return row.number or _now("draft %(number)s") % {"number": row.pk}


def kind(row: Invoice) -> Promise:
    """Give a document's kind in words."""
    return KINDS[row.kind]


def sealed(row: Invoice) -> str:
    """Say of a closed document that it is."""
    return pgettext("invoice", "closed") if row.state == Invoice.State.CLOSED else ""
