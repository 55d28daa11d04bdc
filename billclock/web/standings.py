"""How every entry of a table stands: its key and how it last ended, in one query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from billclock.cron.crontab import Crontab
from billclock.scheduler.models import Entry, Outcome, Run, Slot

TROUBLED = frozenset((Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST, Outcome.MISSED))


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry's key, and the outcome of the last thing that happened to it and when.

    `outcome` is empty while it runs, None where nothing happened yet.
    """

    key: int
    outcome: str | None
    at: datetime | None

    @property
    def troubled(self) -> bool:
        """Tell whether the last of it went wrong."""
        return self.outcome in TROUBLED


def standings(table: str, crontab: Crontab) -> Mapping[int, Standing]:
    """Give how the entries of a table stand, by their lines.

    An entry that the scheduler has not read yet, as in the second after an edit, has none.
    """
    run = Run.objects.filter(entry=OuterRef("pk")).order_by("-id")
    slot = Slot.objects.filter(entry=OuterRef("pk")).order_by("-planned")
    rows = (
        Entry.objects.filter(table=table, gone_at=None)
        .annotate(
            outcome=Subquery(run.values("outcome")[:1]),
            at=Subquery(run.values(at=Coalesce("started", "planned"))[:1]),
            last_slot=Subquery(slot.values("planned")[:1]),
            last_slot_outcome=Subquery(slot.values("outcome")[:1]),
        )
        .values_list("line", "id", "command", "outcome", "at", "last_slot", "last_slot_outcome")
    )
    commands = {e.line: e.command.decode("utf-8", "backslashreplace") for e in crontab.entries}
    found = {}
    for line, key, command, outcome, at, slot_at, slot_outcome in rows:
        if commands.get(line) != command:
            continue
        if slot_outcome == Outcome.MISSED and (at is None or (slot_at and slot_at > at)):
            found[line] = Standing(key, slot_outcome, slot_at)
        else:
            found[line] = Standing(key, outcome, at)
    return found
