"""What was stopped, let run again or closed by itself on a date, or why nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from billclock.billing import notice_kinds as kinds
from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.concluding.billed import MOST_NAMED, named
from billclock.billing.letters.told import told_at
from billclock.billing.notifications import Notice
from billclock.billing.overdue import grace_over
from billclock.billing.services import Outcome, Reason, Service, Suspension, Verdict
from billclock.billing.verdicts import FOR_USE

JOB = "autosuspend"
UNPAID = (Outcome.UNFUNDED, Outcome.NO_AUTO_RENEWAL)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A service that billing would not renew by a date, and since when its people know of it."""

    service: Service
    reason: Reason
    told: datetime | None


def concluded(account: Account, on: date, service: Service | None = None) -> str:
    """Say in a sentence what was done to an account's services (or to one) on a date, or why not.

    Takes the same number of queries whatever there is.
    """
    mine = Service.objects.of(account.pk)
    if service is not None:
        mine = mine.filter(pk=service.pk)
    done = list(_done(mine, on))
    if done:
        return "; ".join(done)
    why = (
        looked.not_looked(JOB, account.provider, on)
        or "; ".join(_why(account, one, on) for one in _waiting(account, mine, on))
        or "nothing was unpaid, ended or over its most"
    )
    return f"nothing stopped on {on}: {why}"


def _done(mine: QuerySet[Service], on: date) -> Iterator[str]:
    """Tell of the stops that were made and lifted on a date, and of what was closed."""
    stops = Suspension.objects.filter(service__in=mine)
    made = defaultdict(list)
    found = stops.filter(on=on).order_by("reason", "id")
    for reason, number in found.values_list("reason", "service__number"):
        made[Reason(reason)].append(number)
    for reason, numbers in made.items():
        yield f"stopped on {on} for {reason.name.lower()}: {named(numbers)}"
    lifted = stops.filter(lifted_on=on).exclude(service__closed_on=on).order_by("id")
    numbers = list(dict.fromkeys(lifted.values_list("service__number", flat=True)))
    if numbers:
        yield f"let run again on {on}: {named(numbers)}"
    closed = list(mine.filter(closed_on=on).order_by("pk").values_list("number", flat=True))
    if closed:
        yield f"closed on {on}: {named(closed)}"


def _waiting(account: Account, mine: QuerySet[Service], on: date) -> list[Waiting]:
    """Give what ran on a date though billing had found nothing to renew it with."""
    verdicts = Verdict.objects.filter(
        service=OuterRef("pk"), on__lte=on, sequence__lt=FOR_USE
    ).order_by("-on", "-sequence")
    stood = Suspension.objects.filter(Q(lifted_on=None) | Q(lifted_on__gte=on), on__lte=on)
    found: QuerySet[Any] = (
        mine.filter(opened_on__lte=on)
        .exclude(closed_on__lte=on)
        .exclude(Exists(stood.filter(service=OuterRef("pk"))))
        .annotate(outcome=Subquery(verdicts.values("outcome")[:1]))
        .filter(outcome__in=UNPAID)
        .select_related("account__client", "account__group", "account__provider", "product")
        .order_by("pk")
    )
    waiting = list(found[:MOST_NAMED])
    told = _told(account, waiting, on) if waiting else {}
    return [
        Waiting(
            one,
            Reason.MONEY if one.outcome == Outcome.UNFUNDED else Reason.EXPIRED,
            told[one.pk],
        )
        for one in waiting
    ]


def _told(account: Account, waiting: Sequence[Any], on: date) -> dict[int, datetime | None]:
    """Give, by service, since when its people know: of missing money, or of its end."""
    unfunded = _known(account, on)
    ended = told_at(
        kinds.EXPIRING.name, account=OuterRef("account"), period=OuterRef("paid_until"),
        subject=OuterRef("pk"), threshold=None,
    )  # fmt: skip
    keys = [one.pk for one in waiting]
    of_ends = dict(
        Service.objects.filter(pk__in=keys).annotate(told=ended).values_list("pk", "told")
    )
    return {
        one.pk: unfunded if one.outcome == Outcome.UNFUNDED else of_ends[one.pk] for one in waiting
    }


def _known(account: Account, on: date) -> datetime | None:
    """Give since when an account knew by a date that money lacked; None where it did not."""
    notices = Notice.objects.filter(
        account=account, kind=kinds.NOT_RENEWED.name, subject=0, on__lte=on
    )
    known = notices.annotate(
        at=told_at(kinds.NOT_RENEWED.name, account=OuterRef("account"), period=OuterRef("period"))
    )
    last: Any = known.order_by("-on", "-id").first()
    at: datetime | None = last.at if last is not None else None
    return at if at is not None and looked.dated(account.provider, at) <= on else None


def _why(account: Account, one: Waiting, on: date) -> str:
    """Say what kept a service running on a date."""
    number, provider = one.service.number, account.provider
    what = "was unpaid" if one.reason == Reason.MONEY else "had ended"
    if exempt := _exempt(account, one.service):
        return f"{number} {what}; {exempt}"
    if one.reason == Reason.MONEY and account.kind == Account.Kind.POSTPAID:
        return f"{number} {what}; its account is postpaid, and not stopped for money"
    if one.told is None or looked.dated(provider, one.told) > on:
        return f"{number} {what}; its people did not know of it by then"
    days = one.service.product.grace_days
    grace = provider.grace_days if days is None else days
    over = grace_over(provider, one.reason, one.told, grace, one.service.paid_until)
    if over > on:
        return f"{number} {what}; its grace was over on {over} only"
    return (
        f"{number} {what}; it was put off by a payment on its way, quiet hours, a holiday or a hold"
    )


def _exempt(account: Account, service: Service) -> str:
    """Say who is exempt from stops by now; "" for nobody."""
    exempt: Sequence[tuple[str, bool]] = (
        ("the service", service.never_suspended),
        ("its account", account.never_suspended),
        ("its client", account.client.never_suspended),
        ("its group", bool(account.group and account.group.never_suspended)),
    )
    whose = next((whose for whose, never in exempt if never), "")
    return f"{whose} is exempt from stops" if whose else ""
