"""Entries that start others when they end: what names another one, and what is wrong with it."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from .crontab import Crontab
from .entry import Entry
from .findings import ERROR, WARNING, Finding, Subject

ON = ("on-success", "on-failure")
"""The directives that name the entry to start."""

K = TypeVar("K", bound=Hashable)


class ChainError(ValueError):
    """A name that leads to no one entry; the text says why."""


class Called(Generic[K]):
    """Keys of one table's entries by what they are called: by `name=`, else by description."""

    def __init__(self, entries: Iterable[tuple[K, Entry]]) -> None:
        """Take the entries that are in force: a switched-off one can't be started."""
        self._named: defaultdict[str, list[K]] = defaultdict(list)
        self._described: defaultdict[str, list[K]] = defaultdict(list)
        for key, entry in entries:
            self._named[spaced(entry.directives.get("name", ""))].append(key)
            self._described[spaced(entry.description)].append(key)

    def find(self, text: str) -> K:
        """Give the only entry called so. Raise ChainError for none or several: no guess is made."""
        wanted = spaced(text)
        found = (self._named.get(wanted) or self._described.get(wanted)) if wanted else None
        if not found:
            raise ChainError(f"no active entry of this table is called {wanted!r}")
        if len(found) > 1:
            raise ChainError(f"{len(found)} active entries of this table are called {wanted!r}")
        return found[0]


def spaced(text: str) -> str:
    """Give a name with each stretch of blanks and line ends as one blank."""
    return " ".join(text.split())


def check_chains(crontab: Crontab, active: Sequence[Subject]) -> Iterator[Finding]:
    """Report names that lead nowhere or to several entries, and chains that come round again."""
    chained = [subject for subject in active if any(key in subject.directives for key in ON)]
    if not chained:
        return
    called = Called((subject.entry.line, subject.entry) for subject in active)
    leads: dict[int, list[int]] = {}
    for subject in chained:
        for key in ON:
            if key not in subject.directives:
                continue
            try:
                found = called.find(subject.directives[key])
            except ChainError as error:
                place = _place(crontab, subject.entry, key)
                yield Finding(WARNING, "chain_nowhere", *place, f"{key}: {error}")
            else:
                leads.setdefault(subject.entry.line, []).append(found)
    for subject in chained:
        if ring := _ring(subject.entry.line, leads):
            key = next(key for key in ON if key in subject.directives)
            told = " → ".join(f"line {line}" for line in ring)
            place = _place(crontab, subject.entry, key)
            yield Finding(
                ERROR, "chain_ring", *place, f"entries start each other in a ring: {told}"
            )


class _Place(NamedTuple):
    line: int
    column: int


def _place(crontab: Crontab, entry: Entry, key: str) -> _Place:
    """Give where a key stands: in the directive line directly above its entry."""
    raw = crontab.lines[entry.line - 2].raw
    return _Place(entry.line - 1, max(raw.find(f"{key}=".encode()), 0) + 1)


def _ring(first: int, leads: Mapping[int, Sequence[int]]) -> list[int]:
    """Give the shortest way from a line through the lines it starts back to itself, or none."""
    ways, seen = [[first]], {first}
    while ways:
        longer = []
        for way in ways:
            for after in leads.get(way[-1], ()):
                if after == first:
                    return [*way, first]
                if after not in seen:
                    seen.add(after)
                    longer.append([*way, after])
        ways = longer
    return []
