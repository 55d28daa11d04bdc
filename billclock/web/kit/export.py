"""The rows of a list as CSV, all pages of them, sent as they are read."""

import csv
from collections.abc import AsyncIterator, Sequence
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe

from billclock.web.kit import keyset, rights
from billclock.web.kit.cells import harmless
from billclock.web.kit.keyset import Page
from billclock.web.kit.listing import asked, order_of
from billclock.web.kit.query import Query
from billclock.web.kit.section import Section
from billclock.web.times import Wall

AT_ONCE = 1000


@require_safe
def as_csv(request: HttpRequest, section: Section) -> StreamingHttpResponse:
    """Give the rows that the address asks for; moments in ISO 8601, amounts as plain numbers."""
    rights.reader(request, section)
    query = Query.read(request.GET.dict(), section.filters, section.sorts)
    parts = _parts(section, query, get_language() or "en")
    answer = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{section.name}.csv"'
    return answer


async def _parts(section: Section, query: Query, language: str) -> AsyncIterator[str]:
    """Write the rows a thousand at a time; no database connection is held in between."""
    headings = [name for column in section.columns for name in column.headings]
    yield _written([["key", *headings]])
    place, first = "", True
    while first or place:
        text, place = await sync_to_async(_part)(section, query, place, language)
        yield text
        first = False


def _part(section: Section, query: Query, place: str, language: str) -> tuple[str, str]:
    """Give some rows as text, and the place of those that follow, empty at the end."""
    try:
        rows = asked(section, query, Wall.here())
        found: Page = keyset.page(rows, order_of(section, query), AT_ONCE, after=place)
        with override(language):
            return _written([_cells(section, row) for row in found.rows]), found.after
    finally:
        close_old_connections()


def _cells(section: Section, row: Any) -> list[object]:
    return [row.pk, *(cell for column in section.columns for cell in column.cells(row))]


def _written(lines: Sequence[Sequence[object]]) -> str:
    text = StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in line] for line in lines)
    return text.getvalue()
