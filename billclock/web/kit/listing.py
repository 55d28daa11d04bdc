"""The list of a section: searched, filtered, in order, page by page; its likings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from billclock.web.kit import keyset, rights
from billclock.web.kit import likings as liking
from billclock.web.kit.columns import Column
from billclock.web.kit.filters import Filter
from billclock.web.kit.keyset import Order
from billclock.web.kit.query import Query
from billclock.web.kit.section import Section
from billclock.web.times import Wall

MOST_COUNTED = 10_000  # beyond which a list says "more than": counting a million rows takes long


@dataclass(frozen=True)
class Heading:
    """The head of a column: its title, the address that orders by it, and whether it does now."""

    column: Column
    link: str
    sorted: str


@dataclass(frozen=True)
class Line:
    """One row in words: its key, its own page, and a cell for each column."""

    key: str
    url: str
    name: str
    cells: Sequence[tuple[Column, SafeString]]


@dataclass(frozen=True)
class Sift:
    """A filter as the page shows it: its parts of the address with their values."""

    filter: Filter
    parts: Sequence[tuple[str, str]]
    options: Sequence[tuple[str, Promise | str]]

    @property
    def value(self) -> str:
        """Give the value of its first part."""
        return self.parts[0][1]

    @property
    def given(self) -> bool:
        """Tell whether it leaves anything out."""
        return any(value for _name, value in self.parts)


@require_safe
def page(request: HttpRequest, section: Section) -> HttpResponse:
    """Show the rows that the address asks for: a fixed number of queries for any number."""
    user, wall = rights.reader(request, section), Wall.here()
    query = Query.read(request.GET.dict(), section.filters, section.sorts)
    rows = asked(section, query, wall)
    order = order_of(section, query)
    found = keyset.page(
        rows, order, section.a_page, after=query.after, before=query.before, whole=section.rows()
    )
    many = bool(found.after or found.before)
    count = rows.order_by().values("pk")[: MOST_COUNTED + 1].count() if many else None
    liked = liking.likings(user, section.name, columns(section))
    shown = [column for column in section.columns if column.name not in liked.hidden]
    sifts = list(_sifts(section, query))
    may_act = [act for act in section.acts if rights.acts(user, section, act.role)]
    context: dict[str, Any] = {
        "section": section,
        "query": query,
        "headings": list(_headings(section, shown, query)),
        "lines": [line(section, shown, row, wall) for row in found.rows],
        "before": query.link(before=found.before) if found.before else "",
        "after": query.link(after=found.after) if found.after else "",
        "bare": not found.rows and not section.rows().exists(),
        "count": len(found.rows) if count is None else min(count, MOST_COUNTED),
        "uncounted": count is not None and count > MOST_COUNTED,
        "sifts": sifts,
        "chosen": sum(sift.given for sift in sifts),
        "dated": any(one.kind == "days" for one in section.filters),
        "liked": liked,
        "hideable": columns(section).items(),
        "like": section.address("like"),
        "acts": [act for act in may_act if not act.whole],
        "bulk": [act for act in may_act if not act.whole and act.bulk],
        "above": [act for act in may_act if act.whole],
        "may_edit": rights.acts(user, section),
        "creates": section.create is not None,
        "changes": section.change is not None and rights.acts(user, section),
        "urls": {name: section.address(name) for name in ("act", "csv", "new")},
    }
    return render(request, "kit/list.html", context)


@require_POST
def like(request: HttpRequest, section: Section) -> HttpResponse:
    """Keep columns or a view (or let go of it), then go back to the list."""
    user = rights.reader(request, section)
    back = liking.choose(user, section.name, columns(section), request.POST)
    return HttpResponseRedirect(reverse(section.name) + back)


def columns(section: Section) -> Mapping[str, Promise | str]:
    """Give the columns that one may hide: all but the first, which names the row."""
    return {column.name: column.title for column in section.columns[1:]}


def asked(section: Section, query: Query, wall: Wall) -> QuerySet[Any]:
    """Give the rows that a query asks for, in no order yet."""
    return query.keep(section.rows(), section.filters, section.search, wall)


def order_of(section: Section, query: Query) -> Order:
    """Give the order asked for, else the section's usual one."""
    if not query.sort:
        return Order.read(section.sort)
    return Order(section.sorts[query.sort.removeprefix("-")], query.sort.startswith("-"))


def line(
    section: Section | None, shown: Sequence[Column], row: Any, wall: Wall, url: str = ""
) -> Line:
    """Put a row into words; its first cell leads to `url`, which is the row's page in a section."""
    if section is not None:
        url = section.address("one", row.pk)
    cells = [(column, column.html(row, wall)) for column in shown]
    if url and cells:
        first, html = cells[0]
        cells[0] = (first, format_html('<a class="t" href="{}">{}</a>', url, html))
    return Line(str(row.pk), url, section.name_of(row) if section else "", cells)


def _headings(section: Section, shown: Sequence[Column], query: Query) -> Iterator[Heading]:
    usual = Order.read(section.sort)
    for column in shown:
        way = ""
        if query.sort.removeprefix("-") == column.name:
            way = "descending" if query.sort.startswith("-") else "ascending"
        elif not query.sort and column.sort == usual.field:
            way = "descending" if usual.descending else "ascending"
        link = query.link(sort=_turned(column.name, way)) if column.sort else ""
        yield Heading(column, link, way)


def _turned(name: str, way: str) -> str:
    return f"-{name}" if way == "ascending" else name


def _sifts(section: Section, query: Query) -> Iterator[Sift]:
    for one in section.filters:
        parts = [(name, query.values[name]) for name in one.names]
        yield Sift(one, parts, one.options())
