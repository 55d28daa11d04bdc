"""The Settings screen of a table: reports, variables, pause, what is kept, the server's own."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billclock.accounts import audit
from billclock.accounts.models import Role, User
from billclock.cron import CronError
from billclock.scheduler import desk
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.errors import Conflict, TableError
from billclock.web import (
    crontabs,
    notifying,
    pausing,
    server_choices,
    server_settings,
    table_form,
    table_policies,
    trial_mail,
)
from billclock.web.access import editor, open_to, signed_in, table_of
from billclock.web.conflicts import meeting
from billclock.web.crontab_text import back_to, framed
from billclock.web.crontabs import Reading
from billclock.web.fresh import fresh
from billclock.web.numbers import whole
from billclock.web.retention_use import Limits, loss, use
from billclock.web.retold import told
from billclock.web.rows import when
from billclock.web.times import Wall
from billclock.web.undoing import offered, saved

MOST = 1_000_000  # of any limit that is tried out


@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def page(request: HttpRequest) -> HttpResponse:
    """Show a table's settings, or save what was typed."""
    name = table_of(request)
    reading = open_to(signed_in(request), name)
    if request.method == "POST":
        editor(request)
        form = table_form.typed(request.POST, reading.crontab)
        if not form.errors:
            return _save(request, reading, form)
        return render(request, "settings/page.html", _shown(request, reading, form), status=422)
    form = table_form.shown(reading.crontab)
    return render(request, "settings/page.html", _shown(request, reading, form))


@require_POST
@fresh
def trial(request: HttpRequest) -> HttpResponse:
    """Send a mail that says that mail works, as a report of this table would go."""
    user = editor(request)
    name = table_of(request)
    to = trial_mail.put(name, crontabs.load(name).crontab)
    for fault in to.faults:
        messages.error(request, fault)
    if not to.recipients:
        messages.error(request, _("Nobody gets reports of this table: choose addresses first."))
        return back_to("settings", name)
    told = ", ".join(to.recipients)
    audit.note(user.email, "mail.trial", told, table=name, request=request)
    if settings.SMTP:
        messages.success(request, _("A trial mail is on its way to %s.") % told)
    else:
        messages.error(
            request,
            _("The mail to %s waits: no mail server is set. Set BILLCLOCK_SMTP and restart.")
            % told,
        )
    return back_to("settings", name)


def _save(request: HttpRequest, reading: Reading, form: table_form.Form) -> HttpResponse:
    name = reading.name
    # what changes is told from what was shown, so that nobody else's edit is taken back
    changes = table_form.wanted(form, reading.crontab)
    before = reading.snapshot.data if reading.snapshot else None
    try:
        after = desk.edit(
            name,
            lambda now: table_form.assigned(now, changes),
            author=signed_in(request).email,
            seen=request.POST.get("seen"),
            note="settings",
        )
    except Conflict as conflict:
        context = framed(request, reading, "edit") | {"conflict": meeting(name, conflict)}
        return render(request, "crontab/conflict.html", context, status=409)
    except (TableError, NotRunningError, CronError) as problem:
        form.errors["others"] = told(problem)
        return render(request, "settings/page.html", _shown(request, reading, form), status=422)
    words = _("Settings saved: %s") % ", ".join(changes)
    saved(request, "settings.save", ", ".join(changes), before, after, words)
    return back_to("settings", name)


def _shown(request: HttpRequest, reading: Reading, form: table_form.Form) -> dict[str, Any]:
    user = signed_in(request)
    wall = Wall.here()
    kept = use()
    return framed(request, reading, "settings") | {
        "form": form,
        "below": table_form.below(reading.crontab),
        "zones": table_form.zones(),
        "policies": table_policies.shown(form, reading.crontab),
        "pauses": pausing.in_force(user, wall),
        "notify": notifying.shown(reading.name, wall),
        "no_pause": pausing.why_not(user),
        "smtp": bool(settings.SMTP),
        "kept": kept,
        "oldest": when(kept.oldest, wall),
        "limits": Limits.now(),
        "choices": server_choices.shown(),
        "may_choose": server_choices.may_choose(user),
        "trial": _trial(request, wall),
        "server": server_settings.shown() if user.role == Role.ROOT else (),
        "editors": _editors(reading.name) if user.role == Role.ROOT else (),
        "undo": offered(request),
    }


def _trial(request: HttpRequest, wall: Wall) -> dict[str, Any] | None:
    """Say what other limits would let go, if some were asked for."""
    given = {name: request.GET.get(name, "") for name in ("days", "runs", "mib")}
    if not any(given.values()):
        return None
    now = Limits.now()
    asked = {name: whole(text) for name, text in given.items()}
    limits = Limits(
        *(
            getattr(now, name) if number is None else min(number, MOST)
            for name, number in asked.items()
        )
    )
    return {"limits": limits, "loss": loss(limits, wall.now)}


def _editors(table: str) -> list[User]:
    """Give the users who may do something with a table: one query."""
    return [user for user in User.objects.filter(is_active=True) if user.sees(table)]
