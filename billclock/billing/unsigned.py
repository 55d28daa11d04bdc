"""Notices that no gateway signed: counted by payment method and day, whatever is sent how often.

A row a method and day, for some months; written at most every few seconds, so that a flood of
forged notices does not keep others from writing. What is not written yet counts in this process.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from django.db import DatabaseError, transaction
from django.db.models import F

from billclock import clock
from billclock.billing.payments import PaymentMethod, UnsignedNotice

EVERY = timedelta(seconds=10)
KEPT = timedelta(days=90)

FEW = 5
"""So many in two days are a gateway's own mistake or somebody's curiosity; more need a person."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """How many a method got lately, and when the last of them came."""

    method: PaymentMethod
    count: int
    last_at: datetime


@dataclass(slots=True)
class _Held:
    """What this process has counted and not written yet, by method."""

    counts: Counter[int] = field(default_factory=Counter)
    written: dict[int, datetime] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def add(self, method: int, at: datetime, count: int = 1) -> int:
        """Count some; give how many are to be written now, 0 for none."""
        with self.lock:
            self.counts[method] += count
            last = self.written.get(method)
            if last is not None and abs(at - last) < EVERY:
                return 0
            self.written[method] = at
            return self.counts.pop(method)


_held = _Held()


def count(method: PaymentMethod) -> None:
    """Count one notice that the method's gateway did not sign; never raises for the database."""
    now = clock.now()
    some = _held.add(method.pk, now)
    if some:
        try:
            _write(method, some, now)
        except DatabaseError:
            log.exception("%d unsigned notices of %s", some, method.code)
            _held.add(method.pk, now, some)


def lately() -> list[Unsigned]:
    """Give the methods that got some yesterday or today, by their codes."""
    since = clock.today() - timedelta(days=1)
    rows = UnsignedNotice.objects.filter(day__gte=since).select_related("method").order_by("day")
    found: dict[int, Unsigned] = {}
    for row in rows:
        before = found.get(row.method_id)
        told = before.count if before else _held.counts[row.method_id]
        found[row.method_id] = Unsigned(row.method, told + row.count, row.last_at)
    return sorted(found.values(), key=lambda one: one.method.code)


@transaction.atomic
def _write(method: PaymentMethod, some: int, at: datetime) -> None:
    day = clock.today()
    row, new = UnsignedNotice.objects.get_or_create(
        method=method, day=day, defaults={"last_at": at}
    )
    UnsignedNotice.objects.filter(pk=row.pk).update(count=F("count") + some, last_at=at)
    if new:
        UnsignedNotice.objects.filter(day__lt=day - KEPT).delete()
