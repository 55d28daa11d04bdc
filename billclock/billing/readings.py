"""Readings of how much of an add-on is in use: from a panel, a meter or a person.

A reading is a level that holds until the next one; it may fall. What is charged of it is decided
by the day's billing (daily.overage), by the date of the reading and never by when it came.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import DateField, Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Least

from billclock import clock
from billclock.billing.catalog import AddOn
from billclock.billing.errors import BillingError
from billclock.billing.progress import Watermark
from billclock.billing.services import Reading, Service, ServiceAddOn, Status, lock

MOST = 10**12
"""More units than this are a meter's error."""

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)

AHEAD = timedelta(minutes=5)
"""How far a meter's clock may be ahead of ours."""


@transaction.atomic
def record(number: str, code: str, amount: int, at: datetime | None = None) -> Reading:
    """Record what a service uses of an add-on at a moment (now, if none is given), in its units.

    The same reading again is the one that is there. Raises BillingError for another amount of the
    same moment, for one before the last reading, of the future, or that cannot be.
    """
    service = _service(number)
    addon = _addon(service, code)
    moment = clock.now() if at is None else at
    known = Reading.objects.filter(service=service, addon=addon, at=moment).first()
    if known is not None and known.amount == amount:
        return known
    held, _ = ServiceAddOn.objects.get_or_create(service=service, addon=addon)
    _require_sound(service, code, amount, moment)
    _require_later(held, known, f"{code} of service {number}", moment)
    made = Reading.objects.create(
        service=service, addon=addon, at=moment, amount=amount,
        on=moment.astimezone(ZoneInfo(service.account.provider.zone)).date(),
    )  # fmt: skip
    _hold(held, made, service)
    return made


def prune(*, batches: int = 10, most: int = 2000) -> int:
    """Delete readings that nothing needs any more, some at a time; give how many went.

    What is needed: KEEP_READINGS days; of each add-on what its open peak period, and dates that
    were not billed yet, have; and the last reading before those, whose level is in force there.
    """
    gone = 0
    for _ in range(batches):
        count = _prune_some(most)
        gone += count
        if count < most:
            break
    return gone


@transaction.atomic
def _prune_some(most: int) -> int:
    """Delete one batch. Old readings have low keys, so no more than these are looked at."""
    cut = clock.today() - timedelta(days=settings.KEEP_READINGS)
    young = Reading.objects.filter(on__gte=cut).order_by("pk").values_list("pk", flat=True).first()
    old = Reading.objects.filter(on__lt=cut)
    if young is not None:
        old = old.filter(pk__lt=young)
    held = ServiceAddOn.objects.filter(
        service=OuterRef("service"), addon=OuterRef("addon"), addon__billing=AddOn.Billing.PEAK
    )
    billed = Watermark.objects.filter(
        job="billdaily", provider=OuterRef("service__account__provider")
    )
    needed = old.annotate(
        since=Least(
            Value(cut),
            Coalesce(Subquery(held.values("peak_from")[:1]), Value(cut)),
            Coalesce(Subquery(billed.values("on")[:1]), F("on")),
            output_field=DateField(),
        )
    )
    later = Reading.objects.filter(
        service=OuterRef("service"), addon=OuterRef("addon"), at__gt=OuterRef("at"),
        on__lt=OuterRef("since"),
    )  # fmt: skip
    found = needed.filter(Exists(later), on__lt=F("since")).order_by("pk")
    keys = list(found.values_list("pk", flat=True)[:most])
    return Reading.objects.filter(pk__in=keys).delete()[0]


def _service(number: str) -> Service:
    found = Service.objects.filter(number=number).first()
    if found is None:
        raise BillingError(f"there is no service {number}", "give its number as lists show it")
    service = lock(found)
    if service.status == Status.DELETED:
        raise BillingError(f"service {number} is closed", "nothing more is read of it")
    return service


def _addon(service: Service, code: str) -> AddOn:
    known = {addon.code: addon for addon in service.product.addons.order_by("id")}
    if code not in known:
        there = ", ".join(known) or "none"
        raise BillingError(f"{service.product.code} has no add-on {code!r}", f"there are: {there}")
    return known[code]


def _require_sound(service: Service, code: str, amount: int, at: datetime) -> None:
    what = f"{code} of service {service.number}"
    if not 0 <= amount <= MOST:
        raise BillingError(f"{what}: {amount} cannot be in use", f"give 0 to {MOST} units")
    if at < EARLIEST:
        raise BillingError(
            f"{what}: {at.isoformat()} was before any meter", "set the meter's clock"
        )
    if at > clock.now() + AHEAD:
        raise BillingError(f"{what}: {at.isoformat()} is yet to come", "set the meter's clock")


def _require_later(held: ServiceAddOn, known: Reading | None, what: str, at: datetime) -> None:
    if known is not None:
        raise BillingError(
            f"{what} was read at {at.isoformat()} already, as {known.amount}",
            "give a correction under a later moment",
        )
    if held.read_at is not None and at < held.read_at:
        raise BillingError(
            f"{what}: {at.isoformat()} is before the last reading, of {held.read_at.isoformat()}",
            "send readings in the order of their moments",
        )


def _hold(held: ServiceAddOn, made: Reading, service: Service) -> None:
    """Let a reading be the one in force; a peak that waits to be charged stays as it is."""
    held.used, held.read_at = made.amount, made.at
    if held.peak_from is None:
        held.peak_from = service.opened_on
    if held.peak_until is None and service.paid_until > made.on:
        held.peak_until = service.paid_until
    if made.on < held.peak_from:  # of a period that is over: the level at which this one begins
        held.peak = made.amount
    elif held.peak_until is None or made.on < held.peak_until:
        held.peak = max(held.peak, made.amount)
    held.save()
