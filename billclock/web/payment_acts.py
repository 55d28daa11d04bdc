"""What is done to payments from a list: a gateway asked now, a payment given up."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billclock import clock
from billclock.billing import declining, following, paying, returning
from billclock.billing.errors import BillingError
from billclock.billing.payments import Attempt, Payment
from billclock.web.kit.section import Act, Given
from billclock.web.payment_words import ATTEMPTS
from billclock.web.visible import visible


def left(row: Payment) -> int:
    """Give what of a payment can be given back, in minor units."""
    return row.amount_minor - row.refunded_minor if row.credited_on else 0


def refusal(row: Payment) -> Promise | str:
    """Say why nothing of a payment can be given back, if so."""
    if row.credited_on is None:
        return _("Nothing was paid.")
    return "" if left(row) else _("All of it went back.")


def flying(row: Payment) -> Attempt | None:
    """Give the request about a payment whose end is not known."""
    found = row.attempts.filter(state__in=paying.OPEN).select_related("payment__method")
    return found.first()


def _unanswered(row: Payment) -> Promise | str:
    attempt = flying(row)
    if attempt is None:
        return _("Nothing of it is under way.")
    known = attempt.state == Attempt.State.UNKNOWN
    if not known and attempt.created_at > clock.now() - paying.WAIT:
        return _("Its call may be under way still: ask ten minutes after it was begun.")
    return ""


def _ask(row: Payment, _given: Given) -> str:
    attempt = flying(row)
    if attempt is None:
        raise BillingError(_now("Nothing of it is under way."))
    if attempt.action == Attempt.Action.REFUND:
        returning.ask(attempt)
    else:
        paying.ask(attempt)
        following.attempt(row.account)
    attempt.refresh_from_db()
    return answer(attempt)


def answer(attempt: Attempt) -> str:
    """Say what a gateway answered."""
    said = _now("The gateway says: %s") % ATTEMPTS[Attempt.State(attempt.state)].word
    return f"{said} ({visible(attempt.told)})" if attempt.told else said


def _give_up(row: Payment, _given: Given) -> None:
    if not declining.give_up(row):
        raise BillingError(_now("Money of it may be on its way: it can't be cancelled."))


def _waits(row: Payment) -> Promise | str:
    return "" if row.state == Payment.State.NEW else _("Only what is not begun can be cancelled.")


def _alone(_row: Payment, _given: Given) -> None:
    raise BillingError(_now("This is asked on a page of its own, for each payment alone."))


ACTS = (
    Act("ask", _("Ask the gateway"), _ask, icon="repeat", allowed=_unanswered),
    Act("refund", _("Give back"), _alone, icon="undo-2", bulk=False, allowed=refusal,
        page="payments_refund"),
    Act("cancel", _("Cancel"), _give_up, icon="x", danger=True, allowed=_waits,
        confirm=_("It is not taken any more. Money that comes for it later is kept all the "
                  "same.")),
)  # fmt: skip
