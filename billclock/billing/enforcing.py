"""Stopping, letting run and closing by themselves: each service decided anew under its lock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum, auto
from itertools import islice

from django.db import transaction

from billclock import clock
from billclock.billing import changing, orders, overdue, pricing, quoting, stopping
from billclock.billing.catalog import Cycle
from billclock.billing.errors import BillingError, LimitError, NotEnoughMoneyError
from billclock.billing.letters.told import TASK
from billclock.billing.notice_kinds import KINDS
from billclock.billing.notifications import notify
from billclock.billing.provider import Provider
from billclock.billing.services import (
    IDLE,
    Outcome,
    Reason,
    Service,
    ServiceAddOn,
    Suspension,
    Task,
    Verdict,
    lock,
)
from billclock.billing.verdicts import next_sequence
from billclock.outbox.models import Message, State

FEW = 10
"""So many services may always be stopped or closed at once, whatever share they are."""

MILLION = 1_000_000

AT_ONCE = 500
"""Services priced together, in one set of statements."""


class Done(Enum):
    """What came of a service that was to be stopped."""

    STOPPED = auto()
    RENEWED = auto()
    NO_LONGER_SO = auto()


@transaction.atomic
def stop(service: Service, reason: Reason, *, on: date, laid_out: bool = False) -> Done:
    """Stop a service for what billing found, if it is still so; what can pay is renewed instead."""
    service = lock(service)
    if reason == Reason.MONEY and _paid(service, on, laid_out=laid_out):
        return Done.RENEWED
    provider = service.account.provider
    noticed = overdue.noticed(provider, on, service=service.pk, reasons=(reason,))
    if not overdue.to_stop(noticed, on):
        return Done.NO_LONGER_SO
    verdict = _over_most(service, on) if reason == Reason.ADDON else _verdict(service, reason)
    stopping.suspend(service, reason, on=on, by="autosuspend", verdict=verdict)
    return Done.STOPPED


def payable(provider: Provider, on: date) -> Iterator[Service]:
    """Give what waits for money that may suffice by now, and lay out the date's prices for it.

    Some at a time are priced together, so that who pays in parts is not tried one by one each
    hour. What stood for money and is not billed by whole periods may cost less than it would have
    from its end on: that is tried.
    """
    waiting = overdue.to_resume(provider).select_related("product").iterator()
    while some := list(islice(waiting, AT_ONCE)):
        pricing.lay_out(provider, on)
        needs = quoting.needs(provider, [service.pk for service in some if _fixed(service)], on)
        for service in some:
            need = service.need if service.paid_until > on else needs.get(service.pk)
            if service.spendable >= (need or 0):
                yield service


def _fixed(service: Service) -> bool:
    """Tell whether what a service costs does not depend on the day on which it runs again."""
    return service.product.cycle == Cycle.PERIODIC or not service.stopped_for & IDLE


@transaction.atomic
def resume(service: Service, *, on: date, laid_out: bool = False) -> bool:
    """Renew what waited for money, and let it run; False where the money does not suffice yet."""
    service = lock(service)
    waits = service.unfunded_since is not None or service.stopped_for & IDLE
    return bool(waits) and _paid(service, on, laid_out=laid_out)


@transaction.atomic
def resume_within_most(service: Service, *, on: date) -> bool:
    """Let a service run that was stopped for an add-on and uses no more than its most by now."""
    service = lock(service)
    if _worst(service) is not None:
        return False
    return stopping.lift(service, Reason.ADDON, on=on, why="less is in use")


@transaction.atomic
def close(suspension: Suspension, *, on: date) -> bool:
    """Close a service whose time to be paid again is over, if that is still so."""
    service = lock(suspension.service)
    due = overdue.to_close(service.account.provider, on, service=service.pk).first()
    if due is None:
        return False
    why = f"it has stood since {due.on} and was not paid"
    changing.close(service, on=on, why=why, by="autosuspend")
    return True


@transaction.atomic
def tell(service: Service, *, on: date) -> bool:
    """Tell a service's people of what it will be stopped for; False where they were told before.

    Whoever no letter reaches becomes a task for staff, whose end counts as the news.
    """
    service = lock(service)
    worst = _worst(service)
    if worst is not None:
        facts = {"addon": worst.addon.name, "used": worst.used, "most": worst.addon.most}
        notice = notify(
            service.account, "addon_over", subject=service.pk, period=on.replace(day=1), on=on,
            facts=facts,
        )  # fmt: skip
    else:
        notice = notify(
            service.account, "expiring", subject=service.pk, period=service.paid_until, on=on
        )
    lost = Message.objects.filter(
        dedupe_key=notice.message, state__in=(State.FAILED, State.DROPPED), sent_at=None
    )
    message = lost.first()
    if message is not None:
        Task.objects.get_or_create(
            key=notice.message,
            defaults={
                "kind": TASK,
                "subject": f"Tell account {service.account.number}: {KINDS[notice.kind].title}",
                "text": message.last_error, "service": service, "account_id": service.account_id,
                "created_at": clock.now(),
            },
        )  # fmt: skip
    return notice.on == on


def require_few(provider: Provider, count: int, what: str, told: str) -> None:
    """Raise LimitError where more services than usual would be stopped or closed at once."""
    if count <= FEW:
        return
    running = overdue.running(provider)
    if count * MILLION > provider.most_suspended_ppm * max(running, 1):
        share = 100 * count / max(running, 1)
        raise LimitError(
            f"{count} services of {provider.code} would be {what} at once, {share:.1f} % of the"
            f" {running} that run; allowed are {provider.most_suspended_ppm / 10_000:g} %. {told}"
        )


def _paid(service: Service, on: date, *, laid_out: bool) -> bool:
    """Renew a locked service if its account can pay."""
    if service.paid_until > on:
        return _use_paid(service, on)
    if not (service.auto_renew and _free(service, on)):
        return False
    try:
        orders.renew(service, on=on, laid_out=laid_out)
    except NotEnoughMoneyError:
        return False
    return True


def _free(service: Service, on: date) -> bool:
    return service.held_until is None or service.held_until <= on


def _use_paid(service: Service, on: date) -> bool:
    """Forgive the days of use that an account could not pay, once it can: none is charged later."""
    numbers = Service.objects.filter(pk=service.pk).annotate(
        spendable=overdue.spendable(), need=overdue.last_need()
    )
    spendable, need = numbers.values_list("spendable", "need").get()
    if service.unfunded_since is None or need is None or spendable < need:
        return False
    stopping.release(service, Reason.MONEY, on=on, why="can be paid again")
    service.unfunded_since = None
    service.save(update_fields=["unfunded_since"])
    return True


def _verdict(service: Service, reason: Reason) -> Verdict:
    """Give the last verdict that a stop for a reason rests on."""
    outcome = Outcome.UNFUNDED if reason == Reason.MONEY else Outcome.NO_AUTO_RENEWAL
    verdict = service.verdicts.filter(outcome=outcome).order_by("-on", "-sequence").first()
    if verdict is None:
        raise BillingError(f"no verdict says that service {service.number} is to be stopped")
    return verdict


def _over_most(service: Service, on: date) -> Verdict:
    """Write the verdict that more is in use than the most, with both numbers."""
    worst = _worst(service)
    if worst is None:
        raise BillingError(f"service {service.number} uses no more than it may")
    return Verdict.objects.create(
        service=service, on=on, sequence=next_sequence([service.pk], on),
        outcome=Outcome.OVER_MOST, need_minor=worst.used, available_minor=worst.addon.most or 0,
    )  # fmt: skip


def _worst(service: Service) -> ServiceAddOn | None:
    """Give the first add-on that is in use beyond its most."""
    over = overdue.beyond_most(service.account.provider).filter(service=service)
    return over.select_related("addon").order_by("addon").first()
