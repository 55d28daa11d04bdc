"""How payments, their attempts, stored methods and what gateways tell read."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock.billing.payment_methods.base import EventKind
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payments import Attempt, Payment, StoredMethod
from billclock.web.kit.marks import Mark

STATES = {
    Payment.State.NEW: Mark("clock", "now", pgettext_lazy("payment", "waits")),
    Payment.State.IN_PROGRESS: Mark("hourglass", "now", pgettext_lazy("payment", "under way")),
    Payment.State.PLEDGED: Mark("clock", "now", pgettext_lazy("payment", "pledged")),
    Payment.State.CREDITED: Mark("circle-check", "ok", pgettext_lazy("payment", "credited")),
    Payment.State.RETURNING: Mark("undo-2", "warn", pgettext_lazy("payment", "going back")),
    Payment.State.RETURNED: Mark("undo-2", "off", pgettext_lazy("payment", "given back")),
    Payment.State.FRAUD: Mark("octagon-alert", "bad", pgettext_lazy("payment", "fraud")),
    Payment.State.CANCELLED: Mark("circle-x", "off", pgettext_lazy("payment", "cancelled")),
}
PURPOSES: dict[str, Promise] = {
    Payment.Purpose.TOP_UP: _("top-up"),
    Payment.Purpose.INVOICE: _("for an invoice"),
    Payment.Purpose.RENEWAL: _("for a renewal"),
    Payment.Purpose.OTHER: _("other"),
}
ACTIONS: dict[str, Promise] = {
    Attempt.Action.CHARGE: _("take money"),
    Attempt.Action.REFUND: _("give money back"),
}
ATTEMPTS = {
    Attempt.State.CREATED: Mark("clock", "now", pgettext_lazy("attempt", "begun")),
    Attempt.State.SENT: Mark("send", "now", pgettext_lazy("attempt", "sent")),
    Attempt.State.PENDING: Mark("clock", "now", pgettext_lazy("attempt", "the gateway decides")),
    Attempt.State.UNKNOWN: Mark("triangle-alert", "warn", pgettext_lazy("attempt", "not known")),
    Attempt.State.CAPTURED: Mark("circle-check", "ok", pgettext_lazy("attempt", "done")),
    Attempt.State.DECLINED: Mark("octagon-alert", "bad", pgettext_lazy("attempt", "declined")),
    Attempt.State.ABANDONED: Mark("circle-x", "off", pgettext_lazy("attempt", "not done")),
}
LINES: dict[str, Promise] = {
    "beneficiary": _("Beneficiary"),
    "account": pgettext_lazy("bank", "Account"),
    "bic": _("BIC"),
    "bank": _("Bank"),
    "reference": _("What to name"),
}
"""What a client who pays by himself is told, by the code of its label."""

EVENTS: dict[str, Promise] = {
    EventKind.CAPTURED: _("money taken"),
    EventKind.DECLINED: _("declined"),
    EventKind.REFUNDED: _("given back"),
    EventKind.REFUND_FAILED: _("giving back failed"),
    EventKind.DISPUTED: _("disputed by the client's bank"),
    EventKind.DISPUTE_WON: _("dispute won"),
    EventKind.STORED: _("method stored"),
    EventKind.STORED_FAILED: _("method not stored"),
}
STORED = {
    StoredMethod.State.SETTING_UP: Mark("clock", "now", _("being set up")),
    StoredMethod.State.USABLE: Mark("circle-check", "ok", _("usable")),
    StoredMethod.State.DISABLED: Mark("power-off", "off", _("forgotten")),
    StoredMethod.State.SETTING_UP_AGAIN: Mark("clock", "now", _("being set up again")),
    StoredMethod.State.FAILED: Mark("octagon-alert", "bad", _("fails")),
}
DECLINES: dict[str, Promise] = {
    DeclineClass.INSUFFICIENT_FUNDS: _("not enough money on the card"),
    DeclineClass.LIMIT: _("over the card's limit"),
    DeclineClass.TEMPORARY: _("the bank could not answer"),
    DeclineClass.DO_NOT_HONOUR: _("the bank gave no reason"),
    DeclineClass.AUTHENTICATION_REQUIRED: _("the client has to confirm it"),
    DeclineClass.EXPIRED_CARD: _("the card has expired"),
    DeclineClass.LOST_OR_STOLEN: _("the card was lost or stolen"),
    DeclineClass.FRAUD: _("the bank suspects fraud"),
    DeclineClass.INVALID: _("the card is not valid"),
    DeclineClass.ABANDONED: _("the client did not go on"),
}


def declined(row: Payment | Attempt) -> str:
    """Say why a payment or a try of one was declined; nothing where it was not."""
    return str(DECLINES.get(row.decline, row.decline))


def failed(row: StoredMethod) -> str:
    """Say what a stored method last failed with: why it was declined, and its gateway's words."""
    first, _space, more = row.last_error.partition(" ")
    if first not in DECLINES:
        return row.last_error
    return f"{DECLINES[first]} · {more}" if more else str(DECLINES[first])
