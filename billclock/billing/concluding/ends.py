"""What was told of a service's end, and of its updates' end, on a date, or why nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from billclock.billing import notice_kinds as kinds
from billclock.billing.concluding import looked
from billclock.billing.forecast import crossed
from billclock.billing.notifications import Notice
from billclock.billing.services import Service

JOB = "warnupdateexpiredate"
KINDS = (kinds.EXPIRING, kinds.UPDATES_ENDING)


def concluded(service: Service, on: date) -> str:
    """Say in a sentence which letters about its ends a service had on a date, or why none."""
    names = [kind.name for kind in KINDS]
    letters = looked.told(service.account_id, names, [service.pk], on)
    if letters:
        written = [f"{one.kind} at {one.threshold} days" for one in letters]
        return f"told on {on}: {'; '.join(written)}"
    provider = service.account.provider
    why = (
        looked.not_looked(JOB, provider, on)
        or looked.not_open(service, on)
        or looked.stopped(service, on, whole=True)
        or "; ".join(_of_each(service, on))
    )
    return f"no letter on {on}: {why}"


def _of_each(service: Service, on: date) -> Iterable[str]:
    """Give why its end was not told, and where it has updates, why their end was not."""
    at = looked.looked_at(JOB, service.account.provider, on)
    if looked.renewing(service, at):
        yield "it was renewed by itself, so billing tells of it"
    else:
        ends = looked.ends_by_then(service, on)
        yield _first(ends, lambda end: _not_crossed(service, kinds.EXPIRING, end, on), service, on)
    if service.updates_until is not None:
        until = [service.updates_until]
        said = _first(
            until, lambda end: _not_crossed(service, kinds.UPDATES_ENDING, end, on), service, on
        )
        yield f"its updates: {said}"


def _first(ends: list[date], why: Callable[[date], str], service: Service, on: date) -> str:
    """Give the first reason there is; without one it was changed later that day."""
    found = next(filter(None, map(why, ends)), "")
    return found or looked.stopped(service, on, whole=False) or looked.CHANGED


def _not_crossed(service: Service, kind: kinds.Kind, end: date, on: date) -> str:
    """Say why an end called for no letter on a date; "" where it did."""
    days, thresholds = (end - on).days, service.account.provider.expiry_days
    if days < 0:
        return f"the end was on {end}, before that date"
    over = crossed(days, thresholds)
    if over is None:
        first = f"the first letter goes out {max(thresholds)} days before" if thresholds else ""
        return f"the end was {days} days away, on {end}; {first or 'no letters are written of it'}"
    told = Notice.objects.filter(
        account=service.account_id, kind=kind.name, subject=service.pk, period=end,
        threshold=over[0], on__lt=on,
    ).first()  # fmt: skip
    if told is None:
        return ""
    later = max((one for one in thresholds if one < over[0]), default=None)
    then = f"the next one goes out at {later}" if later is not None else "there is no later one"
    return f"the letter at {over[0]} days was written on {told.on}, {then}"
