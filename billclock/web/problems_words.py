"""A problem in words: what it is, why, and what one click does about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.accounts.models import User
from billclock.cron import veiling
from billclock.scheduler.problems import EVENTS, Group, Kind, Problem
from billclock.web.problems_books import Trouble
from billclock.web.problems_found import Found
from billclock.web.problems_reasons import WHY
from billclock.web.problems_remedies import ASKABLE, Remedy, ask, remedies
from billclock.web.retold import retold
from billclock.web.rows import When, when
from billclock.web.times import Wall, span
from billclock.web.visible import visible

TOLD = 20  # members of a group that are named

LOOKS: Mapping[Kind, tuple[str, str]] = {
    Kind.FAILING: ("circle-x", "bad"),
    Kind.STUCK: ("hourglass", "bad"),
    Kind.OVERDUE: ("clock-alert", "bad"),
    Kind.IGNORED: ("octagon-alert", "bad"),
    Kind.BROKEN: ("octagon-alert", "bad"),
    Kind.NEVER: ("octagon-alert", "bad"),
    Kind.CHAIN: ("octagon-alert", "bad"),
    Kind.MISSED: ("circle-dashed", "warn"),
    Kind.WAITING: ("history", "warn"),
    Kind.CLOCK: ("history", "warn"),
    Kind.MAIL: ("mail-x", "warn"),
    Kind.HEARTBEAT: ("circle-x", "warn"),
    Kind.LATE: ("clock-alert", "warn"),
    Kind.SKIPPED: ("skip-forward", "warn"),
    Kind.PAUSED: ("pause", "warn"),
    Kind.DUPLICATE: ("copy", "warn"),
    Kind.OUTSIDE: ("file-diff", ""),
    Kind.CHANGE: ("history", ""),
}


@dataclass(frozen=True)
class Member:
    """One of several problems of one cause: its name, its own figure, where to ask about it."""

    title: str
    details: str
    why: str
    fix: str = ""


@dataclass(frozen=True)
class Card:
    """A group of problems of one cause, ready to be shown.

    `fix` is the line as it would be, `keys` name the problems for putting them aside; `event`
    tells that it is over and can be put aside for good.
    """

    icon: str
    kind: str
    name: str
    what: str
    why: str
    when: When | None
    fix: str
    remedies: Sequence[Remedy]
    members: Sequence[Member]
    more: int
    keys: Sequence[str]
    event: bool


def card(group: Group, found: Found, user: User) -> Card:
    """Put a group into words, with the remedies that this user may use."""
    first = group.first
    one = len(group.problems) == 1
    icon, kind = LOOKS[first.kind]
    return Card(
        icon=icon,
        kind=kind,
        name=_name(group, found),
        what=_what(group, found.wall),
        why=visible(_why(group, found)) if one or not first.line else "",
        when=when(None if first.kind in _OF_NOW else first.at, found.wall),
        fix=visible(veiling.shown(first.fix or "")) if one else "",
        remedies=remedies(group, found, user),
        members=_members(group, found),
        more=max(len(group.problems) - TOLD, 0),
        keys=[problem.key for problem in group.problems],
        event=first.kind in EVENTS,
    )


def _why(group: Group, found: Found) -> str:
    """Say why; a chain's reason begins with a directive's name, which stays as it is written."""
    kind = group.first.kind
    why = WHY[kind](group, found.wall)
    return why if kind is Kind.CHAIN else capfirst(why)


def card_of_books(trouble: Trouble, wall: Wall) -> Card:
    """Put a problem of the books into words."""
    link = Remedy("search", trouble.label, trouble.url, post=False)
    return Card(
        icon=trouble.icon,
        kind=trouble.kind,
        name=trouble.name,
        what=trouble.what,
        why=trouble.why,
        when=when(trouble.at, wall),
        fix="",
        remedies=[link] if trouble.url else [],
        members=[Member(title, details, "") for title, details in trouble.members],
        more=trouble.more,
        keys=[trouble.key],
        event=False,
    )


def cards(found: Found, user: User) -> list[Card]:
    """Put all that is open into words: the books first, since they are money."""
    return [
        *(card_of_books(one, found.wall) for one in found.open_troubles),
        *(card(group, found, user) for group in found.groups),
    ]


_OF_NOW = (Kind.BROKEN, Kind.NEVER, Kind.DUPLICATE, Kind.IGNORED)


def _name(group: Group, found: Found) -> str:
    first = group.first
    if len(group.problems) > 1 and first.entry:
        jobs = len({problem.entry for problem in group.problems})
        return ngettext("%d job", "%d jobs", jobs) % jobs
    if len(group.problems) > 1 and first.kind in (Kind.BROKEN, Kind.NEVER):
        count = len(group.problems)
        words = ngettext("%(count)d line of %(table)s", "%(count)d lines of %(table)s", count)
        return words % {"count": count, "table": first.table}
    if first.line and not first.entry and first.kind is not Kind.OUTSIDE:
        return _("Line %(line)d of %(table)s") % {"line": first.line, "table": first.table}
    if first.kind is Kind.MAIL:
        return ngettext("%d message", "%d messages", group.count) % group.count
    if first.kind is Kind.CLOCK:
        return _("The clock")
    if first.kind is Kind.HEARTBEAT:
        return _("The outside heartbeat")
    return found.title(first.entry) or _("The table of %s") % first.table


def _what(group: Group, wall: Wall) -> str:
    """Say what the named ones do, in as many words as fit behind a name."""
    first, many, count = group.first, len(group.problems), group.count
    since = wall.within(min(p.since or p.at for p in group.problems))
    match first.kind:
        case Kind.FAILING:
            return ngettext("fails since %s", "fail since %s", many) % since
        case Kind.STUCK:
            return _("has been running for %s") % span(first.seconds)
        case Kind.OVERDUE:
            return _("has not succeeded in time")
        case Kind.MISSED:
            return ngettext("missed %d moment", "missed %d moments", count) % count
        case Kind.SKIPPED:
            return ngettext("was skipped %d time", "was skipped %d times", count) % count
        case Kind.PAUSED:
            return ngettext("paused at %d moment", "paused at %d moments", count) % count
        case Kind.LATE:
            return ngettext("began late %d time", "began late %d times", count) % count
    return _PLAIN[first.kind]()


_PLAIN: Mapping[Kind, Callable[[], str]] = {
    Kind.IGNORED: lambda: _("is not run"),
    Kind.BROKEN: lambda: _("can't be read"),
    Kind.NEVER: lambda: _("would never run"),
    Kind.CHAIN: lambda: _("does not start the job it names"),
    Kind.WAITING: lambda: _("waiting for the clock"),
    Kind.CLOCK: lambda: _("was set"),
    Kind.MAIL: lambda: _("can't be delivered"),
    Kind.HEARTBEAT: lambda: _("is not heard"),
    Kind.DUPLICATE: lambda: _("starts twice in the same minute"),
    Kind.OUTSIDE: lambda: _("was changed outside"),
    Kind.CHANGE: lambda: _("at the clock change"),
}


def _members(group: Group, found: Found) -> list[Member]:
    """Name the members of a group of several."""
    if len(group.problems) == 1:
        return []
    return [
        Member(
            title=found.title(problem.entry) or _("Line %d") % problem.line,
            fix=visible(veiling.shown(problem.fix or "")),
            details=_figure(problem, found.wall),
            why=ask(problem.entry, problem.at, found.wall) if problem.kind in ASKABLE else "",
        )
        for problem in group.problems[:TOLD]
    ]


def _figure(problem: Problem, wall: Wall) -> str:
    if problem.kind is Kind.CHANGE:
        return problem.subject
    if problem.kind in (Kind.BROKEN, Kind.NEVER):
        return visible(retold(problem.reason))
    return f"×{problem.count}" if problem.count > 1 else wall.when(problem.at)
