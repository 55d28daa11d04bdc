"""What all conclusions begin with: whether a run looked at the date, and what was so by then."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max, Min, Q

from billclock.billing.charges import TILES
from billclock.billing.notifications import Notice
from billclock.billing.progress import JobRun, Watermark
from billclock.billing.provider import Provider
from billclock.billing.services import Reason, Service

CHANGED = "it was changed after the run of that date had looked"


def not_looked(job: str, provider: Provider, on: date) -> str:
    """Say that no run of a job looked at a provider's date; "" where one did."""
    mark = Watermark.objects.filter(job=job, provider=provider).first()
    if mark is None:
        return f"{job} never ran"
    if mark.on < on:
        return f"{job} was done up to {mark.on}"
    runs = JobRun.objects.filter(job=job, provider=provider, state=JobRun.State.DONE)
    if runs.filter(on=on).exists():
        return ""
    after = runs.filter(on__gt=on).order_by("on").first()
    then = f"; the run of {after.on} looked at what was so by then" if after else ""
    return f"{job} did not run for that date{then}"


def looked_at(job: str, provider: Provider, on: date) -> datetime:
    """Give the moment a date's run was done; of a date without one its end."""
    run = JobRun.objects.filter(job=job, provider=provider, on=on).first()
    return run.finished_at if run and run.finished_at else bounds(provider, on)[1]


def bounds(provider: Provider, on: date) -> tuple[datetime, datetime]:
    """Give a provider's date as its first moment and the next one's."""
    zone = ZoneInfo(provider.zone)
    first, after = (
        datetime.combine(day, time.min, zone).astimezone(UTC) for day in (on, on + timedelta(1))
    )
    return first, after


def dated(provider: Provider, moment: datetime) -> date:
    """Give a moment's date where a provider is."""
    return moment.astimezone(ZoneInfo(provider.zone)).date()


def told(account: int, kinds: list[str], subjects: list[int], on: date) -> list[Notice]:
    """Give the letters of some kinds that were written on a date, not those superseded."""
    found = Notice.objects.filter(account=account, kind__in=kinds, subject__in=subjects, on=on)
    return list(found.exclude(message="").order_by("id"))


def not_open(service: Service, on: date) -> str:
    """Say that a service was not there on a date; "" where it was."""
    if on < service.opened_on:
        return f"it was opened on {service.opened_on} only"
    if service.closed_on is not None and on >= service.closed_on:
        return f"it has been closed since {service.closed_on}"
    return ""


def stopped(service: Service, on: date, *, whole: bool) -> str:
    """Say that a service stood on a date: all of it, or with `whole` false a part; else ""."""
    stops = service.suspensions.order_by("on", "id")
    if whole:
        stops = stops.filter(Q(lifted_on=None) | Q(lifted_on__gt=on), on__lt=on)
    else:
        stops = stops.filter(Q(lifted_on=None) | Q(lifted_on__gte=on), on__lte=on)
    stop = stops.first()
    return f"it stood since {stop.on} for {Reason(stop.reason).name.lower()}" if stop else ""


def renewing(service: Service, at: datetime) -> bool:
    """Tell whether a service was renewed by itself at a moment, by its switches."""
    switches = service.renewal_switches
    before = switches.filter(at__lte=at).order_by("-at", "-id").first()
    if before is not None:
        return before.on
    after = switches.filter(at__gt=at).order_by("at", "id").first()
    return not after.on if after is not None else service.auto_renew


def paid_until(service: Service, on: date, *, after: bool) -> date:
    """Give until when a service was paid on a date, before its charges or `after` them."""
    made = Q(on__lte=on) if after else Q(on__lt=on)
    gone = Q(reversal__on__lte=on) if after else Q(reversal__on__lt=on)
    tiles = service.charges.filter(addon=0, kind__in=TILES).exclude(gone)
    ends = tiles.filter(made).aggregate(end=Max("period_end"))["end"]
    if ends is not None:
        return ends  # type: ignore[no-any-return]
    begins = tiles.exclude(made).aggregate(begin=Min("period_start"))["begin"]
    return begins or service.paid_until


def ends_by_then(service: Service, on: date) -> list[date]:
    """Give until when a service was paid on a date: as it began, and as its charges left it."""
    found = [paid_until(service, on, after=after) for after in (False, True)]
    return list(dict.fromkeys(found))
