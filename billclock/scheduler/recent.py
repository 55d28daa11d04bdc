"""What history says of tables of late: the facts for problems.py, in a fixed number of queries."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    Count,
    F,
    Max,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from billclock.outbox.models import Message, MessageQuerySet
from billclock.scheduler import heartbeat, hooks, unindexed
from billclock.scheduler.durations import typical
from billclock.scheduler.models import Entry, Incident, Outcome, Run, Slot, Table, Trigger, Version
from billclock.scheduler.problems import Facts, Going, Kind, Lasting, Passed, Problem
from billclock.scheduler.report_limits import group
from billclock.scheduler.versions import OUTSIDE

BACK = timedelta(days=7)
"""How far back what happened is looked for."""

BAD = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
IN_EARNEST = tuple(trigger for trigger in Trigger if trigger != Trigger.TEST)
LATE_BY = timedelta(seconds=60)
LATE_WITHIN = timedelta(days=1)
LOOKED_AT = 5000  # the latest runs among which late ones are looked for
CLAIMED_AHEAD = timedelta(seconds=10)


def facts(tables: Collection[str], now: datetime) -> Facts:
    """Read what happened to the entries of some tables up to `now` (aware)."""
    known, succeeded = _entries(tables)
    going = list(_going(tables))
    return Facts(
        failing=list(_failing(tables)),
        passed=list(_passed(tables, now)),
        going=going,
        known=known,
        succeeded=succeeded,
        usual={entry: t.p95 for entry, t in typical([run.entry for run in going]).items()},
        other=[
            *_ignored(tables, now),
            *_late(tables, now),
            *_waiting(tables, now),
            *_clock(now),
            *_undelivered(tables),
            *_unheard(now),
            *_outside(tables, now),
        ],
    )


def _live(tables: Collection[str]) -> QuerySet[Entry]:
    return Entry.objects.filter(table__in=tables, gone_at=None)


def _own(**which: Any) -> QuerySet[Run]:
    """Give an outer entry's runs, the latest first."""
    runs = Run.objects.filter(entry=OuterRef("pk"), **which).exclude(trigger=Trigger.TEST)
    return runs.order_by("-id")


def _entries(tables: Collection[str]) -> tuple[Mapping[int, datetime], Mapping[int, datetime]]:
    """Give when each entry was first seen, and when its last good run began."""
    good = _own(outcome=Outcome.SUCCEEDED).values("started")[:1]
    rows = list(_live(tables).annotate(good=Subquery(good)).values_list("id", "first_seen", "good"))
    return {key: seen for key, seen, _ in rows}, {key: good for key, _, good in rows if good}


def _failing(tables: Collection[str]) -> Iterator[Lasting]:
    """Give the entries whose last run that ended of itself went wrong."""
    good = Coalesce(Subquery(_own(outcome=Outcome.SUCCEEDED).values("id")[:1]), Value(0))
    streaks = (
        _live(tables)
        .filter(active=True)
        .annotate(good=good)
        .filter(runs__id__gt=F("good"), runs__outcome__in=BAD, runs__trigger__in=IN_EARNEST)
        .annotate(failures=Count("runs"), since=Min("runs__started"), last=Max("runs__id"))
        .values_list("last", "failures", "since")
    )
    found = {last: (failures, since) for last, failures, since in streaks}
    for run in Run.objects.filter(pk__in=found).select_related("entry"):
        failures, since = found[run.pk]
        ended = run.finished or run.started or run.planned
        if ended is not None:
            yield Lasting(
                *(run.entry_id, run.entry.table, run.pk, ended, since or ended, failures),
                *(run.outcome, run.exit_code, run.signal, run.reason, run.host),
            )


def _passed(tables: Collection[str], now: datetime) -> Iterator[Passed]:
    """Add up the moments that were missed or skipped, by entry and reason."""
    # which run was in the way differs from moment to moment
    reason = Case(
        When(reason__startswith="overlap", then=Value("overlap")),
        When(reason__startswith="paused", then=Value("paused")),
        default=F("reason"),
        output_field=TextField(),
    )
    rows = (
        Slot.objects.filter(outcome__in=(Outcome.MISSED, Outcome.SKIPPED), planned__gte=now - BACK)
        .filter(entry__table__in=tables, entry__gone_at=None)
        .annotate(why=reason, begun=Coalesce("first_planned", "planned"))
        .values("entry_id", "entry__table", "outcome", "why")
        .annotate(moments=Sum("count"), first=Min("begun"), last=Max("planned"))
        .order_by()
    )
    for row in rows:
        kind = Kind.MISSED
        if row["outcome"] == Outcome.SKIPPED:
            kind = Kind.PAUSED if row["why"] == "paused" else Kind.SKIPPED
        about = (row["entry_id"], row["entry__table"], kind, row["why"])
        yield Passed(*about, row["moments"], row["first"], row["last"])


def _going(tables: Collection[str]) -> Iterator[Going]:
    own = unindexed.of(Entry.objects.filter(table__in=tables))
    runs = Run.objects.filter(own, outcome="")  # by the index of those without an outcome
    for run, entry, table, started in runs.values_list("id", "entry", "entry__table", "started"):
        if started is not None:
            yield Going(entry, table, run, started)


def _ignored(tables: Collection[str], now: datetime) -> Iterator[Problem]:
    """Tell of tables that can't be read or are not run, as the daemon noted it."""
    for row in Table.objects.filter(name__in=tables).exclude(problem=""):
        yield Problem(Kind.IGNORED, now, row.name, since=row.read_at, reason=row.problem)


def _late(tables: Collection[str], now: datetime) -> Iterator[Problem]:
    """Tell of runs among the latest that began more than a minute late."""
    newest = Run.objects.order_by("-id").values("id")[:1]
    rows = (
        Run.objects.filter(id__gt=Subquery(newest) - LOOKED_AT, started__gte=now - LATE_WITHIN)
        .filter(trigger=Trigger.SCHEDULE, started__gt=F("planned") + LATE_BY)
        .filter(entry__table__in=tables)
        .values_list("entry", "entry__table", "id", "planned", "started")
        .order_by("id")
    )
    worst: dict[int, Problem] = {}
    for entry, table, run, planned, started in rows:
        if planned is None or started is None:
            continue
        before = worst.get(entry)
        seconds = max((started - planned).total_seconds(), before.seconds if before else 0.0)
        since = before.since if before else planned
        count = before.count + 1 if before else 1
        worst[entry] = Problem(
            Kind.LATE, started, table, entry, since=since, count=count, run=run, seconds=seconds,
            cause="late",
        )  # fmt: skip
    yield from worst.values()


def _waiting(tables: Collection[str], now: datetime) -> Iterator[Problem]:
    """Tell of entries whose coming moments had their runs before the clock was set back."""
    rows = (
        Slot.objects.filter(planned__gt=now + CLAIMED_AHEAD, era=F("entry__era"))
        .filter(entry__table__in=tables, entry__gone_at=None)
        .values_list("entry", "entry__table")
        .annotate(last=Max("planned"), moments=Count("id"))
        .order_by()
    )
    for entry, table, last, moments in rows:
        yield Problem(Kind.WAITING, last, table, entry, count=moments, cause="clock")


def _clock(now: datetime) -> Iterator[Problem]:
    for incident in Incident.objects.filter(kind="clock", over_at=None, at__gte=now - BACK):
        yield Problem(
            Kind.CLOCK, incident.at, subject=str(incident.pk), reason=incident.text, cause="clock"
        )


def letters(table: str, reason: str) -> MessageQuerySet:
    """Give the reports and webhooks of a table that can't be delivered for one reason."""
    groups = (group(table), hooks.group(table))
    return Message.objects.undelivered().filter(group__in=groups, last_error=reason)


def _undelivered(tables: Collection[str]) -> Iterator[Problem]:
    """Tell of reports and webhooks that can't be delivered, by table and reason."""
    names = {name(table): table for table in tables for name in (group, hooks.group)}
    rows = (
        Message.objects.undelivered()
        .filter(group__in=names)
        .values_list("group", "last_error")
        .annotate(letters=Count("id"), first=Min("created"), last=Max("created"))
        .order_by()
    )
    for name, reason, letters, first, last in rows:
        yield Problem(
            Kind.MAIL, last, names[name], subject=reason[:100], since=first, count=letters,
            reason=reason, cause=reason,
        )  # fmt: skip


def _unheard(now: datetime) -> Iterator[Problem]:
    """Tell of a sign of life that the outside address has not taken for a while."""
    found = heartbeat.unheard(now)
    if found is not None:
        yield Problem(
            Kind.HEARTBEAT, found.at, subject=found.address, since=found.heard, reason=found.fault,
            cause="heartbeat",
        )  # fmt: skip


def _outside(tables: Collection[str], now: datetime) -> Iterator[Problem]:
    """Tell of tables that another program has changed: the first text read is no change."""
    rows = Version.objects.filter(table__in=tables, author=OUTSIDE, number__gt=1)
    found = (
        rows.filter(at__gte=now - BACK)
        .values_list("table")
        .annotate(times=Count("id"), first=Min("at"), last=Max("at"), number=Max("number"))
        .order_by()
    )
    for table, times, first, last, number in found:
        yield Problem(
            Kind.OUTSIDE, last, table, since=first, count=times, line=number,
        )  # fmt: skip
