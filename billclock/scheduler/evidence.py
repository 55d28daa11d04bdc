"""What is kept of an entry around a moment, gathered for why.py in a fixed number of queries."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry as Line
from billclock.cron.expression import Expression
from billclock.scheduler import policies, versions
from billclock.scheduler.models import Beat, Entry, Pause, Run, Slot, Table, Trigger, Version
from billclock.scheduler.pauses import ALL, scope_of
from billclock.scheduler.policies import CatchUp
from billclock.scheduler.roster import Zones
from billclock.scheduler.why import MINUTE, Attempted, Evidence, Held, Settled, Text

AROUND = timedelta(minutes=45)
"""The time before and after a moment of which runs and pauses are given too."""


def gather(entry: Entry, moment: datetime) -> Evidence:
    """Gather what is known of an entry (its row) at a moment (aware, a whole minute).

    The evidence's moment is in the zone of the entry as it was then, else in the one given.
    """
    table = Table.objects.filter(name=entry.table).first()
    kept = Version.objects.filter(table=entry.table, at__lt=moment + MINUTE)
    version = kept.order_by("-number").first()
    system = table is not None and table.system
    crontab = Crontab.parse(versions.text(version) or b"" if version else b"", system=system)
    line = find(crontab, entry)
    options = policies.read(line.directives, line.environment)[0] if line else policies.DEFAULT
    zone = Zones().of(line) if line else moment.tzinfo
    beat = Beat.objects.order_by("-at").first()
    return Evidence(
        moment=moment if moment.tzinfo == zone else moment.astimezone(zone),
        now=clock.now(),
        text=_text(version, line, entry) if version else None,
        ignored=table.problem if table else "",
        elsewhere=not settings.RUNS,
        served=beat.served if beat else None,
        settled=_settled(entry, moment),
        runs=_runs(entry, moment),
        pauses=pauses(entry.pk, options.tags, moment - AROUND, moment + AROUND),
        made_up=_made_up(entry, moment),
        catches_up=options.catch_up is CatchUp.ONCE,
    )


def find(crontab: Crontab, entry: Entry) -> Line | None:
    """Find the line of a former text that was this entry: by its command, else its description."""
    same = [line for line in crontab.entries if _command(line) == entry.command]
    exactly = [line for line in same if str(line.expression) == entry.expression]
    if among := exactly or same:
        return among[min(entry.ordinal, len(among) - 1)]
    described = [line for line in crontab.entries if line.description == entry.description]
    return described[0] if entry.description and len(described) == 1 else None


def pauses(entry: int, tags: Sequence[str], since: datetime, until: datetime) -> Sequence[Held]:
    """Give the pauses between two moments that hold an entry, the first begun first."""
    scopes = [ALL, scope_of(entry=entry), *(scope_of(tag=tag) for tag in tags)]
    found = Pause.objects.filter(Q(until=None) | Q(until__gt=since), scope__in=scopes)
    rows = found.filter(since__lt=until).order_by("since")
    return [Held(row.scope, row.since, row.until, row.actor) for row in rows]


def _command(line: Line) -> str:
    return line.command.decode("utf-8", "backslashreplace")


def _text(version: Version, line: Line | None, entry: Entry) -> Text:
    if line is None:
        expression = Expression.parse(entry.expression)
        return Text(version.number, version.author, version.at, 0, False, expression)
    seen = (version.number, version.author, version.at)
    return Text(*seen, line.line, line.active, line.expression)


def _settled(entry: Entry, moment: datetime) -> Settled | None:
    """Give the row of the planned moment, which may be one of several missed in a row."""
    row = Slot.objects.filter(entry=entry, planned__gte=moment).order_by("planned", "-era").first()
    if row is None or (row.first_planned or row.planned) > moment:
        return None
    first = row.first_planned or row.planned
    return Settled(first, row.planned, row.count, row.outcome, row.reason)


def _runs(entry: Entry, moment: datetime) -> list[Attempted]:
    """Give the runs of the entry in the time around, those that reach into it too."""
    begin, end = moment - AROUND, moment + AROUND
    reaching = Q(started__gte=begin) | Q(finished__gt=begin) | Q(outcome="")
    near = Q(reaching, started__lt=end) | Q(planned=moment)
    rows = Run.objects.filter(near, entry=entry).order_by("id")
    return [_attempted(row) for row in rows]


def _made_up(entry: Entry, moment: datetime) -> Attempted | None:
    """Give the first run after the moment that somebody, or catch-up, started in its place."""
    later = Run.objects.filter(entry=entry, started__gte=moment + MINUTE)
    row = (
        later.filter(trigger__in=(Trigger.CATCH_UP, Trigger.MANUAL, Trigger.API))
        .order_by("id")
        .first()
    )
    return _attempted(row) if row else None


def _attempted(run: Run) -> Attempted:
    return Attempted(
        *(run.pk, run.planned, run.started, run.finished, run.outcome, run.reason, run.trigger)
    )
