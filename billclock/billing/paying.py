"""Paying: money asked for, taken by a gateway, credited once whoever tells of it.

Each request to a gateway is written down and committed before it is made, with the key that makes
a repeat harmless; what became of it is written after. While that is not known nothing more is
asked of the same payment. Every act locks the account's money first, then the payment, then the
attempt, so that no two wait for each other.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, QuerySet

from billclock import clock
from billclock.billing import declining, gateway_events, ledger, notice_kinds, notifications
from billclock.billing.clients import Account
from billclock.billing.configuration import Surroundings
from billclock.billing.errors import (
    BillingError,
    GatewayError,
    NotOfferedError,
    PaymentMethodError,
)
from billclock.billing.invoices import Invoice, draw
from billclock.billing.ledger import Cause, Kind, LedgerAccount, Move
from billclock.billing.money import Money, told
from billclock.billing.payment_methods import base, offered
from billclock.billing.payments import (
    IN_FLIGHT,
    SEQUENCE,
    Attempt,
    GatewayEvent,
    Payment,
    PaymentMethod,
    StoredMethod,
    announce,
    lock,
    number_of,
)

if TYPE_CHECKING:
    from billclock.billing.payment_methods.base import Outcome, Started

OPEN = IN_FLIGHT
"""The states of an attempt in flight."""

WAIT = timedelta(minutes=10)
"""How long a call may be under way before its gateway is asked what became of it."""

log = logging.getLogger(__name__)


def gateway(method: PaymentMethod) -> base.PaymentMethod:
    """Give a payment method's plugin; raises PluginSettingsError for wrong settings."""
    folder = settings.HOME / "gateways" / method.code
    return offered.make(method.plugin, method.settings, Surroundings(clock.now, folder))


@transaction.atomic
def request(
    account: Account,
    method: PaymentMethod,
    amount_minor: int,
    *,
    key: str,
    purpose: Payment.Purpose = Payment.Purpose.OTHER,
    stored: StoredMethod | None = None,
    invoice: Invoice | None = None,
    on: date | None = None,
) -> Payment:
    """Give the payment of a key, made if there is none: money to be paid into an account.

    Raises PaymentMethodError where the method cannot serve the account.
    """
    LedgerAccount.objects.select_for_update().get(pk=account.pk)
    known = Payment.objects.filter(key=key).first()
    if known:
        return known
    _require_fitting(account, method, amount_minor, stored)
    return Payment.objects.create(
        key=key,
        number=number_of(account.company, draw(account.company, SEQUENCE)),
        account=account,
        method=method,
        stored=stored,
        invoice=invoice,
        purpose=purpose,
        amount_minor=amount_minor,
        created_at=clock.now(),
        created_on=on or account.provider.today(),
    )


def _require_fitting(
    account: Account, method: PaymentMethod, minor: int, stored: StoredMethod | None
) -> None:
    if method.currency_id != account.currency_id:
        raise PaymentMethodError(
            f"{method.code} takes {method.currency_id}, account {account.number} is in"
            f" {account.currency_id}",
            "choose a method of the account's currency",
        )
    if method.provider_id != account.provider_id:
        raise PaymentMethodError(
            f"{method.code} is a method of another provider than account {account.number}",
            f"choose one of {account.provider.code}",
        )
    if stored and (stored.method_id, stored.client_id) != (method.pk, account.client_id):
        raise PaymentMethodError(
            f"{stored.setup_key} was not stored at {method.code} by the client of account"
            f" {account.number}",
            "choose a method that he stored there",
        )
    if minor <= 0:
        raise PaymentMethodError(f"{minor} is no amount to be paid", "give it in minor units")


def charge(payment: Payment) -> Payment:
    """Take a payment's money by its stored method, once, and write what became of it.

    Does nothing while an earlier attempt is in flight, where there is nothing to do any more, or
    where the stored method is not usable.
    """
    attempt = _intend(payment, Attempt.State.SENT)
    if attempt is not None:
        settle(attempt, _charged(attempt.payment, attempt))
    payment.refresh_from_db()
    return payment


def start(payment: Payment, return_url: str) -> Started | None:
    """Begin a payment in which the client takes part; None where one is in flight already.

    Where he is only told where to pay, nothing is in flight: the payment stays open. Raises
    PaymentMethodError where the gateway could not be asked, and then nothing has begun.
    """
    by = gateway(payment.method)
    attempt = _intend(payment, Attempt.State.PENDING)
    if attempt is None:
        return None
    try:
        started = by.start(_order(payment, attempt, return_url))
    except PaymentMethodError as error:
        settle(attempt, base.Outcome(base.State.ABSENT, why=str(error)))
        raise
    if isinstance(started, base.Outcome):
        settle(attempt, started)
    elif isinstance(started, base.Instructions):
        settle(attempt, base.Outcome(base.State.ABSENT, why="the client pays by himself"))
    else:
        Attempt.objects.filter(pk=attempt.pk, gateway_id="").update(gateway_id=started.gateway_id)
    return started


def ask(attempt: Attempt) -> bool:
    """Ask the gateway what became of an attempt in flight, and write it; False: no answer."""
    Attempt.objects.filter(pk=attempt.pk).update(asked_at=clock.now())
    payment = attempt.payment
    try:
        order = _order(payment, attempt)
        outcome = gateway(payment.method).ask(order, attempt.gateway_id)
    except BillingError as error:
        log.warning("attempt %s: %s", attempt.key, error)
        return False
    settle(attempt, outcome)
    return outcome.state != base.State.UNKNOWN


def unanswered(at_most: int = 1000) -> QuerySet[Attempt]:
    """Give the attempts in flight whose call must be over, refunds too; the longest unasked first.

    So many as are asked at a time come round, whatever number never gets an answer.
    """
    found = Attempt.objects.filter(state__in=OPEN, created_at__lte=clock.now() - WAIT)
    related = ("payment__method", "payment__stored", "payment__account__client")
    order = (F("asked_at").asc(nulls_first=True), "created_at", "id")
    return found.select_related(*related).order_by(*order)[:at_most]


def in_flight(account: Account) -> bool:
    """Tell whether money of an account may be on its way."""
    return Attempt.objects.filter(payment__account=account, state__in=OPEN).exists()


@transaction.atomic
def settle(attempt: Attempt, outcome: Outcome) -> None:
    """Write what became of an attempt.

    What is settled stays as it is, but for money that was taken after all: it counts whenever it
    is told of.
    """
    payment = lock(attempt.payment)
    attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if outcome.state == base.State.CAPTURED:
        captured(payment, attempt, outcome)
        return
    if attempt.state not in OPEN:
        return
    attempt.gateway_id = outcome.gateway_id or attempt.gateway_id
    attempt.told = outcome.why[:300]
    match outcome.state:
        case base.State.DECLINED:
            declining.declined(payment, attempt, outcome.decline)
        case base.State.ABSENT:
            declining.came_to_nothing(payment, attempt)
        case base.State.PENDING:
            attempt.state = Attempt.State.PENDING
        case _:
            attempt.state = Attempt.State.UNKNOWN
    attempt.save()


def captured(payment: Payment, attempt: Attempt, outcome: Outcome) -> bool:
    """Count money that an attempt took; False where it was counted. For acts that hold the locks.

    Money of another currency than the account's is not guessed at: the attempt stays in flight
    and a person decides.
    """
    if outcome.currency and outcome.currency != payment.account.currency_id:
        why = f"it took {told(outcome.minor, outcome.currency)}, not what was asked for"
        if attempt.state in OPEN:
            Attempt.objects.filter(pk=attempt.pk).update(state=Attempt.State.UNKNOWN, told=why)
        gateway_events.give_to_staff(
            f"currency {attempt.key}", f"{payment.number}: {why}", attempt.key, payment
        )
        return False
    twice = payment.credited_on is not None
    attempt.gateway_id = outcome.gateway_id or attempt.gateway_id or attempt.key
    attempt.settle(Attempt.State.CAPTURED)
    attempt.save()
    new = credit(payment, attempt.gateway_id, outcome.minor or attempt.amount_minor)
    if new and twice:
        gateway_events.give_to_staff(
            f"twice {attempt.key}",
            f"{payment.number}: its money was taken a second time",
            f"{attempt.gateway_id} at {payment.method.code} is on the account as well: give it back"
            " or leave it there, as the client likes",
            payment,
        )
    return new


@transaction.atomic
def credit(payment: Payment, gateway_id: str, minor: int) -> bool:
    """Credit captured money once a gateway id; False where it was credited before.

    What came beyond a payment that is credited already becomes a payment of its own: no money is
    lost, and none is counted twice. What came is what counts, whatever was asked for.
    """
    payment = lock(payment)
    asked = "" if minor == payment.amount_minor else f"{payment.amount_minor} were asked for"
    kind = base.EventKind.CAPTURED
    event, new = gateway_events.know(payment, gateway_id, kind, minor, asked)
    if not new and event.payment_id is not None:
        return False
    if payment.credited_on is not None:
        payment = _surplus(payment, event)
    event.payment = payment
    event.save(update_fields=["payment"])
    payment.amount_minor = minor
    payment.state = Payment.State.CREDITED
    payment.credited_on = payment.account.provider.today()
    payment.next_try_on = None
    payment.save()
    currency = payment.account.currency_id
    move = Move(
        debit=ledger.account(Kind.CLEARING, payment.method.code, currency),
        credit=payment.account.funds,
        amount_minor=minor,
        cause=Cause.PAYMENT,
        source=payment.pk,
    )
    ledger.post([move], on=payment.credited_on)
    announce(payment.account)
    _thank(payment)
    return True


@transaction.atomic
def _intend(payment: Payment, state: Attempt.State) -> Attempt | None:
    """Write down that a gateway is about to be asked; None where it must not be."""
    payment = lock(payment)
    if payment.state not in {Payment.State.NEW, Payment.State.IN_PROGRESS} or payment.in_flight:
        return None
    stored = payment.stored
    if state == Attempt.State.SENT and stored and stored.state != StoredMethod.State.USABLE:
        return None
    last = payment.attempts.aggregate(last=Max("number"))["last"] or 0
    payment.state = Payment.State.IN_PROGRESS
    payment.next_try_on = None
    payment.save(update_fields=["state", "next_try_on"])
    return Attempt.objects.create(
        payment=payment,
        number=last + 1,
        key=key_of(payment, last + 1),
        amount_minor=payment.amount_minor,
        state=state,
        created_at=clock.now(),
    )


def key_of(payment: Payment, number: int, sort: str = "") -> str:
    """Give an attempt's key, unlike those of other installations at the same gateway."""
    return f"{payment.number}-{gateway_events.mark()}-{sort}{number}"


def _charged(payment: Payment, attempt: Attempt) -> Outcome:
    """Ask the gateway; once it is called, an error it does not name leaves open what it did."""
    if payment.stored is None:
        return base.Outcome(base.State.ABSENT, why="there is no stored method to charge")
    try:
        by = gateway(payment.method)
        order = _order(payment, attempt)
    except (BillingError, ValueError) as error:
        return base.Outcome(base.State.ABSENT, why=str(error))
    try:
        return by.charge(order, as_stored(payment.stored))
    except (GatewayError, NotOfferedError) as error:
        return base.Outcome(base.State.ABSENT, why=str(error))
    except Exception as error:
        log.exception("attempt %s", attempt.key)
        return base.Outcome(base.State.UNKNOWN, why=f"{type(error).__name__}: {error}")


def _order(payment: Payment, attempt: Attempt, return_url: str = "") -> base.Order:
    return base.Order(
        key=attempt.key,
        minor=attempt.amount_minor,
        currency=payment.account.currency_id,
        payer=payer(payment.account, payment.stored),
        at=attempt.created_at,
        reference=payment.number,
        description=f"{payment.purpose} {payment.number}",
        return_url=return_url,
    )


def payer(account: Account, stored: StoredMethod | None = None) -> base.Payer:
    """Give the client as a gateway is told of him."""
    contact = account.client.contacts.order_by("id").first()
    return base.Payer(
        id=account.number,
        name=account.client.name,
        email=contact.email if contact else "",
        language=contact.language if contact else "en",
        account=stored.gateway_account if stored else "",
    )


def as_stored(stored: StoredMethod) -> base.Stored:
    """Give a stored method as its plugin takes it."""
    return base.Stored(stored.token, stored.gateway_account, stored.masked, stored.expires_on)


def _thank(payment: Payment) -> None:
    notifications.notify(
        payment.account,
        notice_kinds.PAYMENT_RECEIVED.name,
        period=payment.credited_on or payment.created_on,
        on=payment.credited_on or payment.created_on,
        subject=payment.pk,
        facts={
            "amount": Money(payment.amount_minor, payment.account.currency_id),
            "method": payment.method.name,
        },
    )


def _surplus(payment: Payment, event: GatewayEvent) -> Payment:
    return request(
        payment.account,
        payment.method,
        event.amount_minor,
        key=gateway_events.named(f"surplus {payment.method.code} {event.gateway_id}"),
    )
