"""The Problems page: what is open with its remedies, and why a job did not run at a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billclock import clock
from billclock.accounts.models import User
from billclock.web.access import may_edit, may_run, signed_in
from billclock.web.numbers import whole
from billclock.web.problems_books import checked
from billclock.web.problems_found import Found, found
from billclock.web.problems_remedies import ASKABLE
from billclock.web.problems_why import Why, why
from billclock.web.problems_words import cards
from billclock.web.times import Wall

FARTHEST = timedelta(days=400)
HOLDS = 30.0  # seconds for which a number of problems is taken for the right one
SHOWN = 100  # cards of one page; what comes behind them is told by its number


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the open problems; with `?entry=` and `?at=` (server's time) also why it did not run."""
    user = signed_in(request)
    wall = Wall.here()
    all_found = found(user, wall)
    if not all_found.digests:
        raise PermissionDenied(_("No crontab is open to this user: ask a root user."))
    shown = cards(all_found, user)
    context: dict[str, Any] = {
        "cards": shown[:SHOWN],
        "open": len(shown),
        "hidden": max(len(shown) - SHOWN, 0),
        "books": checked(user, wall),
        "aside": _aside(all_found),
        "jobs": [(key, all_found.title(key)) for key in all_found.entries],
        "at": request.GET.get("at") or f"{wall.now:%Y-%m-%dT%H:%M}",
        "latest": f"{wall.now + FARTHEST:%Y-%m-%dT%H:%M}",
        "earliest": f"{wall.now - FARTHEST:%Y-%m-%dT%H:%M}",
        "may_run": may_run(user),
        "may_edit": may_edit(user),
        "wall": wall,
    }
    return render(request, "problems/page.html", context | _asked(request, all_found))


@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """Give the number of open problems, for the tab: at most HOLDS seconds old."""
    user = signed_in(request)
    key = Asker(user.pk, user.tables, int(clock.seconds() // HOLDS))
    return HttpResponse(str(_count(key)), content_type="text/plain")


@dataclass(frozen=True)
class Asker:
    """Whose number it is, and for which stretch of time."""

    user: int
    tables: str
    stretch: int


@lru_cache(maxsize=64)
def _count(asker: Asker) -> int:
    return found(User.objects.get(pk=asker.user), Wall.here()).count


def _aside(all_found: Found) -> int:
    """Count the problems that would be open had nobody put them aside."""
    shown = {problem.key for group in all_found.groups for problem in group.problems}
    shown |= {one.key for one in all_found.open_troubles}
    known = {problem.key for problem in all_found.problems}
    return len(known.union(one.key for one in all_found.troubles) - shown)


def _asked(request: HttpRequest, all_found: Found) -> dict[str, Any]:
    """Answer the question in the address, if there is one."""
    wanted = request.GET.get("entry", "")
    if not wanted:
        return _foremost(all_found)
    entry = all_found.entries.get(whole(wanted) or 0)
    if entry is None:
        raise Http404(_("There is no such job, or it is in no table any more."))
    moment = _moment(request, all_found.wall)
    if moment is None:
        return {"entry": entry.pk, "unclear": True}
    answer: Why = why(entry, moment, all_found)
    return {"entry": entry.pk, "why": answer, "asked": True}


def _foremost(all_found: Found) -> dict[str, Any]:
    """Answer for the first open problem that is a moment without a start, where nobody asks."""
    for group in all_found.groups:
        entry = all_found.entries.get(group.first.entry or 0)
        if entry and group.first.kind in ASKABLE:
            at = group.first.at.astimezone(all_found.wall.zone)
            answer = why(entry, at, all_found)
            return {"entry": entry.pk, "why": answer, "at": f"{at:%Y-%m-%dT%H:%M}"}
    return {"entry": None}


def _moment(request: HttpRequest, wall: Wall) -> datetime | None:
    """Read the moment asked for, a wall time of the server; None where it is none."""
    try:
        naive = datetime.fromisoformat(request.GET.get("at", ""))
    except ValueError:
        return None
    if naive.tzinfo is not None:
        naive = naive.astimezone(wall.zone).replace(tzinfo=None)
    again = int(request.GET.get("pass") == "2")
    moment = naive.replace(second=0, microsecond=0, tzinfo=wall.zone, fold=again)
    return moment if abs(moment - wall.now) <= FARTHEST else None
