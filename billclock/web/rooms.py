"""Where one may go: the rooms of the frame, and the sections of the room one is in."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billclock.accounts.models import User
from billclock.web.kit.rights import sees
from billclock.web.kit.section import Group, Section
from billclock.web.sections import GROUPS

SCHEDULER = frozenset(
    ("jobs", "runs", "run", "entry", "timeline", "problems", "settings", "crontab", "version",
     "versions")
)  # fmt: skip


@dataclass(frozen=True)
class Room:
    """One place of the frame: its title, its address, and whether one is in it."""

    title: Promise | str
    url: str
    current: bool


def rooms(request: HttpRequest) -> list[Room]:
    """Give what is open to the user: the groups of sections he sees, and the scheduler."""
    if not isinstance(request.user, User):
        return []
    found = [_room(group, seen, request) for group, seen in _open(request.user)]
    name = _name(request)
    overview = Room(_("Overview"), reverse("dashboard"), name == "dashboard")
    scheduler = Room(_("Scheduler"), reverse("jobs"), name.partition("_")[0] in SCHEDULER)
    return [overview, *found, scheduler]


def tabs(request: HttpRequest) -> list[Room]:
    """Give the sections of the group one is in, as far as they are open to the user."""
    here = _section(request)
    if here is None or not isinstance(request.user, User):
        return []
    tab = here.within or here
    return [
        Room(section.title, reverse(section.name), section is tab)
        for _group, seen in _open(request.user)
        if tab in seen
        for section in seen
        if section.within is None
    ]


def family(request: HttpRequest) -> list[Room]:
    """Give the sections that share a tab with the one that is shown, and itself."""
    here = _section(request)
    if here is None or not isinstance(request.user, User):
        return []
    tab = here.within or here
    return [
        Room(section.title, reverse(section.name), section is here)
        for _group, seen in _open(request.user)
        for section in seen
        if tab in (section, section.within)
    ]


def _open(user: User) -> Iterator[tuple[Group, list[Section]]]:
    for group in GROUPS:
        seen = [section for section in group.sections if sees(user, section)]
        if seen:
            yield group, seen


def _room(group: Group, seen: list[Section], request: HttpRequest) -> Room:
    return Room(group.title, reverse(seen[0].name), _section(request) in group.sections)


def _section(request: HttpRequest) -> Section | None:
    match = request.resolver_match
    found = match.kwargs.get("section") if match else None
    return found if isinstance(found, Section) else None


def _name(request: HttpRequest) -> str:
    return (request.resolver_match.url_name or "") if request.resolver_match else ""
