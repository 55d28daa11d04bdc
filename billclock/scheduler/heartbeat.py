"""What became of the last sign of life to the outside address, kept for those who look."""

from datetime import datetime, timedelta

from django.db import router, transaction

from billclock import clock
from billclock.cron.hooks import shown
from billclock.scheduler import chosen
from billclock.scheduler.models import Heartbeat

PATIENCE = timedelta(minutes=5)
"""How long it may stay unheard, as calls come once a minute, before anybody is told."""


def note(address: str, fault: str) -> None:
    """Keep that the address was called just now; `fault` is why it was not reached, or empty."""
    at = clock.now()
    label = shown(address)
    with transaction.atomic(using=router.db_for_write(Heartbeat)):
        before = Heartbeat.objects.filter(address=label).first()
        heard = (before.heard if before else None) if fault else at
        Heartbeat.objects.all().delete()
        Heartbeat.objects.create(address=label, at=at, fault=fault[:500], heard=heard)


def last() -> Heartbeat | None:
    """Give what became of the last one; None where there was none."""
    return Heartbeat.objects.order_by("-at").first()


def unheard(now: datetime) -> Heartbeat | None:
    """Give the last call where it failed and none was heard for PATIENCE; two queries at most.

    Calls to another address than the one in force, and those of an hour ago, say nothing any more.
    """
    found = last()
    if found is None or not found.fault or found.at < now - timedelta(hours=1):
        return None
    if found.heard is not None and found.at - found.heard < PATIENCE:
        return None
    address = chosen.in_force().heartbeat_url
    return found if address and shown(address) == found.address else None
