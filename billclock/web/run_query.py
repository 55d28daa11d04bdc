"""Which runs are asked for: filters as the address says them, and the place in the list."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import LessThan, LessThanOrEqual

from billclock.accounts.models import User
from billclock.scheduler.models import Entry, Outcome, Run, Trigger
from billclock.web import run_ways
from billclock.web.kit.query import held
from billclock.web.numbers import whole
from billclock.web.run_ways import MOMENT
from billclock.web.times import Wall

RUNNING = "running"
MOST_ID = 2**62
LONGEST = 255  # characters of one filter
MOST_ABOVE, BETWEEN = 2000, "_"  # characters of the pages above, and what parts them


@dataclass(frozen=True)
class Query:
    """The filters: `entry` is a key, `job` a text of its name, `since` and `until` are days.

    `before` is where the page begins: the last run of the page above it, as `cursor` gives it.
    `above` are the places where the pages between it and the first begin, the farthest first.
    """

    job: str = ""
    entry: str = ""
    outcome: str = ""
    trigger: str = ""
    who: str = ""
    exit: str = ""
    since: str = ""
    until: str = ""
    text: str = ""
    table: str = ""
    fold: str = ""
    before: str = ""
    above: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Query":
        """Read them off an address; a value that can't be is left out."""
        values = {one.name: given.get(one.name, "").strip() for one in fields(cls)}
        places = values.pop("above")[:MOST_ABOVE].split(BETWEEN)
        values = {name: value[:LONGEST] for name, value in values.items()}
        for name in ("since", "until"):
            values[name] = values[name] if day(values[name]) else ""
        outcomes = (RUNNING, *Outcome.values)
        values["outcome"] = values["outcome"] if values["outcome"] in outcomes else ""
        values["trigger"] = values["trigger"] if values["trigger"] in Trigger.values else ""
        values["exit"] = values["exit"] if _number(values["exit"]) <= LONGEST else ""
        values["entry"] = values["entry"] if _number(values["entry"]) < MOST_ID else ""
        values["fold"] = "1" if values["fold"] else ""
        values["before"] = values["before"] if _cursor(values["before"]) else ""
        above = BETWEEN.join(place for place in places if values["before"] and _cursor(place))
        return cls(**values, above=above)

    def address(self, **changed: str) -> str:
        """Give the query of an address with these filters, some of them changed."""
        values = asdict(replace(self, **changed))
        if not values["before"]:
            values["above"] = ""
        return "?" + urlencode({name: value for name, value in values.items() if value})

    @property
    def first(self) -> str:
        """Give the address of the first page."""
        return self.address(before="")

    def older(self, place: str) -> str:
        """Give the address of the page that begins at a place, with the way back to this one."""
        above = [*filter(None, self.above.split(BETWEEN)), *filter(None, [self.before])]
        while len(kept := BETWEEN.join(above)) > MOST_ABOVE:
            above.pop(0)
        return self.address(before=place, above=kept)

    @property
    def newer(self) -> str:
        """Give the address of the page above."""
        above, _, place = self.above.rpartition(BETWEEN)
        return self.address(before=place, above=above)

    @property
    def beside(self) -> str:
        """Give the filters but for job and outcome, to stand behind others in an address."""
        rest = self.address(entry="", job="", outcome="", fold="", before="")
        return rest.replace("?", "&" if rest != "?" else "", 1)

    @property
    def cleared(self) -> str:
        """Give the address without any filter."""
        return Query(fold=self.fold).address()

    @property
    def folded(self) -> str:
        """Give the address of the same runs with successes folded."""
        return self.address(fold="1", before="")

    @property
    def unfolded(self) -> str:
        """Give the address of the same runs, each by itself."""
        return self.address(fold="", before="")

    @property
    def any_entry(self) -> str:
        """Give the address of the same runs, of any entry."""
        return self.address(entry="", before="")

    @property
    def more(self) -> bool:
        """Tell whether a filter is given that is seldom wanted."""
        return bool(self.trigger or self.who or self.exit or self.table)

    @property
    def filtered(self) -> bool:
        """Tell whether anything is left out."""
        return bool(replace(self, fold="", before="", above="") != Query())

    @property
    def chosen(self) -> int:
        """Count the filters in use beside the job's name."""
        rest = replace(self, job="", entry="", fold="", before="", above="")
        return sum(map(bool, asdict(rest).values()))

    @property
    def dated(self) -> bool:
        """Tell whether days are asked for: the list is then in the order of the moments."""
        return bool(self.since or self.until)

    def cursor(self, run: Run) -> str:
        """Give the place below a run; `run` was found by `page`."""
        at = moment(run)
        return f"{run.pk}" if not self.dated or at is None else f"{run.pk}~{at.timestamp():.6f}"


def open_to(user: User) -> QuerySet[Run]:
    """Give the runs of the crontabs that are open to a user."""
    runs = Run.objects.all()
    own = user.tables.split()
    return runs.filter(entry__in=Entry.objects.filter(table__in=own)) if own else runs


def oldest(user: User) -> datetime | None:
    """Give when the first run began that a user may see; None where there is none."""
    own = user.tables.split()
    began: datetime | None
    if not own:
        began = Run.objects.aggregate(at=Min("started"))["at"]
        return began
    # by each entry's own first: the index of starts would lead through all runs of others
    first = Run.objects.filter(entry=OuterRef("pk")).order_by("id").values("started")[:1]
    entries = Entry.objects.filter(table__in=own).annotate(began=Subquery(first))
    began = entries.aggregate(at=Min("began"))["at"]
    return began


def page(query: Query, user: User, wall: Wall, most: int) -> list[Run]:
    """Give the first `most` runs that are asked for, below the query's place, the newest first."""
    entries, exact = _entries(query, user), _exact(query)
    place = _cursor(query.before)
    if entries is not None and not exact and not query.dated:
        runs = run_ways.newest_of(entries, most, place[0] if place else None)
    else:
        first, last = day(query.since), day(query.until)
        begin = _midnight(first, wall) if first else None
        end = _midnight(last + timedelta(days=1), wall) if last else None
        runs = run_ways.among(exact, entries, begin, end)
    return list(_placed(runs, query).select_related("entry")[:most])


def moment(run: Run) -> datetime | None:
    """Give when a run began, or should have."""
    return run.started or run.planned


def day(text: str) -> date | None:
    """Read a day as a browser sends it; None of anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    """Read a whole number; MOST_ID for anything else."""
    found = whole(text)
    return MOST_ID if found is None else min(found, MOST_ID)


def _cursor(text: str) -> tuple[int, float | None] | None:
    number, sign, seconds = text.partition("~")
    try:
        at = float(seconds) if sign else None
        if at is not None:
            datetime.fromtimestamp(at, UTC)
        return (_number(number), at) if number.isdecimal() else None
    except (ValueError, OverflowError, OSError):
        return None


def _exact(query: Query) -> dict[str, str | int]:
    """Give what the columns of a run must be."""
    wanted: dict[str, str | int] = {}
    if query.outcome:
        wanted["outcome"] = "" if query.outcome == RUNNING else query.outcome
    if query.trigger:
        wanted["trigger"] = query.trigger
    if query.exit:
        wanted["exit_code"] = int(query.exit)
    if query.who:
        wanted["actor"] = query.who
    return wanted


def _placed(runs: QuerySet[Run], query: Query) -> QuerySet[Run]:
    """Put runs in order and begin below the query's place."""
    place = _cursor(query.before)
    if not query.dated:
        runs = runs.order_by("-id")
        return runs.filter(id__lt=place[0]) if place else runs
    runs = runs.order_by(MOMENT.desc(), "-id")
    if place is None or place[1] is None:
        return runs
    at = datetime.fromtimestamp(place[1], UTC)
    # the first condition says nothing new, but lets the index begin there
    below = Q(LessThan(MOMENT, at)) | Q(id__lt=place[0])
    return runs.filter(LessThanOrEqual(MOMENT, at)).filter(below)


def _entries(query: Query, user: User) -> QuerySet[Entry] | None:
    """Give the entries whose runs are asked for; None for all."""
    own = user.tables.split()
    if not (own or query.table or query.job or query.entry):
        return None
    entries = Entry.objects.all()
    if own:
        entries = entries.filter(table__in=own)
    if query.table:
        entries = entries.filter(table=query.table)
    if query.entry:
        entries = entries.filter(pk=query.entry)
    if query.job:
        entries = entries.filter(held(("description", "command"), query.job))
    return entries


def _midnight(on: date, wall: Wall) -> datetime:
    return datetime.combine(on, time(), wall.zone)
