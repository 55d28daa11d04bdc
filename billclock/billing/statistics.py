"""Figures of single days: counted once, kept for good, never sent anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from django.db import models, transaction

from billclock import clock

WHOLE = ""
"""The key of a metric's total; its row says that the day was counted, be it with nothing."""


class DailyFigureQuerySet(models.QuerySet["DailyFigure"]):
    """Questions about figures."""

    def counted(self, metric: str) -> DailyFigureQuerySet:
        """Give a metric's totals: one row for each day that was counted."""
        return self.filter(metric=metric, key=WHOLE)


class DailyFigure(models.Model):
    """One figure of one day: a metric such as `runs`, a key such as a job, a whole number."""

    metric = models.CharField(max_length=64)
    day = models.DateField()
    key = models.CharField(max_length=255, blank=True)
    value = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    objects: ClassVar[models.Manager[DailyFigure]] = DailyFigureQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("metric", "day", "key"), name="daily_figure_once"),
        )


def counted_days(metric: str, first: date, last: date) -> set[date]:
    """Give the days from `first` to `last` for which a metric was recorded."""
    rows = DailyFigure.objects.counted(metric).filter(day__range=(first, last))
    return set(rows.values_list("day", flat=True))


@transaction.atomic
def record(metric: str, day: date, figures: Mapping[str, int]) -> bool:
    """Record a metric's figures of a day and their sum; False where the day has them already."""
    if DailyFigure.objects.counted(metric).filter(day=day).exists():
        return False
    now = clock.now()
    rows = {**figures, WHOLE: sum(figures.values())}
    DailyFigure.objects.bulk_create(
        DailyFigure(metric=metric, day=day, key=key, value=value, recorded_at=now)
        for key, value in rows.items()
    )
    return True
