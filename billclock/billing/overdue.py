"""Which services are to be stopped, let run again or closed by themselves: one gate for all.

The queries that find candidates among very many are those that an act asks again under the lock,
and those that explain a single one. `on` is the provider's date.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from billclock import clock
from billclock.billing.clients import Account
from billclock.billing.letters.told import told_at
from billclock.billing.paying import OPEN as IN_FLIGHT
from billclock.billing.payments import Attempt
from billclock.billing.progress import Parked, Watermark
from billclock.billing.provider import Provider
from billclock.billing.services import (
    IDLE,
    Outcome,
    Reason,
    Service,
    ServiceAddOn,
    Suspension,
    Verdict,
)

# The numbers written out: only so does SQLite see that its indexes of such services serve.
OPEN = Func(F("status"), template="%(expressions)s IN (2, 3, 5)", output_field=BooleanField())
ENDING = Func(F("auto_renew"), template="NOT %(expressions)s", output_field=BooleanField())
STOPPED = Func(F("stopped_for"), template="%(expressions)s > 0", output_field=BooleanField())

Found: TypeAlias = QuerySet[Any]
"""Services or suspensions with annotations of their own."""

DECIDED = (Reason.MONEY, Reason.EXPIRED, Reason.ADDON)
"""Reasons that billing finds, in the order in which they are looked for."""

BILLING = "billdaily"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A service that a reason would stop, and from which day on: none before its people know."""

    service: int
    number: str
    reason: Reason
    grace_over: date | None


def noticed(
    provider: Provider,
    on: date,
    *,
    service: int | None = None,
    reasons: Collection[Reason] = DECIDED,
) -> list[Candidate]:
    """Give what may be stopped, of a provider's services or of one; held, exempt … are left out.

    Each reason's query is asked once, for who has to be told and for who is to be stopped.
    """
    found = []
    for reason in reasons:
        if reason == Reason.ADDON and not beyond_most(provider).exists():
            continue
        query = CANDIDATES[reason](provider, on)
        chosen = query if service is None else query.filter(pk=service)
        facts = chosen.order_by("pk").values_list("pk", "number", "told", "grace", "paid_until")
        for key, number, told, grace, ended in facts.iterator():
            over = None if told is None else grace_over(provider, reason, told, grace, ended)
            found.append(Candidate(key, number, reason, over))
    return found


def to_stop(found: Iterable[Candidate], on: date) -> list[Candidate]:
    """Give what is past its grace.

    Grace counts from the day on which the client's people were first told: a letter that waits,
    or that nobody took, begins none.
    """
    return [one for one in found if one.grace_over is not None and one.grace_over <= on]


def untold(found: Iterable[Candidate]) -> dict[int, Candidate]:
    """Give, by service, what has ended, or uses too much, and whose people do not know yet."""
    # of missing money billing tells by itself
    unknown = [one for one in found if one.grace_over is None and one.reason != Reason.MONEY]
    return {one.service: one for one in sorted(unknown, key=lambda one: one.service)}


def grace_over(provider: Provider, reason: Reason, told: datetime, grace: int, ended: date) -> date:
    """Give the day from which a service may be stopped, `grace` days after its people knew."""
    since = told.astimezone(ZoneInfo(provider.zone)).date()
    if reason == Reason.EXPIRED:  # people are told of an end beforehand
        since = max(since, ended)
    return since + timedelta(days=grace)


def unfunded(provider: Provider, on: date) -> Found:
    """Give the services that billing found no money for."""
    unpaid = Service.objects.exclude(unfunded_since=None).filter(
        Q(auto_renew=True) | Q(paid_until__gt=on),
        _verdict(Outcome.UNFUNDED, on__gte=OuterRef("unfunded_since")),
    )
    told = told_at("not_renewed", account=OuterRef("account"), period=OuterRef("unfunded_since"))
    found = _stoppable(unpaid, provider, on, IDLE)
    return _annotated(found, told=told, grace=_grace())


def expired(provider: Provider, on: date) -> Found:
    """Give the services that have ended and are not renewed by themselves."""
    ended = Service.objects.filter(
        ENDING, _verdict(Outcome.NO_AUTO_RENEWAL, on__gte=OuterRef("paid_until")),
        paid_until__lte=on,
    )  # fmt: skip
    told = told_at(
        "expiring", account=OuterRef("account"), period=OuterRef("paid_until"),
        subject=OuterRef("pk"), threshold=None,
    )  # fmt: skip
    found = _stoppable(ended, provider, on, IDLE, postpaid=True)
    return _annotated(found, told=told, grace=_grace())


def over_most(provider: Provider, on: date) -> Found:
    """Give the services with an add-on in use beyond its most; the news is all their grace."""
    over: Found = Service.objects.filter(pk__in=beyond_most(provider).values("service"))
    told = told_at(
        "addon_over", account=OuterRef("account"), period=on.replace(day=1), subject=OuterRef("pk")
    )
    over = _stoppable(over, provider, on, Reason.ADDON, postpaid=True)
    return _annotated(over, told=told, grace=Value(0))


CANDIDATES: Mapping[Reason, Callable[[Provider, date], Found]] = {
    Reason.MONEY: unfunded,
    Reason.EXPIRED: expired,
    Reason.ADDON: over_most,
}
"""By reason the services it would stop, with `told` (a moment or null) and `grace` (days)."""


def beyond_most(provider: Provider) -> Found:
    """Give the add-ons in use beyond their most."""
    return ServiceAddOn.objects.filter(
        addon__product__provider=provider, addon__most__isnull=False, used__gt=F("addon__most")
    )


def to_resume(provider: Provider) -> Found:
    """Give what waits for money and whose account has some to spend, the oldest of each first.

    `need` is what its last verdict wanted; only a renewal tells what it costs by now.
    """
    waiting = Service.objects.filter(
        Q(unfunded_since__isnull=False) | Q(pk__in=_expired_and_switched_on()), OPEN,
        account__provider=provider,
    )  # fmt: skip
    on = provider.today()
    waiting = waiting.filter(Q(held_until=None) | Q(held_until__lte=on))
    waiting = waiting.filter(Q(auto_renew=True) | Q(paid_until__gt=on))
    return (
        waiting.exclude(_parked())
        .annotate(spendable=spendable(), need=last_need())
        .filter(spendable__gt=0)
        .order_by("account", "paid_until", "pk")
    )


def to_close(provider: Provider, on: date, *, service: int | None = None) -> Found:
    """Give the suspensions for money, or after the end, whose services are to be closed by now.

    Only what billing stopped and nobody else, and whose people know that it was stopped.
    `service` asks about one alone, so that an act on it does not go over all of the provider's.
    """
    if not provider.deletes_suspended:
        return Suspension.objects.none()
    stopped: Found = Service.objects.filter(STOPPED).annotate(
        others=F("stopped_for").bitand(~int(IDLE | Reason.ADDON))
    )
    stopped = _stoppable(stopped.filter(others=0), provider, on, 0, postpaid=True)
    days = Coalesce(
        F("service__product__deletion_days"), F("service__product__type__deletion_days"),
        output_field=IntegerField(null=True),
    )  # fmt: skip
    told = told_at(
        "suspended", account=OuterRef("service__account"), period=OuterRef("on"),
        subject=OuterRef("service"), threshold=OuterRef("reason"),
    )  # fmt: skip
    rows = Suspension.objects.filter(
        lifted_on=None, reason__in=(Reason.MONEY, Reason.EXPIRED), service__in=stopped.values("pk")
    )
    if service is not None:
        rows = rows.filter(service=service)
    rows = rows.annotate(days=days).exclude(days=None)
    over = Q(pk__in=())
    for length in rows.values_list("days", flat=True).distinct():
        over |= Q(days=length, on__lte=on - timedelta(days=length))
    known: Found = rows.filter(over).annotate(told=told).exclude(told=None)
    return known.select_related("service").order_by("pk")


def no_longer_over(provider: Provider) -> Found:
    """Give the services stopped for an add-on that is not over its most any more."""
    return Service.objects.filter(
        STOPPED,
        Exists(
            Suspension.objects.filter(service=OuterRef("pk"), reason=Reason.ADDON, lifted_on=None)
        ),
        account__provider=provider,
    ).exclude(pk__in=beyond_most(provider).values("service"))


def running(provider: Provider) -> int:
    """Count a provider's services that run."""
    found = Service.objects.filter(OPEN, account__provider=provider, stopped_for=0)
    return found.count()


def quiet(provider: Provider) -> str:
    """Say why nothing is stopped at this hour: a holiday, or the quiet hours; "" at any other."""
    now = clock.now().astimezone(ZoneInfo(provider.zone))
    if {now.date().isoformat(), f"{now:%m-%d}"} & set(provider.holidays):
        return f"{now.date()} is a holiday"
    since, until = provider.quiet_from, provider.quiet_until
    if since is None or until is None or since == until:
        return ""
    at = now.time()
    within = since <= at < until if since < until else at >= since or at < until
    return f"quiet hours are from {since:%H:%M} to {until:%H:%M}" if within else ""


def behind(provider: Provider, on: date) -> str:
    """Say that billing is behind, so that nothing is known of today; "" where it is not."""
    mark = Watermark.objects.filter(job=BILLING, provider=provider).first()
    if mark is None:
        return "nothing was billed yet"
    if mark.on < on - timedelta(days=1):
        return f"the last date that was billed is {mark.on}"
    return ""


def spendable() -> Combinable:
    """Give, for an annotation of services, what their account may spend, in minor units."""
    floor = Case(
        When(account__credit_blocked=True, then=Value(0)),
        default=F("account__funds__floor_minor"),
        output_field=BigIntegerField(),
    )
    return ExpressionWrapper(F("account__funds__balance_minor") - floor, BigIntegerField())


def last_need() -> Subquery:
    """Give, for an annotation of services, what their last renewal without money needed."""
    refused = Verdict.objects.filter(service=OuterRef("pk"), outcome=Outcome.UNFUNDED)
    return Subquery(refused.order_by("-on", "-sequence").values("need_minor")[:1])


def _stoppable(
    found: Found, provider: Provider, on: date, but: int, *, postpaid: bool = False
) -> Found:
    """Leave out what nothing stops by itself, and what stands for one of the reasons `but`."""
    if not postpaid:
        found = found.exclude(account__kind=Account.Kind.POSTPAID)
    flying = Attempt.objects.filter(
        payment__account=OuterRef("account"), state__in=[str(state) for state in IN_FLIGHT]
    )
    left: Found = (
        found.annotate(standing=F("stopped_for").bitand(int(but)))
        .filter(
            OPEN,
            Q(held_until=None) | Q(held_until__lte=on),
            account__provider=provider,
            standing=0,
            never_suspended=False,
            account__never_suspended=False,
            account__client__never_suspended=False,
        )
        .exclude(account__group__never_suspended=True)
        .exclude(_parked())
        .exclude(Exists(flying))
    )
    return left


def _annotated(found: Found, **given: Combinable) -> Found:
    made: Found = found.annotate(**given)
    return made


def _verdict(outcome: Outcome, **given: OuterRef) -> Exists:
    return Exists(Verdict.objects.filter(service=OuterRef("pk"), outcome=outcome, **given))


def _parked() -> Exists:
    return Exists(Parked.objects.filter(account=OuterRef("account")))


def _expired_and_switched_on() -> Found:
    stopped = Suspension.objects.filter(reason=Reason.EXPIRED, lifted_on=None)
    return stopped.filter(service__auto_renew=True).values_list("service_id", flat=True)


def _grace() -> Coalesce:
    return Coalesce(F("product__grace_days"), F("account__provider__grace_days"))
