"""What became of the last sign of life to the outside address, kept for those who look."""

from django.db import router, transaction

from billclock import clock
from billclock.cron.hooks import shown
from billclock.scheduler.models import Heartbeat


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
