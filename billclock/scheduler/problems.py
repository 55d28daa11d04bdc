"""What a person should know of: each problem with its reason, and those of one cause together.

Pure: the facts come as arguments, from recent.py and from the tables as they are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from billclock.cron.chains import check_chains
from billclock.cron.crontab import Crontab
from billclock.cron.errors import CronError
from billclock.cron.findings import subjects
from billclock.cron.lint_table import check_duplicates
from billclock.scheduler import policies
from billclock.scheduler.changes import changes, met
from billclock.scheduler.roster import Zones

SHELL_REFUSALS = (126, 127)
"""Exit codes of a shell that could not run the command: the same cause at whatever hour."""

LONGEST = 3.0  # times the 95th percentile of a job's runs after which a run counts as stuck
AT_LEAST = timedelta(minutes=15)
UNKNOWN_LENGTH = timedelta(days=1)  # for jobs that never ended well
CHANGE_NEAR = timedelta(days=2)


class Kind(StrEnum):
    """The kinds of problems, the most pressing first."""

    FAILING = "failing"
    STUCK = "stuck"
    OVERDUE = "overdue"
    IGNORED = "ignored"
    BROKEN = "broken"
    NEVER = "never"
    CHAIN = "chain"
    MISSED = "missed"
    WAITING = "waiting"
    CLOCK = "clock"
    MAIL = "mail"
    HEARTBEAT = "heartbeat"
    LATE = "late"
    SKIPPED = "skipped"
    PAUSED = "paused"
    DUPLICATE = "duplicate"
    OUTSIDE = "outside"
    CHANGE = "change"


EVENTS = (
    *(Kind.MISSED, Kind.CLOCK, Kind.LATE, Kind.SKIPPED, Kind.PAUSED),
    *(Kind.OUTSIDE, Kind.CHANGE, Kind.DUPLICATE),
)
"""Kinds that happened and are over: somebody who has read of one may put it aside for good."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: of what kind, of which table and entry, since when, and why.

    `at` is when it was last seen to be one, `since` when it began, `count` how often. `cause` is
    equal for problems of one kind that have one root. `subject` names what it is about where that
    is no entry. `seconds` is a length where the kind has one: how late, how long it runs.
    """

    kind: Kind
    at: datetime
    table: str = ""
    entry: int | None = None
    subject: str = ""
    since: datetime | None = None
    count: int = 1
    reason: str = ""
    cause: str = ""
    run: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    outcome: str = ""
    line: int = 0
    fix: str | None = None
    seconds: float = 0.0

    @property
    def key(self) -> str:
        """Name it, so that it can be put aside: the same as long as it is the same problem."""
        return f"{self.kind}:{self.table}:{self.entry or self.subject}"


class Aside(NamedTuple):
    """A problem put aside at a moment, until another one or (None) until it happens anew."""

    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one kind and cause, the latest first."""

    problems: Sequence[Problem]

    @property
    def first(self) -> Problem:
        """Give the one that stands for all."""
        return self.problems[0]

    @property
    def count(self) -> int:
        """Count what happened in all of them."""
        return sum(problem.count for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Lasting:
    """How an entry fared of late: the failures in a row up to now, and the last success."""

    entry: int
    table: str
    run: int
    ended: datetime
    since: datetime
    failures: int
    outcome: str
    exit_code: int | None
    signal: int | None
    reason: str
    host: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Moments of an entry that went without a start, of one outcome and for one reason."""

    entry: int
    table: str
    kind: Kind
    reason: str
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Going:
    """A run that goes on."""

    entry: int
    table: str
    run: int
    started: datetime


class Sheet(NamedTuple):
    """A table as it is read now, since when it is so, and its entries' database ids by line."""

    name: str
    crontab: Crontab
    keys: Mapping[int, int]
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What history says, as recent.py reads it.

    `known` is since when each entry is, `succeeded` when its last good run began, `usual` the 95th
    percentile of its runs' seconds; `other` are problems that are kept as such: mail, the clock.
    """

    failing: Sequence[Lasting] = ()
    passed: Sequence[Passed] = ()
    going: Sequence[Going] = ()
    known: Mapping[int, datetime] = field(default_factory=dict)
    succeeded: Mapping[int, datetime] = field(default_factory=dict)
    usual: Mapping[int, float] = field(default_factory=dict)
    other: Sequence[Problem] = ()


def find(facts: Facts, sheets: Iterable[Sheet], now: datetime) -> list[Problem]:
    """Give every problem of some tables at `now` (aware)."""
    found = [*_failing(facts), *_passed(facts, now), *_stuck(facts, now), *facts.other]
    for sheet in sheets:
        found += _broken(sheet, now)
        found += _twice(sheet, now)
        found += _misled(sheet, now)
        found += _at_the_change(sheet, now)
        found += _overdue(sheet, facts, now)
    return found


def open_ones(
    problems: Iterable[Problem], aside: Mapping[str, Aside], now: datetime
) -> list[Group]:
    """Leave out what was put aside and group the rest by cause, the most pressing first."""
    groups: defaultdict[tuple[str, ...], list[Problem]] = defaultdict(list)
    for problem in problems:
        if not is_aside(problem.at, aside.get(problem.key), now):
            groups[problem.kind, problem.cause or problem.key].append(problem)
    order = {kind: place for place, kind in enumerate(Kind)}
    for group in groups.values():
        group.sort(key=lambda problem: problem.at, reverse=True)
    found = sorted(groups.values(), key=lambda group: group[0].at, reverse=True)
    return [Group(group) for group in sorted(found, key=lambda group: order[group[0].kind])]


def is_aside(at: datetime, aside: Aside | None, now: datetime) -> bool:
    """Tell whether a problem that was last seen to be one at a moment is put aside."""
    if aside is None:
        return False
    return at <= aside.at if aside.until is None else now < aside.until


def _failing(facts: Facts) -> Iterator[Problem]:
    for last in facts.failing:
        how = f"{last.outcome} {last.exit_code} {last.signal} {last.host}"
        same_time = "" if last.exit_code in SHELL_REFUSALS else f"{last.ended:%Y-%m-%d %H:%M}"
        yield Problem(
            Kind.FAILING,
            last.ended,
            last.table,
            last.entry,
            since=last.since,
            count=last.failures,
            reason=last.reason,
            cause=f"{how} {same_time}",
            run=last.run,
            exit_code=last.exit_code,
            signal=last.signal,
            outcome=last.outcome,
        )


def _passed(facts: Facts, now: datetime) -> Iterator[Problem]:
    """Tell of moments without a start for a day, and until the entry has run well again."""
    for passed in facts.passed:
        succeeded = facts.succeeded.get(passed.entry)
        if succeeded and succeeded > passed.last and now - passed.last > timedelta(days=1):
            continue
        cause = passed.reason if passed.kind is not Kind.SKIPPED else ""
        yield Problem(
            passed.kind,
            passed.last,
            passed.table,
            passed.entry,
            since=passed.first,
            count=passed.count,
            reason=passed.reason,
            cause=cause,
        )


def _stuck(facts: Facts, now: datetime) -> Iterator[Problem]:
    for going in facts.going:
        usual = facts.usual.get(going.entry)
        patience = UNKNOWN_LENGTH
        if usual is not None:
            patience = max(timedelta(seconds=usual * LONGEST), AT_LEAST)
        length = now - going.started
        if length > patience:
            yield Problem(
                Kind.STUCK,
                going.started,
                going.table,
                going.entry,
                run=going.run,
                seconds=length.total_seconds(),
            )


def _broken(sheet: Sheet, now: datetime) -> Iterator[Problem]:
    for error in sheet.crontab.errors:
        raw = sheet.crontab.lines[(error.line or 1) - 1].raw
        yield Problem(
            Kind.NEVER if _never(error) else Kind.BROKEN,
            sheet.since or now,
            sheet.name,
            subject=blake2b(raw, digest_size=8).hexdigest(),
            reason=f"{error.field}: {error.reason}" if error.field else error.reason,
            # lines with a mend are mended together
            cause=sheet.name if error.suggestion else "",
            line=error.line or 1,
            fix=error.suggestion,
        )


def _never(error: CronError) -> bool:
    """Tell whether a line is refused because its days never come."""
    return "never run" in error.reason


def _twice(sheet: Sheet, now: datetime) -> Iterator[Problem]:
    """Tell of entries whose command another one starts in the same minute."""
    for finding in check_duplicates(list(subjects(sheet.crontab))):
        entry = sheet.keys.get(finding.line)
        yield Problem(
            Kind.DUPLICATE,
            sheet.since or now,
            sheet.name,
            entry,
            str(finding.line),
            reason=finding.message,
            line=finding.line,
            fix=finding.fix,
        )


def _misled(sheet: Sheet, now: datetime) -> Iterator[Problem]:
    """Tell of chains that lead nowhere, to several entries, or round in a ring."""
    for finding in check_chains(sheet.crontab, list(subjects(sheet.crontab))):
        entry = sheet.keys.get(finding.line + 1)  # the finding is of the directive line
        yield Problem(
            Kind.CHAIN,
            sheet.since or now,
            sheet.name,
            entry,
            str(finding.line),
            reason=finding.message,
            line=finding.line,
        )


def _at_the_change(sheet: Sheet, now: datetime) -> Iterator[Problem]:
    """Tell of fixed times that a clock change of the next days skips or repeats."""
    zones = Zones()
    for entry in sheet.crontab.entries:
        if not entry.active or not entry.expression.minutes:
            continue
        for change in changes(zones.of(entry), now, now + CHANGE_NEAR):
            wall = met(entry.expression, change)
            if wall is not None:
                yield Problem(
                    Kind.CHANGE,
                    change.at,
                    sheet.name,
                    sheet.keys.get(entry.line),
                    f"{wall:%H:%M}",
                    reason="skipped" if change.skipped else "repeated",
                    cause=f"{change.at:%Y-%m-%d %H:%M}",
                    line=entry.line,
                )


def _overdue(sheet: Sheet, facts: Facts, now: datetime) -> Iterator[Problem]:
    """Tell of entries that have not succeeded as long after their moment as `expected` allows."""
    zones = Zones()
    for entry in sheet.crontab.entries:
        key = sheet.keys.get(entry.line)
        expected = policies.read(entry.directives)[0].expected if key and entry.active else None
        if key is None or expected is None:
            continue
        latest = (now - timedelta(seconds=expected)).astimezone(zones.of(entry))
        planned = entry.expression.previous(latest)
        succeeded = facts.succeeded.get(key)
        begun = facts.known.get(key, now)
        if planned and planned >= (begun if succeeded is None else max(succeeded, begun)):
            yield Problem(
                Kind.OVERDUE,
                planned,
                sheet.name,
                key,
                line=entry.line,
                seconds=expected,
            )
