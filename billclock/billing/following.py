"""What follows money that came in: invoices are paid oldest first, what waited is renewed."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from billclock import clock
from billclock.billing import credit_limits, crediting, invoice_posting, pricing
from billclock.billing.clients import Account
from billclock.billing.daily import chunks
from billclock.billing.daily.due import Scope
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import LedgerAccount
from billclock.billing.payments import Arrival, Payment, PaymentMethod
from billclock.billing.provider import Provider
from billclock.billing.services import Service

WAIT = timedelta(minutes=10)
"""How long whoever credited money may take over what follows it, before it is done by the clock."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of trying: how many services were renewed, or what kept them from it."""

    renewed: int = 0
    fault: Exception | None = None


def attempt(account: Account) -> Followed:
    """Let an account's money do what waited for it, after it was booked; log what prevents that.

    The money stays booked whatever goes wrong here, and autosuspend tries again.
    """
    try:
        return Followed(follow(account))
    except Exception as error:
        log.exception("what follows the money of account %s", account.number)
        why = f"{type(error).__name__}: {error}"[:300]
        Arrival.objects.filter(account=account).update(last_error=why)
        return Followed(fault=error)


def unfollowed(provider: Provider) -> QuerySet[Account]:
    """Give the accounts whose money came some time ago and has not done what waited for it."""
    since = clock.now() - WAIT
    found = Account.objects.filter(provider=provider, arrival__since__lte=since)
    return found.select_related("provider").order_by("pk")


def told_of(method: PaymentMethod, gateway_ids: Collection[str]) -> QuerySet[Account]:
    """Give the accounts whose money a gateway tells of by these ids, and has its work to do yet.

    So it is after a notice that is sent again too: whoever took the first may have been killed.
    """
    found = Account.objects.filter(
        arrival__isnull=False,
        payments__events__method=method,
        payments__events__gateway_id__in=gateway_ids,
    )
    return found.select_related("provider").distinct()


def follow(account: Account) -> int:
    """Let an account's money do what waited for it; give the number of services renewed.

    What waited is what found no money before, and what is paid from a stored method, before the
    day's billing too. Suspended services are resumed by autosuspend, which asks their modules.
    """
    came = Arrival.objects.filter(account=account).first()
    renewed = _follow(account)
    if came is not None:  # money that came meanwhile is told of by a later moment, and stays
        Arrival.objects.filter(account=account, since=came.since).delete()
    return renewed


def _follow(account: Account) -> int:
    mark_paid(account)
    on = account.provider.today()
    credit_limits.settle(account.provider, on, account)
    waiting = Service.objects.filter(
        Q(unfunded_since__isnull=False) | Q(stored_method__isnull=False),
        account=account,
        stopped_for=0,
        auto_renew=True,
        paid_until__lte=on,
    )
    services = tuple(waiting.order_by("id").values_list("id", flat=True))
    if not services:
        return 0
    pricing.lay_out(account.provider, on)
    scope = Scope(account.provider, on, account.pk, account.pk, services)
    return chunks.charge(scope, None).counts["renewed"]


@transaction.atomic
def mark_paid(account: Account) -> int:
    """Mark the account's invoices that its money covers, the oldest first; give how many.

    What the account owes is unpaid; so the newest invoices stay open up to its debt, without what
    was taken back of them: its credit note may not be written yet. A payment that was asked for
    one and not begun is not needed any more.
    """
    LedgerAccount.objects.select_for_update().get(pk=account.pk)
    waiting = Invoice.objects.waiting().filter(account=account, kind=Invoice.Kind.INVOICE)
    _mark_requests(account)
    newest_first = list(waiting.with_credited().order_by("-issued_on", "-id"))
    if not newest_first:
        return 0
    today = account.provider.today()
    since = (newest_first[0].issued_on or today).replace(day=1)
    debt = invoice_posting.debts([account.pk], since)[account.pk]
    back = crediting.uncredited(account)
    paid = []
    for invoice in newest_first:
        whole = invoice.total_minor - invoice.credited - back.get(invoice.pk, 0)
        if debt <= 0 or whole <= 0:
            paid.append(invoice.pk)
        debt -= whole
    asked = Payment.objects.filter(invoice__in=paid, state=Payment.State.NEW, stored=None)
    asked.update(state=Payment.State.CANCELLED)
    return Invoice.objects.filter(pk__in=paid).update(paid_on=today)


def _mark_requests(account: Account) -> None:
    """Mark the requests to pay whose own payment came: what they ask for is no debt."""
    whole = F("net_minor") + F("tax_minor")
    asked = Invoice.objects.filter(
        account=account, kind=Invoice.Kind.REQUEST, paid_on=None, state=Invoice.State.ISSUED,
        payments__state=Payment.State.CREDITED, payments__amount_minor__gte=whole,
    )  # fmt: skip
    asked.update(paid_on=account.provider.today())
