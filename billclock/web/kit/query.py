"""What of a section a page shows, as its address says it: search, filters, order, place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.http import urlencode

from billclock.accounts.caseless import holds
from billclock.web.kit.filters import Filter
from billclock.web.numbers import whole
from billclock.web.times import Wall

LONGEST = 200  # letters of a search or a filter

Search = Sequence[str] | Callable[[str], Q]


@dataclass(frozen=True)
class Query:
    """The parts of an address; a leading - turns the order round.

    `after` and `before` are places in the list, as keyset gives them: the page begins below the
    one, or ends above the other.
    """

    values: Mapping[str, str]
    q: str = ""
    sort: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def read(
        cls, given: Mapping[str, str], filters: Iterable[Filter], sorts: Iterable[str]
    ) -> "Query":
        """Read an address; what no filter and no order knows is left out."""
        clean = {name: text[:LONGEST].replace("\0", "").strip() for name, text in given.items()}
        values: dict[str, str] = {}
        for one in filters:
            values |= one.read(clean)
        sort = clean.get("sort", "")
        return cls(
            values,
            clean.get("q", ""),
            sort if sort.removeprefix("-") in sorts else "",
            given.get("after", "")[: 2 * LONGEST],
            given.get("before", "")[: 2 * LONGEST],
        )

    @property
    def filtered(self) -> bool:
        """Tell whether anything is left out."""
        return bool(self.q or any(self.values.values()))

    def link(self, **other: str) -> str:
        """Give the address of the same list with some parts changed, on its first page."""
        parts = {"q": self.q, **self.values, "sort": self.sort, **other}
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    @property
    def here(self) -> str:
        """Give its own address."""
        return self.link(after=self.after, before=self.before)

    @property
    def first(self) -> str:
        """Give the address of the first page."""
        return self.link()

    @property
    def cleared(self) -> str:
        """Give the address without search and filters."""
        return replace(self, values={}, q="").link()

    def ordered_by(self, column: str) -> str:
        """Give the address in the order of a column; asked for again, it is turned round."""
        return self.link(sort=f"-{column}" if self.sort == column else column)

    def keep(
        self, rows: QuerySet[Any], filters: Iterable[Filter], search: Search, wall: Wall
    ) -> QuerySet[Any]:
        """Keep the rows asked for: every word of the search in one of its fields, or #12 by key."""
        for one in filters:
            if any(self.values.get(name) for name in one.names):
                rows = one.keep(rows, self.values, wall)
        if self.q.startswith("#") and (key := whole(self.q[1:])) is not None:
            return rows.filter(pk=key)
        for word in self.q.split() if search else ():
            rows = rows.filter(search(word) if callable(search) else held(search, word))
        return rows


def held(search: Sequence[str], word: str) -> Q:
    """Give the condition that one of some fields has a word in it, in any case."""
    return reduce(Q.__or__, (holds(name, word) for name in search))
