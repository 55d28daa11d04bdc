"""The versions of a crontab: who changed what and when; one brought back, one edit undone."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billclock.cron.crontab import Crontab
from billclock.cron.header import visible
from billclock.scheduler import desk, versions
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.errors import Conflict, NoVersion, TableError
from billclock.scheduler.models import Version
from billclock.scheduler.table import Snapshot
from billclock.web import crontabs
from billclock.web.access import editor, table_of
from billclock.web.conflicts import meeting
from billclock.web.crontab_text import back_to, framed
from billclock.web.difference import Difference, difference
from billclock.web.fresh import fresh
from billclock.web.numbers import whole
from billclock.web.rows import When, when
from billclock.web.times import Wall
from billclock.web.undoing import offered, saved
from billclock.web.visible import visible as visible_line

A_PAGE = 25


@dataclass(frozen=True)
class Kept:
    """One version in the list: when it was saved, what it changed; `now` is what is in force."""

    version: Version
    at: When | None
    changes: Difference | None
    outside: bool
    now: bool
    jobs: int | None

    @property
    def note(self) -> str:
        """Give the words that were saved with it; they may name a file of any name."""
        return visible_line(self.version.note)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """List a table's versions, the newest first; each opens to what it changed (`?version=`)."""
    name = table_of(request)
    reading = crontabs.load(name)
    found = Version.objects.filter(table=name).order_by("-number")
    older = whole(request.GET.get("before", ""))
    if older is not None:
        found = found.filter(number__lt=older)
    rows = list(found[: A_PAGE + 1])
    context = framed(request, reading, "versions")
    context |= {
        "versions": _kept(rows, context["seen"]),
        "older": rows[A_PAGE - 1].number if len(rows) > A_PAGE else None,
        "later": older is not None,
        "undo": offered(request),
    }
    return render(request, "crontab/versions.html", context)


@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    """Show what a version changed, and how it differs from what is in force (`?against=now`)."""
    name = table_of(request)
    reading = crontabs.load(name)
    try:
        version = versions.numbered(name, number)
    except NoVersion as problem:
        raise Http404(str(problem)) from None
    against = request.GET.get("against") == "now"
    context = framed(request, reading, "versions")
    old, new = _against_now(version, reading.snapshot) if against else _changes(version)
    context |= {
        "kept": _kept([version], context["seen"])[0],
        "against": against,
        "changes": difference(
            visible(old or b""), visible(new or b""), veil=not context["may_edit"]
        ),
    }
    return render(request, "crontab/version.html", context)


@require_POST
@fresh
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Bring back the text of a version, which is kept as a new one."""
    user = editor(request)
    name = table_of(request)
    before = _now(name)
    try:
        after = desk.restore(name, number, author=user.email, seen=request.POST.get("seen"))
    except (TableError, NotRunningError) as problem:
        messages.error(request, str(problem))
        return back_to("versions", name)
    words = _("Version %d of %s is back") % (number, name)
    saved(request, "crontab.restore", str(number), before, after, words)
    return back_to("crontab", name)


@require_POST
@fresh
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Take back what a version changed; what later ones changed on other lines stays."""
    user = editor(request)
    name = table_of(request)
    before = _now(name)
    try:
        after = desk.undo(name, number, author=user.email)
    except Conflict as conflict:
        context = framed(request, crontabs.load(name), "versions")
        context["conflict"] = meeting(name, conflict)
        return render(request, "crontab/conflict.html", context, status=409)
    except (TableError, NotRunningError) as problem:
        messages.error(request, str(problem))
        return back_to("versions", name)
    saved(request, "crontab.undo", str(number), before, after, _("Version %d was undone") % number)
    return back_to("jobs" if request.POST.get("next") == "jobs" else "crontab", name)


def _now(name: str) -> bytes | None:
    snapshot = crontabs.load(name).snapshot
    return snapshot.data if snapshot else None


def _kept(rows: Sequence[Version], seen: str) -> list[Kept]:
    """Put versions (the newest first) into words; each is compared with the next of the list."""
    wall = Wall.here()
    texts = [versions.text(row) for row in rows]
    found = []
    for place, row in enumerate(rows[:A_PAGE]):
        before = texts[place + 1] if place + 1 < len(rows) else None
        known = place + 1 < len(rows) or row.number == 1
        text = texts[place]
        found.append(
            Kept(
                version=row,
                at=when(row.at, wall),
                changes=difference(before or b"", text or b"", 0) if known else None,
                outside=row.author == versions.OUTSIDE,
                now=row.digest == seen,
                jobs=None if text is None else len(Crontab.parse(text).entries),
            )
        )
    return found


def _changes(version: Version) -> tuple[bytes | None, bytes | None]:
    try:
        before = versions.before(version)
    except NoVersion:
        before = None
    return before, versions.text(version)


def _against_now(version: Version, snapshot: Snapshot | None) -> tuple[bytes | None, bytes | None]:
    return versions.text(version), snapshot.data if snapshot else None
