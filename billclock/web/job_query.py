"""Which jobs a page shows and in which order: read from its address, and written into links."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from django.http import QueryDict
from django.utils.http import urlencode

from billclock.cron.entry import Entry
from billclock.scheduler.models import Outcome
from billclock.web.numbers import whole
from billclock.web.times import Wall

STATES = ("on", "off")
RUNNING, NEVER = "running", "never"
RESULTS = (*(outcome.value for outcome in Outcome), RUNNING, NEVER)
SORTS = ("area", "line", "name", "next", "last")
OTHER = "other"
FAR = datetime(9999, 1, 1, tzinfo=UTC)
LONGEST = 200  # letters of a search


@dataclass(frozen=True, slots=True)
class Facts:
    """What the filters and orders ask of one entry."""

    entry: Entry
    key: int | None
    words: str
    area: str
    tags: Sequence[str]
    outcome: str | None
    at: datetime | None
    problem: bool


@dataclass(frozen=True)
class Query:
    """The filters, the order (a leading - turns it round) and the page of a list of jobs."""

    table: str = ""
    q: str = ""
    state: str = ""
    result: str = ""
    area: str = ""
    tag: str = ""
    problems: str = ""
    entry: str = ""
    sort: str = ""
    page: str = ""

    @classmethod
    def read(cls, given: QueryDict | Mapping[str, str], table: str) -> "Query":
        """Read an address; what is no filter's value is left out."""
        found = cls(
            table, **{name: str(given.get(name, ""))[:LONGEST].strip() for name in cls.names()[1:]}
        )
        return replace(
            found,
            state=found.state if found.state in STATES else "",
            result=found.result if found.result in RESULTS else "",
            problems="1" if found.problems else "",
            entry=found.entry if whole(found.entry) is not None else "",
            sort=found.sort if found.sort.removeprefix("-") in SORTS else "",
            page=found.page if whole(found.page) is not None else "",
        )

    @classmethod
    def names(cls) -> list[str]:
        """Name the parts of an address."""
        return [field.name for field in fields(cls)]

    @property
    def filtered(self) -> bool:
        """Tell whether anything is left out."""
        return any(
            (self.q, self.state, self.result, self.area, self.tag, self.problems, self.entry)
        )

    @property
    def chosen(self) -> int:
        """Count the filters in use beside the search."""
        return sum(map(bool, (self.state, self.result, self.area, self.tag, self.problems)))

    def link(self, **other: str) -> str:
        """Give the address of the same list with some parts changed; always on its first page."""
        parts = replace(self, **{"page": "", **other})
        given = {name: getattr(parts, name) for name in self.names()}
        return "?" + urlencode({name: value for name, value in given.items() if value})

    @property
    def here(self) -> str:
        """Give its own address."""
        return self.link(page=self.page)

    def matches(self, facts: Facts) -> bool:
        """Tell whether a job is shown."""
        return (
            (not self.state or facts.entry.active == (self.state == "on"))
            and (not self.area or facts.area == self.area)
            and (not self.tag or self.tag in facts.tags)
            and (not self.problems or facts.problem)
            and (not self.entry or str(facts.key) == self.entry)
            and (not self.result or _result(facts) == self.result)
            and all(word in facts.words for word in self.q.casefold().split())
        )

    def ordered(
        self,
        chosen: Sequence[Facts],
        areas: Sequence[str],
        next_of: Callable[[Entry], datetime | None],
    ) -> list[Facts]:
        """Put jobs in order: by the article's areas where there are any, else as in the table."""
        name = self.sort.removeprefix("-") or ("area" if areas else "line")
        order: dict[str, Callable[[Facts], object]] = {
            "area": lambda facts: areas.index(facts.area),
            "line": lambda facts: facts.entry.line,
            "name": lambda facts: (facts.entry.description or _command(facts)).casefold(),
            "next": lambda facts: next_of(facts.entry) or FAR,
            "last": lambda facts: facts.at or FAR,
        }
        return sorted(chosen, key=order[name], reverse=self.sort.startswith("-"))  # type: ignore[arg-type]


def _result(facts: Facts) -> str:
    return NEVER if facts.outcome is None else facts.outcome or RUNNING


def _command(facts: Facts) -> str:
    return facts.entry.command.decode("utf-8", "replace")


def next_moments(
    wall: Wall, zone_of: Callable[[Entry], object]
) -> Callable[[Entry], datetime | None]:
    """Give a function that tells an entry's next moment; entries of one schedule share the work."""
    known: dict[object, datetime | None] = {}

    def next_of(entry: Entry) -> datetime | None:
        if not entry.active:
            return None
        zone = zone_of(entry)
        key = (entry.expression, zone)
        if key not in known:
            known[key] = entry.expression.next(wall.now.astimezone(zone))  # type: ignore[arg-type]
        return known[key]

    return next_of
