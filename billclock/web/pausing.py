"""Pauses on screens: those in force in words; one begun until a moment, one ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billclock import clock
from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.scheduler import control
from billclock.scheduler.models import Entry, Pause
from billclock.web.access import for_all, may_run, operator, table_of
from billclock.web.crontab_text import back_to
from billclock.web.numbers import whole
from billclock.web.rows import When, when
from billclock.web.times import Wall
from billclock.web.visible import visible


@dataclass(frozen=True)
class Shown:
    """A pause in force: what it holds, since when and until when (None: until it is ended)."""

    scope: str
    words: str
    since: When | None
    until: When | None
    actor: str


def in_force(user: User, wall: Wall) -> Sequence[Shown]:
    """Give the pauses that are not over and concern a table the user sees: two queries."""
    going_on = Pause.objects.filter(Q(until=None) | Q(until__gt=wall.now), since__lte=wall.now)
    found = list(going_on.order_by("since"))
    keys = [int(one.scope[6:]) for one in found if one.scope.startswith("entry:")]
    named = {
        f"entry:{entry.pk}": entry.description or entry.command
        for entry in Entry.objects.filter(pk__in=keys)
        if user.sees(entry.table)
    }
    return [
        Shown(
            one.scope,
            _words(one.scope, named),
            when(one.since, wall),
            when(one.until, wall),
            one.actor,
        )
        for one in found
        if one.scope in named or not one.scope.startswith("entry:")
    ]


def why_not(user: User) -> str:
    """Say why a user can't begin or end pauses, which concern every crontab; empty if he can."""
    if not may_run(user):
        return _("Pausing needs the role Operator; yours is %s.") % user.get_role_display()
    if user.tables.split():
        return _("A pause holds every crontab, and not all of them are open to you.")
    return ""


@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Begin a pause of everything, or end one: `do` is pause or resume."""
    user = operator(request)
    name = table_of(request)
    for_all(user)
    try:
        if request.POST.get("do") == "resume":
            scope = request.POST.get("scope", "")
            control.ask("resume", scope=scope, actor=user.email)
            audit.note(user.email, "pause.end", scope or "all", request=request)
            messages.success(request, _("Resumed: jobs start again at their next moment."))
        else:
            until = _until(request)
            iso = until.isoformat() if until else ""
            control.ask("pause", scope="", until=iso, actor=user.email)
            audit.note(user.email, "pause.begin", "all", after=iso, request=request)
            messages.success(request, _("Paused: nothing is started, what runs goes on."))
    except (control.NotRunningError, control.RefusedError, ValueError) as problem:
        messages.error(request, str(problem))
    return back_to("settings", name)


def _until(request: HttpRequest) -> datetime | None:
    """Give the moment a pause should end, None for never; ValueError for one that is no use."""
    minutes, moment = whole(request.POST.get("minutes", "")), request.POST.get("until", "").strip()
    if minutes and minutes <= 60 * 24 * 366:
        return clock.now() + timedelta(minutes=minutes)
    if not moment:
        return None
    found = parse_datetime(moment)
    if found is None:
        raise ValueError(_("%s is no date and time.") % moment)
    if found.tzinfo is None:
        found = found.replace(tzinfo=clock.server_zone())
    if found <= clock.now():
        raise ValueError(_("The end of a pause lies in the future."))
    return found


def _words(scope: str, named: Mapping[str, str]) -> str:
    if scope.startswith("tag:"):
        return _("Jobs tagged %s") % scope[4:]
    if scope.startswith("entry:"):
        return _("The job %s") % visible(named[scope])
    return _("All jobs")
