"""The first page: every entry of a crontab with its next and its last run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billclock.accounts.models import Role, User
from billclock.cron.entry import Entry
from billclock.scheduler import control, models
from billclock.scheduler.roster import Zones
from billclock.web import crontabs
from billclock.web.crontabs import Reading
from billclock.web.history import lately
from billclock.web.hour import hour
from billclock.web.rows import Row, row
from billclock.web.times import Wall

A_PAGE = 100


@dataclass(frozen=True)
class Part:
    """The entries of one page, and the numbers of the pages before and after it."""

    entries: Sequence[Entry]
    first: int
    last: int
    of: int
    before: int | None
    after: int | None


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show a table (`?table=`), switched-on entries or all of them (`?state=`), page by page."""
    user = signed_in(request)
    names = crontabs.names(user)
    if not names:
        raise PermissionDenied(_("No crontab is open to this user: ask a root user."))
    name = request.GET.get("table", names[0])
    if name not in names:
        raise Http404(name)
    reading = crontabs.read(name)
    context = _shown(request, reading, Wall.here())
    context |= {"names": names, "may_run": user.role in (Role.ROOT, Role.OPERATOR)}
    return render(request, "jobs/page.html", context)


@require_POST
def run_now(request: HttpRequest, entry: int) -> HttpResponse:
    """Ask the daemon to run an entry at once, and go to the run."""
    user = signed_in(request)
    found = get_object_or_404(models.Entry, pk=entry, gone_at=None)
    if user.role == Role.VIEWER or not user.sees(found.table):
        raise PermissionDenied
    try:
        answer = control.ask("run-now", entry=entry, actor=user.email)
    except (control.NotRunningError, control.RefusedError) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(f"/?table={found.table}")
    return redirect("run", run=answer["run"])


def signed_in(request: HttpRequest) -> User:
    """Give the user of a request that the login middleware has let through."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _shown(request: HttpRequest, reading: Reading, wall: Wall) -> dict[str, Any]:
    everything = reading.crontab.entries
    state = request.GET.get("state", "")
    chosen = [e for e in everything if state not in ("on", "off") or e.active == (state == "on")]
    part = _part(chosen, request.GET.get("page", "1"))
    on = sum(entry.active for entry in everything)
    return {
        "reading": reading,
        "table": reading.name,
        "state": state,
        "rows": _rows(part.entries, reading, wall),
        "part": part,
        "hour": hour(reading.name, everything, wall) if everything else None,
        # without -u the commands mean the main table
        "user_option": "" if reading.name == crontabs.MAIN else f"-u {reading.name} ",
        "counts": {"all": len(everything), "on": on, "off": len(everything) - on},
        "wall": wall,
    }


def _part(entries: Sequence[Entry], wanted: str) -> Part:
    pages = max(1, -(-len(entries) // A_PAGE))
    number = min(max(int(wanted) if wanted.isdecimal() else 1, 1), pages)
    first = (number - 1) * A_PAGE
    shown = entries[first : first + A_PAGE]
    return Part(
        entries=shown,
        first=first + 1,
        last=first + len(shown),
        of=len(entries),
        before=number - 1 if number > 1 else None,
        after=number + 1 if number < pages else None,
    )


def _rows(entries: Sequence[Entry], reading: Reading, wall: Wall) -> list[Row]:
    keys = crontabs.keys(reading.name, entries)
    events = lately(keys.values())
    mailto = {e.scope: e.environment.get("MAILTO", reading.name) != "" for e in entries}
    zones = Zones()
    found = []
    for entry in entries:
        key = keys.get(entry.line)
        past = events.get(key, []) if key else []
        found.append(row(entry, key, past, wall, zone=zones.of(entry), mailto=mailto[entry.scope]))
    return found
