"""Columns by which SQLite shall not look runs up, where it would take the index that leads astray.

It keeps no figures of our tables and guesses: of the runs of a crontab that go on, say, that the
crontab has fewer runs than there are that go on.
"""

from django.db.models import BigIntegerField, F, Func, QuerySet
from django.db.models.lookups import In

from billclock.scheduler.models import Entry


class Unindexed(Func):
    """A column behind SQLite's unary plus: of the same value, but by no index."""

    template = "+%(expressions)s"
    arity = 1


def of(entries: QuerySet[Entry]) -> In:
    """Keep runs of entries, once they are found by something else."""
    column = Unindexed(F("entry_id"), output_field=BigIntegerField())
    return In(column, entries.values("id"))
