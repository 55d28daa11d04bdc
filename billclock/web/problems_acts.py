"""What one click does about a problem: run, mend a line, send again, follow the clock, snooze."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from billclock import clock
from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry as Line
from billclock.outbox import messages as outbox
from billclock.scheduler import control, desk, recent
from billclock.scheduler.errors import Conflict, TableError
from billclock.scheduler.models import Entry, Snooze
from billclock.scheduler.problems import Kind, Problem
from billclock.web import crontabs
from billclock.web.access import editor, for_all, operator
from billclock.web.fresh import fresh
from billclock.web.numbers import wholes
from billclock.web.problems_books import Trouble, troubles
from billclock.web.problems_found import found, named
from billclock.web.retold import told
from billclock.web.times import Wall
from billclock.web.undoing import saved

MORNING = 9  # the hour until which a problem sleeps over night
MOST = 100  # jobs started by one click


@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Ask the daemon to run jobs (`entry`, one or several) at once."""
    user = operator(request)
    wanted = wholes(request.POST.getlist("entry"))[:MOST]
    rows = [
        row for row in Entry.objects.filter(pk__in=wanted, gone_at=None) if user.sees(row.table)
    ]
    if not rows:
        raise Http404(_("There is no such job, or it is in no table any more."))
    started: list[int] = []
    for row in rows:
        try:
            answer = control.ask("run-now", entry=row.pk, actor=user.email)
        except control.NotRunningError as error:
            messages.error(request, told(error))
            break
        except control.RefusedError as error:
            messages.error(request, f"{named(row)}: {told(error)}")
            continue
        started.append(answer["run"])
        audit.note(user.email, "job.run", str(row.pk), table=row.table, request=request)
    if len(rows) == len(started) == 1:
        return redirect("run", run=started[0])
    if started:
        words = ngettext("%d job was started.", "%d jobs were started.", len(started))
        messages.success(request, words % len(started))
    return redirect("problems")


@require_POST
@fresh
def fix(request: HttpRequest) -> HttpResponse:
    """Put lines of a table right as their problems (`key`) propose; `seen` is its digest."""
    user = editor(request)
    problems = [problem for problem in _wanted(request, user) if problem.fix is not None]
    if not problems:
        return _settled_meanwhile(request)
    table = problems[0].table
    mends = {p.line: p.fix or "" for p in problems if p.table == table}

    def change(crontab: Crontab) -> Crontab:
        lines = bytes(crontab).split(b"\n")
        for line, mend in mends.items():
            lines[line - 1] = mend.encode("utf-8", "surrogateescape")
        return Crontab.parse(b"\n".join(lines), crontab.system)

    numbers = ", ".join(map(str, sorted(mends)))
    words = _("Put right in %(table)s: line %(lines)s") % {"table": table, "lines": numbers}
    before = bytes(crontabs.read(table).crontab)
    seen, note = request.POST.get("seen", ""), f"line {numbers} put right"
    try:
        after = desk.edit(table, change, author=user.email, seen=seen, note=note)
    except (TableError, control.NotRunningError) as error:
        return _refused(request, error)
    saved(request, "line.fix", f"line {numbers}", before, after, words)
    messages.success(request, words)
    return redirect("problems")


@require_POST
@fresh
def catch_up(request: HttpRequest, entry: int) -> HttpResponse:
    """Have missed moments of a job made up for once from now on."""

    def change(crontab: Crontab, line: Line) -> Crontab:
        return crontab.change(line, directives={**line.directives, "catch-up": "once"})

    words = _("From now on missed moments are made up for once")
    return _edited(request, entry, change, "job.catch_up", words)


@require_POST
@fresh
def switch_on(request: HttpRequest, entry: int) -> HttpResponse:
    """Switch a job on that was found to be off."""

    def change(crontab: Crontab, line: Line) -> Crontab:
        return crontab.switch(line, on=True)

    return _edited(request, entry, change, "job.enable", _("The job was switched on"))


@require_POST
def follow_clock(request: HttpRequest) -> HttpResponse:
    """Let entries that wait for a clock that was set back follow it as it stands."""
    user = operator(request)
    for_all(user)
    try:
        answer = control.ask("follow-clock", actor=user.email)
    except (control.NotRunningError, control.RefusedError) as error:
        messages.error(request, told(error))
        return redirect("problems")
    count = len(answer["entries"])
    audit.note(user.email, "clock.follow", f"{count} jobs", request=request)
    words = ngettext("%d job follows the new clock.", "%d jobs follow the new clock.", count)
    messages.success(request, words % count)
    _put_aside(user, [p for p in _open(user) if p.kind is Kind.CLOCK], None)
    return redirect("problems")


@require_POST
def send_again(request: HttpRequest) -> HttpResponse:
    """Queue the letters of mail problems (`key`) for another try at once."""
    user = operator(request)
    count = 0
    for problem in _wanted(request, user):
        if problem.kind is Kind.MAIL:
            count += outbox.again(recent.letters(problem.table, problem.reason))
    audit.note(user.email, "mail.again", f"{count} letters", request=request)
    words = ngettext("%d letter is tried again.", "%d letters are tried again.", count)
    messages.success(request, words % count)
    return redirect("problems")


@require_POST
def snooze(request: HttpRequest) -> HttpResponse:
    """Put problems (`key`) aside `for` an hour, until tomorrow, for a week, or for good."""
    user = operator(request)
    now = Wall.here().now
    tomorrow = (now + timedelta(days=1)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    ends = {
        "hour": now + timedelta(hours=1),
        "tomorrow": tomorrow,
        "week": now + timedelta(days=7),
        "good": None,
    }
    chosen = request.POST.get("for", "")
    if chosen not in ends:
        raise PermissionDenied(_("A problem is put aside for an hour, a day, a week or for good."))
    problems: list[Problem | Trouble] = [*_wanted(request, user), *_of_books(request, user)]
    until = ends[chosen]
    _put_aside(user, problems, until)
    for problem in problems:
        table, ends_at = problem.table, until.isoformat() if until else "for good"
        audit.note(
            user.email, "problem.snooze", problem.key, table=table, after=ends_at, request=request
        )
    words = ngettext("%d problem was put aside.", "%d problems were put aside.", len(problems))
    messages.success(request, words % len(problems))
    return redirect("problems")


@require_POST
def wake(request: HttpRequest) -> HttpResponse:
    """Show again what was put aside in the tables a user sees."""
    user = operator(request)
    known = found(user, Wall.here())
    keys = [problem.key for problem in known.problems] + [one.key for one in known.troubles]
    count, _rows = Snooze.objects.filter(key__in=keys).delete()
    audit.note(user.email, "problem.wake", f"{count} problems", request=request)
    return redirect("problems")


def _of_books(request: HttpRequest, user: User) -> list[Trouble]:
    """Give the problems of the books that a request names and that this user may know of."""
    keys = set(request.POST.getlist("key"))
    return [one for one in troubles(user) if one.key in keys]


def _put_aside(user: User, problems: Iterable[Problem | Trouble], until: Any) -> None:
    now = clock.now()
    for problem in problems:
        # what is told ahead of its time, as a clock change, is put aside with it
        values = {"at": max(now, problem.at), "until": until, "actor": user.email}
        Snooze.objects.update_or_create(key=problem.key, defaults=values)


def _open(user: User) -> list[Problem]:
    groups = found(user, Wall.here()).groups
    return [problem for group in groups for problem in group.problems]


def _wanted(request: HttpRequest, user: User) -> list[Problem]:
    """Give the problems that a request names and that this user may know of."""
    keys = set(request.POST.getlist("key"))
    return [problem for problem in _open(user) if problem.key in keys]


def _edited(request: HttpRequest, entry: int, change: Any, act: str, words: str) -> HttpResponse:
    """Save a change of one entry, tell of it, and go back to where it was asked for."""
    user = editor(request)
    row = Entry.objects.filter(pk=entry, gone_at=None).first()
    if row is None or not user.sees(row.table):
        raise Http404(_("There is no such job, or it is in no table any more."))
    before = crontabs.read(row.table).crontab
    try:
        after = desk.edit_entry(row.table, entry, change, author=user.email, note=act)
    except (TableError, control.NotRunningError) as error:
        return _refused(request, error)
    subject = named(row)
    saved(request, act, subject, bytes(before), after, f"{words}: {subject}")
    messages.success(request, f"{words}: {subject}")
    return redirect("problems")


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, Conflict):
        return _settled_meanwhile(request)
    messages.error(request, told(error))
    return redirect("problems")


def _settled_meanwhile(request: HttpRequest) -> HttpResponse:
    messages.error(
        request,
        _("The table was changed since the page was shown, so nothing was done: look again."),
    )
    return redirect("problems")
