"""The first page: every entry of a crontab with its next and its last run."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.scheduler import control, models
from billclock.web import crontabs, server_crontabs
from billclock.web.access import may_edit, may_run, operator, signed_in, table_of
from billclock.web.hour import hour
from billclock.web.job_likings import COLUMNS, likings
from billclock.web.job_list import Listing, Table, listing
from billclock.web.job_query import NEVER, RESULTS, RUNNING, Query
from billclock.web.kit.cells import harmless
from billclock.web.outcomes import MARKS, mark
from billclock.web.retold import told
from billclock.web.rows import Row
from billclock.web.times import Wall
from billclock.web.undoing import offered
from billclock.web.visible import visible

MOST_BROKEN = 3  # lines told above the jobs; all of them stand in the crontab
HEADINGS = (
    "key", "active", "description", "command", "expression", "schedule", "zone", "next", "outcome",
    "last", "details", "report", "tags",
)  # fmt: skip


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show a table's jobs as the address asks: filtered, in order, page by page."""
    user = signed_in(request)
    name = table_of(request)
    reading = crontabs.read(name)
    wall = Wall.here()
    query = Query.read(request.GET, name)
    table = Table(reading, wall)
    found = listing(table, query)
    entries = reading.crontab.entries
    liked = likings(user)
    context = {
        "reading": reading,
        "table": name,
        "names": crontabs.names(user),
        "query": query,
        "list": found,
        "counts": found.counts,
        "hour": hour(name, entries, wall) if entries else None,
        "results": [(value, _result_word(value)) for value in RESULTS],
        "liked": liked,
        "columns": COLUMNS.items(),
        "may_run": may_run(user),
        "may_edit": may_edit(user) and not reading.crontab.system,
        "undo": offered(request),
        "broken": [visible(told(error)) for error in reading.crontab.errors[:MOST_BROKEN]],
        "unsaid": max(len(reading.crontab.errors) - MOST_BROKEN, 0),
        "links": _links(query, found),
        "urls": _urls(name),
    }
    if not entries and not reading.problem:
        context["source"] = _source(name, user)
    return render(request, "jobs/page.html", context)


@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Give the jobs that the address asks for, all pages of them, as CSV."""
    name = table_of(request)
    table = Table(crontabs.read(name), Wall.here())
    chosen = table.chosen(Query.read(request.GET, name))
    answer = StreamingHttpResponse(_csv(table.rows(chosen)), content_type="text/csv; charset=utf-8")
    file = name.replace("/", "_")
    answer["Content-Disposition"] = f'attachment; filename="jobs-{file}.csv"'
    return answer


@require_POST
def run_now(request: HttpRequest, entry: int) -> HttpResponse:
    """Ask the daemon to run an entry at once, and go to the run."""
    user = operator(request)
    found = get_object_or_404(models.Entry, pk=entry, gone_at=None)
    if not user.sees(found.table):
        raise PermissionDenied
    try:
        answer = control.ask("run-now", entry=entry, actor=user.email)
    except (control.NotRunningError, control.RefusedError) as error:
        messages.error(request, told(error))
        return HttpResponseRedirect(f"/?table={found.table}")
    audit.note(user.email, "job.run", str(entry), table=found.table, request=request)
    return redirect("run", run=answer["run"])


def _links(query: Query, found: Listing) -> dict[str, str]:
    """Give the addresses of the same list in other orders, states and pages."""
    orders = {
        name: query.link(sort=f"-{name}" if query.sort == name else name)
        for name in ("name", "line", "next", "last")
    }
    return {
        **orders,
        "any": query.link(state=""),
        "on": query.link(state="on"),
        "off": query.link(state="off"),
        "before": query.link(page=str(found.part.before or "")),
        "after": query.link(page=str(found.part.after or "")),
    }


def _urls(table: str) -> dict[str, str]:
    """Give the addresses of the form, the one of an entry as what stands around its key."""
    query = "?" + urlencode({"table": table})
    before, _zero, after = reverse("entry_edit", args=[0]).partition("0")
    return {"new": reverse("entry_new") + query, "before": before, "after": after}


def _result_word(value: str) -> str:
    if value == NEVER:
        return _("never run")
    return str((MARKS[value] if value != RUNNING else mark("")).word)


def _source(name: str, user: User) -> server_crontabs.Source | None:
    """Give this server's crontab of the same user, which a table without jobs may import."""
    own = [
        found for found in server_crontabs.sources(user) if found.name == name and not found.system
    ]
    return own[0] if own and own[0].lines else None


def _csv(rows: Sequence[Row]) -> Iterator[str]:
    """Write rows as CSV in which no program of tables takes a text for a formula."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    for cells in (HEADINGS, *map(_cells, rows)):
        writer.writerow([harmless(str(cell)) for cell in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cells(row: Row) -> Sequence[object]:
    last = row.last
    return (
        row.key or "",
        "on" if row.active else "off",
        f"{row.prefix}{row.title}",
        row.whole,
        row.expression,
        row.words,
        row.zone,
        row.next.exactly if row.next else "",
        last.mark.word if last else "",
        last.when.exactly if last and last.when else "",
        last.details if last else "",
        row.mail,
        ",".join(row.tags),
    )
