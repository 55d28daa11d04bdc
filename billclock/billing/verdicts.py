"""The numbers of a date's verdicts on a service, by who asked for the decision.

0 is the date's run's; the next ones were asked for, as when money came in the afternoon; FOR_USE
is on what was used beyond the plan.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db.models import Max

from billclock.billing.services import Verdict

FOR_USE = 900


def next_sequence(services: Collection[int], on: date) -> int:
    """Give the number of a decision on services that was asked for on a date, for all of them.

    Verdicts under a number that is taken are not written, as happens beyond FOR_USE of them.
    """
    given = Verdict.objects.filter(service__in=services, on=on, sequence__lt=FOR_USE)
    last = given.aggregate(last=Max("sequence"))["last"]
    return min(int(last or 0) + 1, FOR_USE - 1)
