"""Who outside hears of a table's runs: its webhook, chosen here, and the outside heartbeat."""

from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billclock import clock
from billclock.accounts import audit
from billclock.cron import hooks
from billclock.scheduler import chosen, control, heartbeat
from billclock.scheduler.chosen import Origin
from billclock.scheduler.models import TableHook
from billclock.web import policy_words
from billclock.web.access import editor, for_all, table_of
from billclock.web.crontab_text import back_to
from billclock.web.fresh import fresh
from billclock.web.rows import When, when
from billclock.web.times import Wall


@dataclass(frozen=True)
class Beat:
    """The outside heartbeat: its address as it may be shown, when and how the last one went."""

    address: str
    origin: Origin = Origin.ENVIRONMENT
    at: When | None = None
    fault: str = ""
    heard: When | None = None


@dataclass(frozen=True)
class Shown:
    """What the section shows; addresses without what in them is secret."""

    address: str
    when: str
    choices: tuple[tuple[str, str], ...]
    signed: bool
    beat: Beat


def shown(table: str, wall: Wall) -> Shown:
    """Give what hears of a table's runs: three queries."""
    row = TableHook.objects.filter(table=table).first()
    words = tuple((value, str(word)) for value, word in policy_words.offered(policy_words.HOOKS))
    address = hooks.shown(row.url) if row else ""
    wanted = row.when if row else "failure"
    return Shown(address, wanted, words, bool(settings.WEBHOOK_SECRET), _beat(wall))


@require_POST
@fresh
def change(request: HttpRequest) -> HttpResponse:
    """Choose a table's webhook, another ending it hears of, or none; an empty address stays."""
    user = editor(request)
    table = table_of(request)
    url, wanted = request.POST.get("url", "").strip(), request.POST.get("when", "")
    row = TableHook.objects.filter(table=table).first()
    if request.POST.get("do") == "remove":
        TableHook.objects.filter(table=table).delete()
        shown_now = "none"
        told = _("No webhook hears of this table’s runs any more.")
    else:
        if wrong := _wrong(url or (row.url if row else ""), wanted):
            messages.error(request, wrong)
            return back_to("settings", table)
        kept = {"url": url or (row.url if row else ""), "when": wanted}
        chosen_by = {"actor": user.email, "at": clock.now()}
        row, _new = TableHook.objects.update_or_create(table=table, defaults=kept | chosen_by)
        shown_now = hooks.shown(row.url)
        told = _("The webhook %s hears of this table’s runs.") % shown_now
    audit.note(user.email, "webhook.choose", shown_now, table=table, request=request)
    _tell_daemon()
    messages.success(request, told)
    return back_to("settings", table)


def _wrong(url: str, wanted: str) -> str:
    try:
        hooks.address(url)
    except ValueError:
        return _("The webhook needs an address such as https://example.org/hook.")
    return "" if wanted in hooks.WHEN else _("Choose of which endings the webhook hears.")


@require_POST
@fresh
def change_heartbeat(request: HttpRequest) -> HttpResponse:
    """Choose the address that is called once a minute, or none; for all tables."""
    user = editor(request)
    table = table_of(request)
    for_all(user)
    url = "" if request.POST.get("do") == "remove" else request.POST.get("url", "").strip()
    if not url and request.POST.get("do") != "remove":
        return back_to("settings", table)
    before = _called()
    try:
        chosen.choose({"HEARTBEAT_URL": url or None}, user.email)
    except ValueError:
        messages.error(request, _("The heartbeat needs an address such as https://example.org/b, "
                                  "and none from the environment."))  # fmt: skip
        return back_to("settings", table)
    after = _called()
    audit.note(user.email, "heartbeat.choose", after, before=before, after=after, request=request)
    _tell_daemon()
    told = _("%s is called once a minute from now on.") % after if url else _("None is called.")
    messages.success(request, told)
    return back_to("settings", table)


def _called() -> str:
    address = chosen.in_force().heartbeat_url
    return hooks.shown(address) if address else ""


def _beat(wall: Wall) -> Beat:
    values, origins = chosen.with_origins()
    origin = origins["HEARTBEAT_URL"]
    if not values.heartbeat_url:
        return Beat("", origin)
    last, label = heartbeat.last(), hooks.shown(values.heartbeat_url)
    if last is None or last.address != label:
        return Beat(label, origin)
    return Beat(label, origin, when(last.at, wall), last.fault, when(last.heard, wall))


def _tell_daemon() -> None:
    """Have the daemon take it over now; one that is down does so when it starts."""
    with suppress(control.NotRunningError, control.RefusedError):
        control.ask("take-settings")
