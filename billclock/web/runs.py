"""What ran: the latest runs, one run with its output, and the hand that stops it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from billclock.accounts.models import Role, User
from billclock.scheduler import control, output
from billclock.scheduler.models import Outcome, Run, Trigger
from billclock.web import crontabs, terminal
from billclock.web.history import lately
from billclock.web.jobs import signed_in
from billclock.web.outcomes import Mark, mark
from billclock.web.rows import When, when
from billclock.web.spark import spark
from billclock.web.times import Wall, duration

A_PAGE = 50
SHOWN_LINES = 500  # of the head and of the tail each; the whole is one click away
ON_TIME = 1.0  # seconds of lateness not worth a word in a list


@dataclass(frozen=True)
class Line:
    """One run in words."""

    run: Run
    title: str
    mark: Mark
    trigger: str
    started: When | None
    planned: When | None
    finished: When | None
    late: str
    took: str
    cpu: str
    memory: str


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the latest runs, or those before a run (`?before=`), of one outcome or of all."""
    user = signed_in(request)
    outcome = request.GET.get("outcome", "")
    before = request.GET.get("before", "")
    runs = _open_to(user).select_related("entry").order_by("-id")
    if outcome in Outcome.values:
        runs = runs.filter(outcome=outcome)
    if before.isdecimal():
        runs = runs.filter(id__lt=int(before))
    found = list(runs[: A_PAGE + 1])
    wall = Wall.here()
    context = {
        "lines": [line(run, wall) for run in found[:A_PAGE]],
        "older": found[A_PAGE - 1].pk if len(found) > A_PAGE else None,
        "outcome": outcome,
        "outcomes": [(value, mark(value)) for value in Outcome.values],
        "later": before.isdecimal(),
    }
    return render(request, "runs/list.html", context)


@require_safe
def detail(request: HttpRequest, run: int) -> HttpResponse:
    """Show one run."""
    user = signed_in(request)
    found = _one(user, run)
    wall = Wall.here()
    context = {
        "line": line(found, wall),
        "spark": spark(lately([found.entry_id]).get(found.entry_id, [])),
        "table": found.entry.table,
        "may_run": user.role in (Role.ROOT, Role.OPERATOR),
        "going_on": found.started is not None and not found.outcome,
        **_output(run),
    }
    return render(request, "runs/detail.html", context)


@require_safe
def download(request: HttpRequest, run: int) -> HttpResponse:
    """Give a run's whole kept output, byte for byte, as a file that no browser opens."""
    _one(signed_in(request), run)
    answer = HttpResponse(b"".join(_chunks(run)), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="run-{run}.txt"'
    return answer


@require_POST
def stop(request: HttpRequest, run: int) -> HttpResponse:
    """Ask the daemon to stop a run: TERM, its grace, then KILL."""
    user = signed_in(request)
    _one(user, run)
    if user.role == Role.VIEWER:
        raise PermissionDenied
    try:
        control.ask("stop", run=run, actor=user.email)
        messages.success(request, _("The run was asked to stop."))
    except (control.NotRunningError, control.RefusedError) as error:
        messages.error(request, str(error))
    return redirect("run", run=run)


def line(run: Run, wall: Wall) -> Line:
    """Put a run into words."""
    late = took = ""
    if run.started and run.planned:
        seconds = (run.started - run.planned).total_seconds()
        late = duration(seconds) if seconds >= ON_TIME else ""
    if run.started and run.finished:
        took = duration(run.finished - run.started)
    return Line(
        run=run,
        title=run.entry.description or run.entry.command,
        mark=mark(run.outcome, started=run.started is not None),
        trigger=_trigger(run.trigger),
        started=when(run.started, wall),
        planned=when(run.planned, wall),
        finished=when(run.finished, wall),
        late=late,
        took=took,
        cpu="" if run.cpu is None else duration(run.cpu),
        memory="" if not run.memory else filesizeformat(run.memory * 1024),
    )


def _trigger(name: str) -> str:
    return {
        Trigger.SCHEDULE: pgettext("trigger", "schedule"),
        Trigger.CATCH_UP: pgettext("trigger", "catch-up"),
        Trigger.RETRY: pgettext("trigger", "retry"),
        Trigger.MANUAL: pgettext("trigger", "by hand"),
        Trigger.TEST: pgettext("trigger", "test"),
    }[Trigger(name)]


def _open_to(user: User) -> QuerySet[Run]:
    runs = Run.objects.all()
    return runs.filter(entry__table__in=crontabs.names(user)) if user.tables.split() else runs


def _one(user: User, run: int) -> Run:
    found = _open_to(user).select_related("entry").filter(pk=run).first()
    if found is None:
        raise Http404(_("There is no run %d, or it is no longer kept.") % run)
    return found


def _chunks(run: int) -> list[bytes]:
    """Read what is kept of an output: at most about a mebibyte."""
    found, offset = [], 0
    while (chunk := output.read(run, offset, limit=1 << 20)).data:
        if chunk.left_out:
            found.append(b"\n[%d bytes were not kept]\n" % chunk.left_out)
        found.append(chunk.data)
        offset = chunk.next
    return found


def _output(run: int) -> dict[str, object]:
    lines = terminal.lines(b"".join(_chunks(run)))
    numbered: Sequence[tuple[int, str]] = list(enumerate(lines, 1))
    left_out = max(len(lines) - 2 * SHOWN_LINES, 0)
    return {
        "count": len(lines),
        "head": numbered[:SHOWN_LINES] if left_out else numbered,
        "left_out": left_out,
        "tail": numbered[-SHOWN_LINES:] if left_out else (),
    }
