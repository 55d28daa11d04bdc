"""What ran: the runs asked for, page by page; one in full; the hands that stop and repeat it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.scheduler import control
from billclock.scheduler.models import Outcome, Run, Table, Trigger
from billclock.web import crontabs, run_query, run_text
from billclock.web.access import may_run, operator, signed_in
from billclock.web.outcomes import MARKS, mark
from billclock.web.retold import told
from billclock.web.rows import When, when
from billclock.web.run_detail import facts
from billclock.web.run_found import one
from billclock.web.run_lines import Fold, Line, folded, line, title, trigger_word
from billclock.web.run_query import RUNNING, Query
from billclock.web.times import Wall

A_PAGE = 50
MOST_TABLES, MOST_ENTRIES = 20, 500  # of which the next start is looked for
FOLDED_AT_ONCE = 500  # runs of which a page of folded lines is made


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the runs that the address asks for, the newest first: a fixed number of queries."""
    user, wall, query = signed_in(request), Wall.here(), Query.read(request.GET)
    most = FOLDED_AT_ONCE if query.fold else A_PAGE
    looked = run_text.search(query, user, wall, most) if query.text else None
    found = looked.runs if looked else run_query.page(query, user, wall, most + 1)
    lines, last = _lines(query, found[:most], wall)
    more = len(found) > most or (last is not None and last.pk != found[-1].pk)
    older = query.cursor(last) if last is not None and more else looked.older if looked else ""
    context: dict[str, Any] = {
        "lines": lines,
        "older": query.older(older) if older else "",
        "looked": looked,
        "query": query,
        "here": query.address(),
        "only": title(found[0]) if query.entry and found else query.entry,
        "may_run": may_run(user),
        "kept": None if older else _kept(user, wall),
        "next": None if lines or query.filtered or query.before else _next(user, wall),
        **_choices(user),
    }
    return render(request, "runs/list.html", context)


def _lines(
    query: Query, runs: Sequence[Run], wall: Wall
) -> tuple[Sequence[Line | Fold], Run | None]:
    """Put a page into words, and give the last run that is on it."""
    if query.fold:
        return folded(runs, wall, A_PAGE)
    return [line(run, wall) for run in runs], runs[-1] if runs else None


@require_safe
def detail(request: HttpRequest, run: int) -> HttpResponse:
    """Show one run, or what of it `?show=` names."""
    user = signed_in(request)
    found = one(user, run)
    show = request.GET.get("show", "")
    navigated = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    context = facts(found, user, show, navigated=navigated)
    return render(request, "runs/detail.html", context)


@require_safe
def download(request: HttpRequest, run: int) -> HttpResponse:
    """Give a run's whole kept output, byte for byte, as a file that no browser opens."""
    one(signed_in(request), run)
    data = run_text.kept(run, b"\n[%d bytes were not kept]\n")
    answer = HttpResponse(data, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="run-{run}.txt"'
    return answer


@require_POST
def stop(request: HttpRequest, run: int) -> HttpResponse:
    """Ask the daemon to stop a run: TERM, its grace, then KILL."""
    user = operator(request)
    found = one(user, run)
    try:
        control.ask("stop", run=run, actor=user.email)
    except (control.NotRunningError, control.RefusedError) as error:
        messages.error(request, told(error))
    else:
        table = found.entry.table
        audit.note(user.email, "run.stop", str(run), table=table, request=request)
        messages.success(request, _("The run was asked to stop."))
    return redirect("run", run=run)


@require_POST
def again(request: HttpRequest, run: int) -> HttpResponse:
    """Run the job of a run once more, by hand, and go to the new run."""
    user = operator(request)
    found = one(user, run)
    try:
        if found.entry.gone_at is not None:
            raise PermissionDenied(_("The job is no longer in its crontab."))
        answer = control.ask("run-now", entry=found.entry_id, actor=user.email)
    except (control.NotRunningError, control.RefusedError) as error:
        messages.error(request, told(error))
        return HttpResponseRedirect(_back(request, run))
    table = found.entry.table
    audit.note(user.email, "job.run", str(found.entry_id), table=table, request=request)
    return redirect("run", run=answer["run"])


def _back(request: HttpRequest, run: int) -> str:
    """Give the address of the list as it was, where the form came from it; else the run's."""
    back = request.POST.get("back", "")
    return reverse("runs") + back if back.startswith("?") else reverse("run", args=[run])


def _choices(user: User) -> dict[str, Any]:
    """Give what the filters offer."""
    tables = Table.objects.order_by("name").values_list("name", flat=True)
    return {
        "outcomes": [(RUNNING, mark("")), *((name, MARKS[name]) for name in Outcome.values)],
        "triggers": [(name, trigger_word(name)) for name in Trigger.values],
        "tables": [name for name in tables[:200] if user.sees(name)],
    }


def _kept(user: User, wall: Wall) -> When | None:
    """Give the moment before which no run is kept; None where nothing was let go yet."""
    return when(run_query.oldest(user), wall)


def _next(user: User, wall: Wall) -> When | None:
    """Give when the next job starts, by the crontabs that are open to a user."""
    moments = [
        moment
        for name in crontabs.names(user)[:MOST_TABLES]
        for entry in crontabs.read(name).crontab.entries[:MOST_ENTRIES]
        if entry.active and (moment := entry.expression.next(wall.now)) is not None
    ]
    return when(min(moments, default=None), wall)
