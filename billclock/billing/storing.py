"""Stored payment methods: set up with the client, renewed, forgotten, and rid of when stalled."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet

from billclock import clock
from billclock.accounts import audit
from billclock.billing import gateway_events, paying
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError, PaymentMethodError
from billclock.billing.invoices import draw
from billclock.billing.ledger import LedgerAccount
from billclock.billing.payment_methods import base
from billclock.billing.payments import PaymentMethod, StoredMethod

if TYPE_CHECKING:
    from billclock.billing.payment_methods.base import Event, StoredOutcome, StoreStarted

UNFINISHED = (StoredMethod.State.SETTING_UP, StoredMethod.State.SETTING_UP_AGAIN)

ENDED = "stored-method.end"
MOMENT = "%Y-%m-%d %H:%M UTC"
"""What the audit trail calls a setup's end, and how it writes since when it was being set up."""

log = logging.getLogger(__name__)


def begin(
    account: Account, method: PaymentMethod, return_url: str, again: StoredMethod | None = None
) -> StoreStarted:
    """Begin storing a method for an account's client; what the client does next comes back.

    `again`: in place of one that failed, which is as before where he does not finish.
    """
    stored = _intend(account, method, again)
    payer = paying.payer(account, again)
    setup = base.Setup(stored.setup_key, payer, stored.changed_at, return_url)
    started = paying.gateway(method).store(setup)
    if isinstance(started, base.StoredOutcome):
        settle(stored, started)
    else:
        StoredMethod.objects.filter(pk=stored.pk).update(setup_id=started.gateway_id)
    return started


def stalled(older_than: timedelta) -> QuerySet[StoredMethod]:
    """Give the methods whose setting up was begun and not finished for so long."""
    found = StoredMethod.objects.filter(
        state__in=UNFINISHED, changed_at__lte=clock.now() - older_than
    )
    return found.select_related("method", "client").order_by("id")


def resolve(stored: StoredMethod) -> StoredMethod.State | None:
    """Ask the gateway what became of a setup, then keep, restore or forget it.

    What still waits for the client has had its time: it was never finished. Gives the state it
    ended in, None where it is gone. An unclear answer changes nothing; raises PaymentMethodError
    where the gateway cannot be asked.
    """
    setup = base.Setup(stored.setup_key, _payer(stored), stored.changed_at)
    outcome = paying.gateway(stored.method).ask_stored(setup, stored.setup_id)
    if outcome.state == base.State.PENDING:
        outcome = base.StoredOutcome(base.State.ABSENT, why="never finished")
    return settle(stored, outcome)


@transaction.atomic
def settle(stored: StoredMethod, outcome: StoredOutcome) -> StoredMethod.State | None:
    """Write what became of a setup; one that is finished already stays as it is."""
    stored = StoredMethod.objects.select_for_update().get(pk=stored.pk)
    if stored.state not in UNFINISHED:
        return StoredMethod.State(stored.state)
    key, begun = stored.setup_key, f"{stored.changed_at.astimezone(UTC):{MOMENT}}"
    if outcome.state == base.State.CAPTURED and outcome.stored is not None:
        _keep(stored, outcome.stored)
    elif outcome.state in {base.State.PENDING, base.State.UNKNOWN}:
        return StoredMethod.State(stored.state)
    elif stored.state == StoredMethod.State.SETTING_UP:
        stored.delete()
        audit.note(stored.method.code, ENDED, key, before=begun, after="forgotten")
        return None
    else:
        before = stored.state_before or StoredMethod.State.FAILED
        _enter(stored, StoredMethod.State(before), outcome.why)
    stored.save()
    state = StoredMethod.State(stored.state)
    audit.note(stored.method.code, ENDED, key, before=begun, after=state.label.lower())
    return state


@transaction.atomic
def told(method: PaymentMethod, event: Event) -> bool:
    """Take what a gateway tells of a setup; False where it was known."""
    stored = StoredMethod.objects.filter(setup_key=event.key, method=method).first()
    ours = gateway_events.mark() in event.key
    if stored is None and ours and event.kind == base.EventKind.STORED:
        return gateway_events.strange(method, event, "it was forgotten here before it was done")
    if stored is None or stored.state not in UNFINISHED:
        return False
    kept = event.kind == base.EventKind.STORED
    state = base.State.CAPTURED if kept else base.State.DECLINED
    settle(stored, base.StoredOutcome(state, event.gateway_id, event.stored))
    return True


def completed(method: PaymentMethod, event: Event) -> Event:
    """Give an event of a stored method with its label and end, which some notices leave out."""
    waits = StoredMethod.objects.filter(
        setup_key=event.key, method=method, state__in=UNFINISHED
    ).first()
    if event.stored is None or event.stored.label or waits is None:
        return event
    setup = base.Setup(waits.setup_key, _payer(waits), waits.changed_at)
    try:
        told = paying.gateway(method).ask_stored(setup, waits.setup_id)
    except BillingError as error:
        log.warning("stored method %s: %s", waits.setup_key, error)
        return event
    return replace(event, stored=told.stored) if told.stored else event


def forget(stored: StoredMethod) -> None:
    """Switch a stored method off, then let its gateway forget it."""
    _disable(stored)
    try:
        paying.gateway(stored.method).forget(paying.as_stored(stored))
    except PaymentMethodError as error:
        log.warning("stored method %s: %s", stored.setup_key, error)


@transaction.atomic
def _intend(account: Account, method: PaymentMethod, again: StoredMethod | None) -> StoredMethod:
    number = draw(account.company, "stored")
    key = f"{account.number}-S{number}-{gateway_events.mark()}"
    if again is None:
        return StoredMethod.objects.create(
            client=account.client, method=method, setup_key=key, changed_at=clock.now()
        )
    stored = StoredMethod.objects.select_for_update().get(pk=again.pk)
    if stored.state in UNFINISHED or stored.method_id != method.pk:
        raise PaymentMethodError(f"{stored.setup_key} cannot be stored again at {method.code} now")
    stored.setup_key, stored.setup_id = key, ""
    _enter(stored, StoredMethod.State.SETTING_UP_AGAIN, "")
    stored.save()
    return stored


@transaction.atomic
def _disable(stored: StoredMethod) -> None:
    theirs = LedgerAccount.objects.select_for_update().filter(holder__client=stored.client_id)
    list(theirs.order_by("pk"))
    stored = StoredMethod.objects.select_for_update().get(pk=stored.pk)
    Account.objects.filter(autopay=stored).update(autopay=None)
    _enter(stored, StoredMethod.State.DISABLED, "")
    stored.save()


def _keep(stored: StoredMethod, kept: base.Stored) -> None:
    stored.token = kept.token
    stored.gateway_account = kept.account
    stored.masked = kept.label
    stored.expires_on = kept.expires
    _enter(stored, StoredMethod.State.USABLE, "")


def _enter(stored: StoredMethod, state: StoredMethod.State, why: str) -> None:
    stored.state_before, stored.state = stored.state, state
    stored.changed_at = clock.now()
    stored.last_error = why[:300]


def _payer(stored: StoredMethod) -> base.Payer:
    account = stored.client.accounts.order_by("pk").first()
    return paying.payer(account) if account else base.Payer(id=stored.client.number)
