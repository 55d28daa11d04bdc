"""Why a service is stopped, or is not: every condition of the gate, with dates, for one service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from billclock.billing import overdue
from billclock.billing.clients import Account
from billclock.billing.explaining import Day, letter_text, verdict_text
from billclock.billing.notifications import SUPERSEDED, Notice
from billclock.billing.paying import OPEN as IN_FLIGHT
from billclock.billing.payments import Attempt
from billclock.billing.progress import JobRun, Parked
from billclock.billing.services import IDLE, Operation, Outcome, Reason, Service

JOB = "autosuspend"


def explain(service: Service, *, on: date) -> Iterator[str]:
    """Say whether a service is stopped, what would stop it, and what keeps it from that."""
    related = ("account__provider", "account__client", "account__group", "product__type")
    service = Service.objects.select_related(*related).get(pk=service.pk)
    day = Day(service, on)
    yield from _now(day)
    yield from _causes(day)
    yield from _exemptions(day)
    yield from _gate(day)
    yield from _operations(service)


def _now(day: Day) -> Iterator[str]:
    service = day.service
    state, switch = service.get_status_display().lower(), "on" if service.auto_renew else "off"
    yield f"{service.number} is {state}, paid until {service.paid_until}, renewal is {switch}"
    for stop in service.suspensions.filter(lifted_on=None).select_related("verdict"):
        by = f" by {stop.by}" if stop.by else ""
        said = f": {verdict_text(day, stop.verdict)}" if stop.verdict else ""
        yield f"stopped since {stop.on} for {Reason(stop.reason).name.lower()}{by}{said}"
        yield from _closing(service, stop.on, Reason(stop.reason))


def _closing(service: Service, since: date, reason: Reason) -> Iterator[str]:
    product, provider = service.product, service.account.provider
    days = product.type.deletion_days if product.deletion_days is None else product.deletion_days
    if not reason & IDLE or days is None:
        return
    if provider.deletes_suspended:
        yield f"it is closed on {since + timedelta(days=days)} if it is not paid before"
    else:
        yield f"it is not closed by itself: {provider.code} does not close what is stopped"


def _causes(day: Day) -> Iterator[str]:
    """Tell of what billing found, and whether its people know."""
    service = day.service
    if service.unfunded_since is not None:
        refused = service.verdicts.filter(outcome=Outcome.UNFUNDED)
        last = refused.order_by("-on", "-sequence").first()
        said = verdict_text(day, last) if last else "no verdict says so"
        yield f"without money since {service.unfunded_since}: {said}"
        yield from _told(service, "not_renewed", 0, service.unfunded_since)
    elif service.paid_until <= day.on and not service.auto_renew:
        yield f"it ended on {service.paid_until} and is not renewed by itself"
        yield from _told(service, "expiring", service.pk, service.paid_until)
    else:
        yield f"billing has found nothing to stop it for: it is paid until {service.paid_until}"
    for used in overdue.beyond_most(service.account.provider).filter(service=service):
        yield f"{used.addon.code}: {used.used} in use, at most {used.addon.most} are allowed"
        yield from _told(service, "addon_over", service.pk, day.on.replace(day=1))


def _told(service: Service, kind: str, subject: int, period: date) -> Iterator[str]:
    notices = Notice.objects.filter(
        account=service.account_id, kind=kind, subject=subject, period=period
    ).exclude(why_not=SUPERSEDED)
    for notice in notices.order_by("on", "id"):
        yield f"its people were told on {notice.on}: {letter_text(notice)}"
    if not notices:
        yield f"its people were not told yet ({kind})"


def _exemptions(day: Day) -> Iterator[str]:
    """Tell of everything that keeps the service from being stopped."""
    service, account = day.service, day.service.account
    exempt = {
        "the service": service.never_suspended,
        f"account {account.number}": account.never_suspended,
        f"client {account.client.number}": account.client.never_suspended,
        f"group {account.group.name if account.group else ''}": bool(
            account.group and account.group.never_suspended
        ),
    }
    for whose, never in exempt.items():
        if never:
            yield f"{whose} is exempt from stops"
    if account.kind == Account.Kind.POSTPAID:
        yield f"account {account.number} is postpaid and is not stopped for money"
    if service.held_until is not None and service.held_until > day.on:
        yield f"held until {service.held_until}"
    parked = Parked.objects.filter(account=account).first()
    if parked is not None:
        yield f"account {account.number} is parked: {parked.reason}"
    flying = Attempt.objects.filter(payment__account=account, state__in=IN_FLIGHT)
    for attempt in flying.order_by("id"):
        yield f"payment attempt {attempt.key} is {attempt.state} since {attempt.created_at:%F %R}"


def _gate(day: Day) -> Iterator[str]:
    """Tell when its grace is over, and what the job would do now."""
    service, due = day.service, False
    thinkable = {
        Reason.MONEY: service.unfunded_since is not None,
        Reason.EXPIRED: not service.auto_renew,
        Reason.ADDON: service.addons.exists(),
    }
    for reason in (reason for reason, may_be in thinkable.items() if may_be):
        over = _grace_over(day, reason)
        if over is not None:
            yield f"{reason.name.lower()}: its grace is over on {over}"
            due |= over <= day.on
            if over <= day.on:
                yield f"it is to be stopped for {reason.name.lower()} at the next run"
    yield from _put_off(day) if due else ["nothing stops it at the next run"]


def _grace_over(day: Day, reason: Reason) -> date | None:
    """Ask the gate; None where it leaves the service out, or its people do not know."""
    service, provider = day.service, day.service.account.provider
    found = overdue.CANDIDATES[reason](provider, day.on).filter(pk=service.pk)
    row = found.exclude(told=None).values_list("told", "grace").first()
    if row is None:
        return None
    told, grace = row
    return overdue.grace_over(provider, reason, told, grace, service.paid_until)


def _put_off(day: Day) -> Iterator[str]:
    """Tell of what keeps the job from stopping anything at all."""
    provider = day.service.account.provider
    hindered = overdue.quiet(provider) or overdue.behind(provider, day.on)
    if hindered:
        yield f"put off: {hindered}"
    stopped = JobRun.objects.filter(job=JOB, provider=provider, state=JobRun.State.STOPPED)
    waiting = stopped.filter(allowed_at=None).order_by("-on").first()
    if waiting is not None:
        yield f"the run of {waiting.on} waits for approval: {waiting.stopped_by}"


def _operations(service: Service) -> Iterator[str]:
    states = (Operation.State.QUEUED, Operation.State.RUNNING, Operation.State.GIVEN_UP)
    for operation in service.operations.filter(state__in=states).order_by("id"):
        why = f": {operation.last_error}" if operation.last_error else ""
        yield f"operation {operation.pk}, {operation.action}, is {operation.state}{why}"
