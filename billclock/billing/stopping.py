"""Stopping services and letting them run again, for a set of reasons; holds; automatic renewal.

The rows of Suspension are the truth; Service.stopped_for is the sum of the open ones' reasons.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction

from billclock import clock
from billclock.billing import operations, renewals
from billclock.billing.catalog import Cycle
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.money import Money
from billclock.billing.notifications import notify
from billclock.billing.services import (
    IDLE,
    Operation,
    Reason,
    RenewalSwitch,
    Service,
    Suspension,
    Verdict,
    lock,
)

DECIDED = Reason.MONEY | Reason.ADDON | Reason.EXPIRED
"""Reasons that billing finds; each such suspension names its verdict."""

WHY = {
    Reason.MONEY: "there is no money for its renewal",
    Reason.ADDON: "more is in use than its plan allows",
    Reason.ABUSE: "the terms of use were broken",
    Reason.STAFF: "our staff stopped it",
    Reason.CLIENT: "you asked for it",
    Reason.EXPIRED: "its time is over and it is not renewed by itself",
}


@transaction.atomic
def suspend(
    service: Service,
    reason: Reason,
    *,
    on: date,
    by: str = "",
    verdict: Verdict | None = None,
    why: str = "",
) -> Suspension:
    """Stop a service for a reason and give the suspension, the open one where there is one.

    The first reason stops it at its module; its people are told. Raises BillingError without a
    verdict of this service for a reason that billing finds, and for what is not open.
    """
    service = lock(service)
    _require_open(service)
    _require_verdict(service, reason, verdict)
    found = service.suspensions.filter(reason=reason, lifted_on=None).first()
    if found is not None:
        return found
    made = Suspension.objects.create(service=service, reason=reason, on=on, verdict=verdict, by=by)
    running = not service.stopped_for
    service.stopped_for |= reason
    if running:
        operations.queue(service, Operation.Action.SUSPEND, f"suspension {made.pk}")
    service.save(update_fields=["stopped_for", "status"])
    facts: dict[str, object] = {"why": why or WHY[reason]}
    if verdict is not None and reason == Reason.MONEY:
        facts["need"] = Money(verdict.need_minor, service.account.currency_id)
    notify(
        service.account, "suspended", subject=service.pk, period=on, threshold=int(reason), on=on,
        facts=facts,
    )  # fmt: skip
    return made


@transaction.atomic
def lift(service: Service, reason: Reason, *, on: date, why: str) -> bool:
    """Take a reason away; the last one lets the service run again. False where it was not there.

    Where it stood for money, or because its time was over, billing decides on it anew.
    """
    service = lock(service)
    if not release(service, reason, on=on, why=why):
        return False
    if reason & IDLE and not service.stopped_for & IDLE:
        renewals.decide(service, on)
    return True


def release(service: Service, reason: Reason, *, on: date, why: str) -> bool:
    """Take a reason away from a locked service; for acts that go on with it."""
    found = service.suspensions.filter(reason=reason, lifted_on=None).first()
    if found is None:
        return False
    since = _idle_since(service)
    found.lifted_on, found.lifted_why = on, why[:200]
    found.save(update_fields=["lifted_on", "lifted_why"])
    service.stopped_for &= ~reason
    if reason & IDLE and not service.stopped_for & IDLE:
        _pause(service, (on - since).days, on)
        service.unfunded_since = None
    if not service.stopped_for:
        operations.queue(service, Operation.Action.RESUME, f"suspension {found.pk} lifted")
        notify(service.account, "resumed", subject=service.pk, period=on, on=on)
    service.save(
        update_fields=["stopped_for", "status", "paid_until", "anchor_day", "unfunded_since"]
    )
    return True


def _idle_since(service: Service) -> date:
    """Give the day since which a service has had no time to bill, whatever reasons took turns."""
    rows = [s for s in service.suspensions.all() if s.reason & IDLE]
    since = min((s.on for s in rows if s.lifted_on is None), default=date.max)
    for row in sorted(rows, key=lambda s: s.on, reverse=True):
        if row.lifted_on is not None and row.on < since <= row.lifted_on:
            since = row.on
    return since


def _pause(service: Service, days: int, on: date) -> None:
    """Move a service's time on by the days it stood: they are not billed.

    So the days after its end on which it still ran, its grace, are billed by the next period.
    """
    if days <= 0 or service.product.type.bills_suspended:
        return
    start = service.paid_until
    service.paid_until = start + timedelta(days=days)
    if service.product.cycle != Cycle.CALENDAR:
        service.anchor_day = service.paid_until.day
    Charge.objects.create(
        service=service, account_id=service.account_id, kind=ChargeKind.PAUSE, period_start=start,
        period_end=service.paid_until, generation=service.generation, quantity=days, list_minor=0,
        net_minor=0, on=on,
    )  # fmt: skip


@transaction.atomic
def hold(service: Service, until: date | None, *, on: date) -> None:
    """Let billing and stops leave a service alone before a date; None ends that.

    Where it has ended meanwhile, billing decides on it when the hold ends.
    """
    service = lock(service)
    service.held_until = until
    service.save(update_fields=["held_until"])
    if until is None or until <= on:
        renewals.decide(service, on)


@transaction.atomic
def set_auto_renew(service: Service, *, on: bool, by: str, why: str = "") -> RenewalSwitch | None:
    """Switch a service's automatic renewal and record who did it; None where it was so already."""
    service = lock(service)
    _require_open(service)
    if service.auto_renew == on:
        return None
    service.auto_renew = on
    service.save(update_fields=["auto_renew"])
    return RenewalSwitch.objects.create(
        service=service, on=on, at=clock.now(), by=by, why=why[:200]
    )


def _require_open(service: Service) -> None:
    if service.status not in renewals.RENEWABLE:
        raise BillingError(
            f"service {service.number} is {service.get_status_display().lower()}",
            "only open services are stopped, held or switched",
        )


def _require_verdict(service: Service, reason: Reason, verdict: Verdict | None) -> None:
    if reason == Reason.MONEY and service.account.kind == Account.Kind.POSTPAID:
        raise BillingError(
            f"service {service.number} is of a postpaid account, which is not stopped for money",
            "stop it in the name of staff",
        )
    if reason & DECIDED and (verdict is None or verdict.service_id != service.pk):
        raise BillingError(
            f"there is no verdict to stop service {service.number} for {reason.name.lower()}",
            "let billing decide first, or stop it in the name of staff",
        )
