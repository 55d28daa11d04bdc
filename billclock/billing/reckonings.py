"""What takes long to reckon, kept with its moment, so that a page shows it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import models, transaction

from billclock import clock


class Reckoning(models.Model):
    """The last result of one name, in plain values; `at` is when it was begun."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()
    seconds = models.FloatField()
    values = models.JSONField(default=dict)


def take(name: str, reckon: Callable[[], Mapping[str, Any]]) -> Reckoning:
    """Reckon something and keep it in the place of what was kept before."""
    at, begun = clock.now(), clock.since_boot()
    found = dict(reckon())
    return _keep(name, {"at": at, "seconds": clock.since_boot() - begun, "values": found})


@transaction.atomic
def _keep(name: str, found: Mapping[str, Any]) -> Reckoning:
    return Reckoning.objects.update_or_create(name=name, defaults=found)[0]


def last(name: str) -> Reckoning | None:
    """Give what was kept last; None where it was never reckoned."""
    return Reckoning.objects.filter(name=name).first()


def older(name: str, than: timedelta) -> bool:
    """Tell whether something was not reckoned for so long, or at a moment that is yet to come."""
    now = clock.now()
    return not Reckoning.objects.filter(name=name, at__range=(now - than, now)).exists()
