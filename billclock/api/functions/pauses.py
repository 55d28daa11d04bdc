"""Pauses as functions: which hold or are over, begin one, end one."""

from datetime import datetime
from typing import Annotated

from billclock import clock
from billclock.accounts.models import Role
from billclock.api import places
from billclock.api.documents import Change, Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.scheduler import control
from billclock.scheduler.models import Entry, Pause
from billclock.scheduler.pauses import ALL, scope_of

OF_ENTRY = "entry:"


@function("pauses", title="Pauses", kind=Kind.LIST, role=Role.VIEWER)
def listing(
    actor: Actor,
    *,
    over: Annotated[bool, "those that are over, too"] = False,
    limit: Annotated[int, "how many at most, up to 200"] = 50,
) -> Document:
    """List pauses, the newest first; those of single entries only of tables open to the actor."""
    found = Pause.objects.order_by("-id")
    if not over:
        found = found.exclude(until__lte=clock.now())
    if actor.tables is not None:
        found = found.exclude(scope__in=_of_others(actor))
    return Document("pauses", Kind.LIST, rows=[_row(row) for row in found[: places.most(limit)]])


@function("pauses.begin", title="Pause jobs", kind=Kind.ACTION, role=Role.OPERATOR)
def begin(
    actor: Actor,
    *,
    entry: Annotated[int | None, "this entry alone, by its key"] = None,
    tag: Annotated[str, "entries with this tag; all jobs without entry and tag"] = "",
    until: Annotated[datetime | None, "when it ends by itself; never if left out"] = None,
) -> Document:
    """Have the daemon start nothing of what is named, in place of a pause that it has."""
    if until is not None and until <= clock.now():
        message = f"until: {until.isoformat()} is over already"
        raise FunctionError("value", "until", until.isoformat(), message)
    scope, table = _scope(actor, entry, tag)
    end = until.isoformat() if until else None
    control.ask("pause", scope=scope, until=end, actor=actor.name)
    changes = [Change(scope or "all jobs", table, after=f"paused until {end or 'resumed'}")]
    return Document("pauses.begin", Kind.ACTION, values={"scope": scope}, changes=changes)


@function("pauses.end", title="End a pause", kind=Kind.ACTION, role=Role.OPERATOR)
def end(
    actor: Actor,
    *,
    entry: Annotated[int | None, "of this entry, by its key"] = None,
    tag: Annotated[str, "of this tag; of all jobs without entry and tag"] = "",
) -> Document:
    """End a pause of an entry, of a tag or of all jobs."""
    scope, table = _scope(actor, entry, tag)
    if not control.ask("resume", scope=scope, actor=actor.name)["ended"]:
        raise places.missing("scope", scope or "of all jobs", "pause")
    changes = [Change(scope or "all jobs", table, before="paused")]
    return Document("pauses.end", Kind.ACTION, changes=changes)


def _scope(actor: Actor, entry: int | None, tag: str) -> tuple[str, str]:
    """Name what a pause holds, and the one table it concerns; raise FunctionError."""
    if entry is not None:
        if tag:
            raise FunctionError("value", "tag", tag, "tag: give an entry or a tag, not both")
        return scope_of(entry=entry), places.entry(actor, entry).table
    if actor.tables is not None:
        message = f"{actor.name} may pause entries of his tables, give one: not all tables are his"
        raise FunctionError("access", "entry", "", message)
    return (scope_of(tag=tag) if tag else ALL), ""


def _of_others(actor: Actor) -> list[str]:
    """Name the scopes of single entries in tables that are not open to the actor."""
    scopes = Pause.objects.filter(scope__startswith=OF_ENTRY).values_list("scope", flat=True)
    keys = {int(scope.removeprefix(OF_ENTRY)) for scope in scopes}
    own = Entry.objects.filter(pk__in=keys, **places.open_to(actor)).values_list("id", flat=True)
    return [scope_of(entry=key) for key in keys.difference(own)]


def _row(pause: Pause) -> dict[str, str]:
    kind, _, name = pause.scope.partition(":")
    return {
        "key": str(pause.pk),
        "entry": name if kind == "entry" else "",
        "tag": name if kind == "tag" else "",
        "since": pause.since.isoformat(),
        "until": pause.until.isoformat() if pause.until else "",
        "who": pause.actor,
    }
