"""The jobs of a table as the page lists them: filtered, in order, grouped by area, in pages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext as _

from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.findings import NOTE, Finding
from billclock.jobs import checking, registry, sections
from billclock.scheduler import policies, versions
from billclock.scheduler.merging import edits_between
from billclock.scheduler.models import Version
from billclock.scheduler.roster import Zones
from billclock.web.crontabs import Reading
from billclock.web.history import lately
from billclock.web.job_query import OTHER, Facts, Query, next_moments
from billclock.web.rows import Row, row
from billclock.web.standings import Standing, standings
from billclock.web.times import Wall

A_PAGE = 50
AREAS = (
    sections.NOTICES,
    sections.FINANCE,
    sections.SERVICES,
    sections.STATISTICS,
    sections.RESELLING,
    sections.MARKETING,
    sections.SUPPORT,
    OTHER,
)
OUTSIDE_FOR = timedelta(days=1)  # how long a change by another program is marked


@dataclass(frozen=True)
class Group:
    """Jobs of one area on one page; without areas one group without a name holds them all."""

    name: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Part:
    """The place of one page in the list, and the numbers of the pages before and after it."""

    first: int
    last: int
    of: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Listing:
    """One page of jobs, and what the filters offer: areas and tags in use, how many of what."""

    groups: Sequence[Group]
    part: Part
    counts: Mapping[str, int]
    areas: Sequence[tuple[str, str]]
    tags: Sequence[str]


class Table:
    """What is known of a table's entries, looked up once for the page or the export of a list."""

    def __init__(self, reading: Reading, wall: Wall) -> None:
        """Look at how each entry stands: a query, and the findings, which are kept."""
        self.reading = reading
        self.wall = wall
        self.zones = Zones()
        self._standings = standings(reading.name, reading.crontab) if reading.there else {}
        self._findings: defaultdict[int, list[Finding]] = defaultdict(list)
        for finding in checking.findings(reading.crontab, reading.name):
            self._findings[finding.line].append(finding)
        self.facts = [self._facts(read) for read in _read(reading.crontab)]

    def chosen(self, query: Query) -> list[Facts]:
        """Give the jobs that a query asks for, in its order."""
        found = [facts for facts in self.facts if query.matches(facts)]
        return query.ordered(found, self.areas, next_moments(self.wall, self.zones.of))

    @property
    def areas(self) -> Sequence[str]:
        """Name the areas in use, in order; none where nothing is of the billing set."""
        used = {facts.area for facts in self.facts}
        return [area for area in AREAS if area in used] if used - {OTHER} else []

    @property
    def tags(self) -> list[str]:
        """Name the tags in use."""
        return sorted({tag for facts in self.facts for tag in facts.tags})

    @property
    def counts(self) -> dict[str, int]:
        """Count all jobs, those on and off, and those with problems."""
        on = sum(facts.entry.active for facts in self.facts)
        troubled = sum(facts.problem for facts in self.facts)
        return {
            "all": len(self.facts), "on": on, "off": len(self.facts) - on, "problems": troubled
        }  # fmt: skip

    def rows(self, chosen: Sequence[Facts]) -> list[Row]:
        """Put jobs into words: three queries however many they are."""
        name = self.reading.name
        events = lately([facts.key for facts in chosen if facts.key is not None])
        outside = _outside(name, self.wall.now)
        mailto: dict[int, bool] = {}
        found = []
        for facts in chosen:
            entry = facts.entry
            if entry.scope not in mailto:
                mailto[entry.scope] = entry.environment.get("MAILTO", name) != ""
            found.append(
                row(
                    entry,
                    facts.key,
                    events.get(facts.key, []) if facts.key is not None else [],
                    self.wall,
                    zone=self.zones.of(entry),
                    mailto=mailto[entry.scope],
                    findings=self._findings.get(entry.line, ()),
                    outside=entry.line in outside,
                )
            )
        return found

    def _facts(self, read: "_Read") -> Facts:
        entry = read.entry
        standing: Standing | None = self._standings.get(entry.line)
        remarks = self._findings.get(entry.line, ())
        return Facts(
            entry=entry,
            key=standing.key if standing else None,
            words=read.words,
            area=read.area,
            tags=read.tags,
            outcome=standing.outcome if standing else None,
            at=standing.at if standing else None,
            problem=read.ignored
            or any(remark.level != NOTE for remark in remarks)
            or (standing is not None and entry.active and standing.troubled),
        )


class _Read(NamedTuple):
    """What the filters ask of an entry's text alone."""

    entry: Entry
    words: str
    area: str
    tags: Sequence[str]
    ignored: bool


@lru_cache(maxsize=4)
def _read(crontab: Crontab) -> Sequence[_Read]:
    # the same text is filtered again and again, by every user and every refresh
    return [_read_entry(entry) for entry in crontab.entries]


def _read_entry(entry: Entry) -> _Read:
    command = entry.command.decode("utf-8", "replace")
    job = registry.of_command(command)
    options, ignored = policies.read(entry.directives)
    words = f"{entry.description}\n{command}\n{entry.expression.text}\n{' '.join(options.tags)}"
    area = job.section if job else OTHER
    return _Read(entry, words.casefold(), area, options.tags, bool(ignored))


def listing(table: Table, query: Query) -> Listing:
    """Give one page of a table's jobs."""
    chosen = table.chosen(query)
    pages = max(1, -(-len(chosen) // A_PAGE))
    number = min(max(int(query.page or 1), 1), pages)
    first = (number - 1) * A_PAGE
    shown = chosen[first : first + A_PAGE]
    rows = table.rows(shown)
    grouped = bool(table.areas) and query.sort.removeprefix("-") in ("", "area")
    groups: dict[str, list[Row]] = {}
    for facts, one in zip(shown, rows, strict=True):
        groups.setdefault(area_name(facts.area) if grouped else "", []).append(one)
    return Listing(
        groups=[Group(name, members) for name, members in groups.items()],
        part=Part(
            first + 1,
            first + len(shown),
            len(chosen),
            number - 1 if number > 1 else None,
            number + 1 if number < pages else None,
        ),
        counts=table.counts,
        areas=[(area, area_name(area)) for area in table.areas],
        tags=table.tags,
    )


def area_name(area: str) -> str:
    """Name an area of the article's list in the reader's language."""
    return {
        sections.NOTICES: _("Notifications"),
        sections.FINANCE: _("Finance and payment"),
        sections.SERVICES: _("Services"),
        sections.STATISTICS: _("Statistics"),
        sections.RESELLING: _("Reselling"),
        sections.MARKETING: _("Marketing"),
        sections.SUPPORT: _("Support tickets"),
        OTHER: _("Other jobs"),
    }[area]


def _outside(table: str, now: datetime) -> frozenset[int]:
    """Give the lines that another program changed last, if that was not long ago: one query."""
    newest = list(Version.objects.filter(table=table).order_by("-number")[:2])
    if len(newest) < 2 or newest[0].author != versions.OUTSIDE:  # noqa: PLR2004 - it and the former
        return frozenset()
    if now - newest[0].at > OUTSIDE_FOR:
        return frozenset()
    old, new = versions.text(newest[1]), versions.text(newest[0])
    return _changed(old or b"", new or b"")


@lru_cache(maxsize=8)
def _changed(old: bytes, new: bytes) -> frozenset[int]:
    """Give the lines (from 1) of `new` that are not as in `old`."""
    lines: set[int] = set()
    shift = 0
    for edit in edits_between(old, new):
        start = edit.start + shift
        lines.update(range(start + 1, start + len(edit.lines) + 1))
        shift += len(edit.lines) - (edit.end - edit.start)
    return frozenset(lines)
