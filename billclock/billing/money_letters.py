"""What an account was told of its money on a date, or why nothing: from stored facts alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from billclock.billing import notice_kinds as kinds
from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.forecast import Outlook, crossed
from billclock.billing.notifications import Notice
from billclock.billing.payments import Attempt, Payment

JOB = "warnmoney"
KINDS = (kinds.LOW_MONEY, kinds.CREDIT_NEAR, kinds.CREDIT_REACHED, kinds.TOP_UP_FAILED)


def concluded(account: Account, on: date, outlook: Outlook | None) -> str:
    """Say in a sentence what an account was told on a date, or why nothing.

    `outlook` is its forecast by now, and counts for today alone: those of days that are over are
    not kept, and what was written on them says what came of them.
    """
    told = [f"{one.kind} {one.threshold}" for one in _letters(account).filter(on=on)]
    if told:
        return f"told on {on}: {'; '.join(told)}"
    reasons = _by_now(account, on, outlook) if on >= account.provider.today() else ()
    found = (
        looked.not_looked(JOB, account.provider, on)
        or next(iter(reasons), "")
        or _back_then(account, on)
    )
    return f"no letter on {on}: {found}"


def _letters(account: Account) -> QuerySet[Notice]:
    """Give the letters about an account's money that were written, not those superseded."""
    names = [kind.name for kind in KINDS]
    found = Notice.objects.filter(account=account, kind__in=names).exclude(message="")
    return found.order_by("on", "id")


def _by_now(account: Account, on: date, outlook: Outlook | None) -> Iterator[str]:
    """Give what keeps today's letter away, by the forecast that was just made."""
    if outlook is None:
        yield "its money lasts for the month to come"
        return
    yield from _under_way(account, on)
    days, thresholds = (outlook.ends_on - on).days, account.provider.low_money_days
    over = crossed(days, thresholds)
    if over is None:
        first = f"the first letter goes out {max(thresholds)} days before" if thresholds else ""
        yield f"its money ends in {days} days; {first or 'its provider writes no such letters'}"
        return
    told = Notice.objects.filter(
        account=account, kind=kinds.LOW_MONEY.name, period=outlook.since, threshold=over[0]
    ).first()
    if told is None:
        yield "it has less than when the run of that date looked: the next run writes to it"
        return
    later = max((one for one in thresholds if one < over[0]), default=None)
    then = f"the next one goes out at {later}" if later is not None else "there is no later one"
    yield f"the letter at {over[0]} days was written on {told.on}, {then}"


def _back_then(account: Account, on: date) -> str:
    """Say what stored facts show of a day whose run was done and wrote nothing to the account."""
    for known in (*_topped_up(account, on), *_under_way(account, on)):
        return known
    before = _letters(account).filter(on__lt=on).last()
    if before is None:
        return "no threshold was crossed, and none had been before"
    return (
        f"no threshold was newly crossed; the last letter before was {before.kind}"
        f" {before.threshold} on {before.on}"
    )


def _topped_up(account: Account, on: date) -> Iterator[str]:
    paid = account.payments.filter(purpose=Payment.Purpose.TOP_UP, credited_on=on).first()
    if paid is not None:
        yield f"its balance was topped up by payment {paid.number}"


def _under_way(account: Account, on: date) -> Iterator[str]:
    """Name a payment that was under way on a date: who is paying is left alone."""
    zone = ZoneInfo(account.provider.zone)
    first = datetime.combine(on, time.min, zone).astimezone(UTC)
    going = Q(settled_at=None) | Q(settled_at__gte=first)
    found = Attempt.objects.filter(
        going, payment__account=account, created_at__lt=first + timedelta(days=1)
    )
    attempt = found.select_related("payment").order_by("id").first()
    if attempt is not None:
        yield f"payment {attempt.payment.number} was under way"
