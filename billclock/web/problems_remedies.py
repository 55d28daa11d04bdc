"""What one click can do about a problem, for those who may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from billclock.accounts.models import User
from billclock.scheduler.problems import Group, Kind
from billclock.web.access import may_edit, may_run
from billclock.web.problems_found import Found
from billclock.web.times import Wall

MOST = 20  # jobs started by one click


@dataclass(frozen=True)
class Remedy:
    """A button: what it says, where it posts to with which fields, or where it leads."""

    icon: str
    label: str
    url: str
    fields: Sequence[tuple[str, str]] = ()
    post: bool = True


ASKABLE = (Kind.MISSED, Kind.SKIPPED, Kind.PAUSED, Kind.OVERDUE)
CHANGEABLE = (Kind.CHAIN, Kind.DUPLICATE, Kind.CHANGE)
RUNNABLE = (Kind.FAILING, Kind.OVERDUE, Kind.MISSED, Kind.SKIPPED, Kind.PAUSED)


def ask(entry: int | None, at: datetime, wall: Wall) -> str:
    """Give the address at which one asks why an entry did not run at a moment."""
    if entry is None:
        return ""
    local = at.astimezone(wall.zone)
    fold = f"&pass={local.fold + 1}" if local.fold else ""
    return f"{reverse('problems')}?entry={entry}&at={local:%Y-%m-%dT%H:%M}{fold}#why"


def remedies(group: Group, found: Found, user: User) -> list[Remedy]:
    """Give what can be done about it, of which the first is the likeliest."""
    first = group.first
    given: list[Remedy] = []
    if first.kind in RUNNABLE and may_run(user):
        entries = list(dict.fromkeys(str(p.entry) for p in group.problems if p.entry))[:MOST]
        fields = [("entry", entry) for entry in entries]
        label = _("Run now") if len(entries) == 1 else _("Run all now")
        given.append(Remedy("play", label, reverse("problems_run"), fields))
    if first.fix and may_edit(user):
        given.append(_fix(group, found))
    if first.kind is Kind.STUCK and first.run and may_run(user):
        given.append(Remedy("square", _("Stop"), reverse("run_stop", args=[first.run])))
    if first.kind in (Kind.WAITING, Kind.CLOCK) and may_run(user) and not user.tables.split():
        given.append(Remedy("history", _("Follow the new clock"), reverse("problems_clock")))
    if first.kind is Kind.MAIL and may_run(user):
        fields = [("key", problem.key) for problem in group.problems]
        given.append(Remedy("send", _("Send again"), reverse("problems_mail"), fields))
    given += _ways(group, found, user)
    return given


def _ways(group: Group, found: Found, user: User) -> list[Remedy]:
    """Give the links to where one sees more of it, or changes it by hand."""
    first, one = group.first, len(group.problems) == 1
    given = []
    if first.kind is Kind.HEARTBEAT and may_edit(user):
        url = f"{reverse('settings')}#notifications"
        given.append(Remedy("wrench", _("See its address"), url, post=False))
    if first.kind is Kind.OUTSIDE:
        url = f"{reverse('version', args=[first.line])}?{urlencode({'table': first.table})}"
        given.append(Remedy("file-diff", _("See what changed"), url, post=False))
    if first.kind in CHANGEABLE and first.entry and one:
        label = _("Change the job") if may_edit(user) else _("Open the job")
        url = reverse("entry_edit", args=[first.entry])
        given.append(Remedy("pencil", label, url, post=False))
    if first.run and one:
        url = reverse("run", args=[first.run])
        given.append(Remedy("receipt-text", _("Open run"), url, post=False))
    if first.kind in ASKABLE and one and (url := ask(first.entry, first.at, found.wall)):
        given.append(Remedy("search", _("Why?"), url, post=False))
    return given


def _fix(group: Group, found: Found) -> Remedy:
    first, one = group.first, len(group.problems) == 1
    label = _("Fix the line") if one else _("Fix all these lines")
    if first.kind is Kind.DUPLICATE:
        label = _("Switch it off")
    fields = [("seen", found.digests.get(first.table, ""))]
    fields += [("key", problem.key) for problem in group.problems]
    return Remedy("wrench", label, reverse("problems_fix"), fields)
