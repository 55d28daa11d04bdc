"""The scheduler's settings that are chosen on the Settings page: for all tables, by a root user."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.scheduler import chosen, control
from billclock.scheduler.chosen import RANGES, InForce, Origin
from billclock.web.access import editor, for_all, may_edit, table_of
from billclock.web.crontab_text import back_to
from billclock.web.fresh import fresh
from billclock.web.numbers import whole


@dataclass(frozen=True)
class Choice:
    """One setting: its name, words, value in force, range, and where the value comes from."""

    name: str
    words: str
    value: int
    least: int
    most: int
    origin: Origin

    @property
    def fixed(self) -> bool:
        """Tell whether the environment gives it, so that the page can't."""
        return self.origin is Origin.ENVIRONMENT


def may_choose(user: User) -> bool:
    """Tell whether a user may change what concerns every table."""
    return may_edit(user) and not user.tables.split()


def shown() -> Sequence[Choice]:
    """Give the settings as they are in force: one query."""
    values, origins = chosen.with_origins()
    return [
        Choice(name, words, getattr(values, name.lower()), *RANGES[name], origins[name])
        for name, words in _words().items()
    ]


@require_POST
@fresh
def change(request: HttpRequest) -> HttpResponse:
    """Keep what was typed; an empty field goes back to the default."""
    user = editor(request)
    table = table_of(request)
    for_all(user)
    before, origins = chosen.with_origins()
    wanted = _wanted(request.POST, before, origins)
    if wrong := _wrong(wanted):
        for fault in wrong:
            messages.error(request, fault)
        return back_to("settings", table)
    if wanted:
        chosen.choose(wanted, user.email)
        _note(request, user, before, wanted)
        with suppress(control.NotRunningError, control.RefusedError):  # it reads them at its start
            control.ask("take-settings")
        messages.success(request, _("Saved; the scheduler works by it from now on."))
    return back_to("settings", table)


def _wanted(given: QueryDict, now: InForce, origins: Mapping[str, Origin]) -> dict[str, str | None]:
    """Give what differs from what is in force; None for the default."""
    wanted: dict[str, str | None] = {}
    for name in RANGES:
        text = given.get(name, str(getattr(now, name.lower()))).strip()
        if origins[name] is Origin.ENVIRONMENT or text == str(getattr(now, name.lower())):
            continue
        if text or origins[name] is Origin.PAGE:
            wanted[name] = text or None
    return wanted


def _wrong(wanted: Mapping[str, str | None]) -> list[str]:
    words, faults = _words(), []
    for name, text in wanted.items():
        least, most = RANGES[name]
        number = whole(text or "")
        if text is not None and (number is None or not least <= number <= most):
            fault = _("%(what)s: a whole number from %(least)s to %(most)s; nothing was saved.")
            faults.append(fault % {"what": words[name], "least": least, "most": most})
    return faults


def _note(
    request: HttpRequest, user: User, before: InForce, wanted: Mapping[str, str | None]
) -> None:
    after = chosen.in_force()
    old, new = (
        "\n".join(f"{name}={getattr(values, name.lower())}" for name in wanted)
        for values in (before, after)
    )
    names = ", ".join(wanted)
    audit.note(user.email, "settings.choose", names, before=old, after=new, request=request)


def _words() -> dict[str, str]:
    return {
        "KEEP_DAYS": _("Runs are kept, days"),
        "KEEP_RUNS": _("Runs kept of one job"),
        "KEEP_MIB": _("Output kept in all, MiB"),
        "PARALLEL": _("Most jobs at once (0: no limit)"),
        "MAIL_A_NIGHT": _("Most mails a night from one table"),
        "SAME_FAILURE": _("The same failure is mailed again after, minutes"),
        "DIGEST_HOUR": _("Hour of the digest, server time"),
    }
