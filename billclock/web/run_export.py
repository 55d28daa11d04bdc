"""The runs asked for as CSV or JSON, all pages of them, sent as they are read."""

import csv
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from billclock.accounts.models import User
from billclock.scheduler.models import Run
from billclock.web import run_query
from billclock.web.access import signed_in
from billclock.web.kit.cells import harmless
from billclock.web.run_query import Query
from billclock.web.run_text import search
from billclock.web.times import Wall

AT_ONCE = 1000
COLUMNS = (
    "id", "table", "entry_id", "description", "command", "outcome", "reason", "trigger", "actor",
    "attempt", "planned", "started", "finished", "exit_code", "signal", "cpu", "memory",
    "output_size", "host", "user",
)  # fmt: skip

Write = Callable[[Sequence[Run], bool], str]


@require_safe
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Give the runs as CSV, a heading first; moments in UTC, seconds, KiB and bytes."""
    return _sent(request, "text/csv; charset=utf-8", "runs.csv", _csv)


@require_safe
def as_json(request: HttpRequest) -> StreamingHttpResponse:
    """Give the runs as JSON, an object a line (JSON Lines); figures as in the CSV."""
    return _sent(request, "application/jsonl; charset=utf-8", "runs.jsonl", _json)


def _sent(request: HttpRequest, kind: str, name: str, write: Write) -> StreamingHttpResponse:
    user, query = signed_in(request), Query.read(request.GET)
    answer = StreamingHttpResponse(_parts(query, user, write), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _parts(query: Query, user: User, write: Write) -> AsyncIterator[str]:
    """Write the runs a thousand at a time; no database connection is held in between."""
    place, first = query.before, True
    while first or place:
        here = replace(query, before=place)
        runs, place = await sync_to_async(_page)(here, user)
        yield write(runs, first)
        first = False


def _page(query: Query, user: User) -> tuple[list[Run], str]:
    """Give some runs and the place of those that follow, empty at the end."""
    wall = Wall.here()
    try:
        if query.text:
            looked = search(query, user, wall, AT_ONCE)
            return list(looked.runs), looked.older
        runs = run_query.page(query, user, wall, AT_ONCE)
        return runs, query.cursor(runs[-1]) if len(runs) == AT_ONCE else ""
    finally:
        close_old_connections()


def _csv(runs: Sequence[Run], first: bool) -> str:
    text = StringIO()
    writer = csv.writer(text)
    if first:
        writer.writerow(COLUMNS)
    writer.writerows([harmless(value) for value in _values(run).values()] for run in runs)
    return text.getvalue()


def _json(runs: Sequence[Run], _first: bool) -> str:
    return "".join(json.dumps(_values(run), ensure_ascii=False) + "\n" for run in runs)


def _values(run: Run) -> dict[str, Any]:
    entry = {name: getattr(run.entry, name) for name in ("table", "description", "command")}
    found = {name: entry[name] if name in entry else getattr(run, name) for name in COLUMNS}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in found.items()
    }
