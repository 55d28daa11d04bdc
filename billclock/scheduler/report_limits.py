"""What was already told: no failure twice an hour, at most so many mails a night from a table.

A night goes from one morning to the next (`digest_hour` by the server's clock). Of the mails that
`mail_a_night` allows one table, the last is kept for the digest that lists, when the night is
over, the runs whose reports were withheld. Both are settings, see `chosen`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo

from django.db.models import Max, Q
from django.db.models.functions import Coalesce

from billclock.outbox.models import Message
from billclock.scheduler.chosen import InForce
from billclock.scheduler.models import Outcome, Run


def night(at: datetime, zone: tzinfo, hour: int) -> tuple[datetime, datetime]:
    """Give the begin and end of the night in which `at` lies; nights end at `hour`."""
    local = at.astimezone(zone)
    day = local.date() if local.hour >= hour else local.date() - timedelta(days=1)
    begin, end = (datetime.combine(d, time(hour), zone) for d in (day, day + timedelta(days=1)))
    return begin, end


def group(table: str) -> str:
    """Name a table's reports in the outbox."""
    return f"report:{table}"


def topic(entry: int) -> str:
    """Name the reports of one entry in the outbox."""
    return f"entry:{entry}"


def kind(run: Run) -> str:
    """Name an ending so that two runs that ended alike have the same name."""
    return f"{run.outcome}:{run.exit_code}:{run.signal}"


@dataclass
class Told:
    """What was mailed of one entry: its last report, and which failures were mailed lately."""

    run: int = 0
    failed: bool = False
    kinds: set[str] = field(default_factory=set)

    def add(self, run: int, kind: str, *, failed: bool, lately: bool = True) -> None:
        """Count a report that was mailed."""
        self.run, self.failed = run, failed
        if failed and lately:
            self.kinds.add(kind)


def told(entries: Iterable[int], at: datetime, same: timedelta) -> defaultdict[int, Told]:
    """Look up what was mailed of these entries before `at`; lately is within `same`."""
    about = Message.objects.filter(topic__in={topic(entry) for entry in entries})
    last = about.values("topic").annotate(last=Max("id")).values("last")
    lately = Q(created__gt=at - same, created__lte=at)
    found: defaultdict[int, Told] = defaultdict(Told)
    for message in about.filter(Q(id__in=last) | lately).order_by("id").only("payload", "created"):
        said = message.payload
        found[said["entry"]].add(
            said["run"],
            said["kind"],
            failed=said["failed"],
            lately=at - same < message.created <= at,
        )
    return found


def room(table: str, at: datetime, zone: tzinfo, allowed: InForce) -> int:
    """Count the single reports that may still be mailed from a table this night."""
    begin, end = night(at, zone, allowed.digest_hour)
    mailed = Message.objects.filter(group=group(table), created__gte=begin, created__lt=end)
    return allowed.mail_a_night - 1 - mailed.exclude(topic="").count()


def failed(run: Run) -> bool:
    """Tell whether a run that was due did not end well."""
    return run.outcome != Outcome.SUCCEEDED


def moment() -> Coalesce:
    """Give, for a query, when a run was due to be."""
    return Coalesce("started", "planned", "finished")
