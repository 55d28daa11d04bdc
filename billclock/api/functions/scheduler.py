"""The Scheduler section as functions: its list, one entry's form, on and off, settings, run."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Annotated

from django.db.models import Max

from billclock import clock
from billclock.accounts.models import Role
from billclock.api import places
from billclock.api.documents import Change, Document, Kind
from billclock.api.places import MAIN
from billclock.api.registry import Actor, function
from billclock.api.schedule_form import FIELDS, Given, listed, shown
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.scheduler import control, desk, models
from billclock.scheduler.roster import Zones
from billclock.scheduler.table import Snapshot

Key = Annotated[int, "an entry's key"]
AnyKey = Annotated[int | None, "an entry's key"]
Keys = Annotated[tuple[int, ...], "the keys of one or more entries, with commas"]
TableName = Annotated[str, "whose table, root if left out"]
Sok = Annotated[bool, "ok to save"]
Text = str | None
Switch = bool | None


@function("scheduler", title="Scheduler", kind=Kind.LIST, role=Role.VIEWER)
def entries(
    actor: Actor,
    *,
    table: TableName = MAIN,
    elid: Annotated[int | None, "this entry alone, of whichever table"] = None,
) -> Document:
    """List a table's entries, or one entry, with their next and last runs."""
    if elid is not None:
        table = places.entry(actor, elid).table
    snapshot = places.load(actor, table)
    zones, last = Zones(), _last_runs(table)
    rows = [
        {
            "key": str(key),
            **listed(entry),
            "next": _next(entry, zones),
            "last": last.get(key, ""),
        }
        for key, entry in zip(snapshot.keys, snapshot.crontab.entries, strict=True)
        if elid in (None, key)
    ]
    if elid is not None and not rows:  # it went while we looked
        raise places.missing("elid", elid, "entry")
    values = {"table": table, "seen": snapshot.digest}
    return Document("scheduler", Kind.LIST, rows=rows, values=values)


@function("scheduler.edit", title="A job of the scheduler", kind=Kind.FORM, more=FIELDS)
def edit(  # noqa: PLR0913 - the form has these fields
    actor: Actor,
    *,
    elid: AnyKey = None,
    table: TableName = MAIN,
    sok: Sok = False,
    seen: Annotated[Text, "the digest the form came with: refused if changed since"] = None,
    command: Annotated[Text, "the command, to the end of the line"] = None,
    description: Annotated[Text, "the words above the entry"] = None,
    active: Annotated[Switch, "whether it runs"] = None,
    hideout: Annotated[Switch, "do not email report"] = None,
    directives: Annotated[Text, "its directives, such as timeout=15m nice=10; empty: none"] = None,
    **schedule: str,
) -> Document:
    """Show an entry's form; with sok=ok change it, or without elid create it."""
    if elid is not None:
        table = places.entry(actor, elid).table
    before = places.load(actor, table)
    if not sok:
        return Document("scheduler.edit", Kind.FORM, values=_form(actor, before, elid))
    given = Given(command, description, active, hideout, schedule, directives, table)
    if elid is None:
        parts = given.changes(None)
        after = desk.edit(table, lambda crontab: crontab.add(**parts), author=actor.name, seen=seen)
        elid = after.keys[-1]
    else:
        after = desk.edit_entry(
            table,
            elid,
            lambda crontab, entry: crontab.change(entry, **given.changes(entry)),
            author=actor.name,
            seen=seen,
        )
    values = {"elid": str(elid), "table": table, "seen": after.digest}
    changes = [_change(before, after, [elid])]
    return Document("scheduler.edit", Kind.ACTION, values=values, changes=changes)


@function("scheduler.delete", title="Delete jobs of the scheduler", kind=Kind.ACTION)
def delete(actor: Actor, *, elid: Keys, sok: Sok = True) -> Document:
    """Delete entries with their descriptions and directives."""
    del sok
    return _each(actor, "scheduler.delete", elid, Crontab.remove)


@function("scheduler.resume", title="Enable jobs of the scheduler", kind=Kind.ACTION)
def resume(actor: Actor, *, elid: Keys, sok: Sok = True) -> Document:
    """Switch entries on."""
    del sok
    return _each(actor, "scheduler.resume", elid, lambda table, e: table.switch(e, on=True))


@function("scheduler.suspend", title="Disable jobs of the scheduler", kind=Kind.ACTION)
def suspend(actor: Actor, *, elid: Keys, sok: Sok = True) -> Document:
    """Switch entries off."""
    del sok
    return _each(actor, "scheduler.suspend", elid, lambda table, e: table.switch(e, on=False))


@function("scheduler.prop", title="Settings of the scheduler", kind=Kind.FORM)
def settings(
    actor: Actor,
    *,
    elid: AnyKey = None,
    table: TableName = MAIN,
    sok: Sok = False,
    mailto: Annotated[Text, "who gets the reports; nobody if empty"] = None,
    path: Annotated[Text, "the folders of programs, separated by spaces"] = None,
) -> Document:
    """Show or set a table's Email and Path; they hold for all its entries."""
    if elid is not None:
        table = places.entry(actor, elid).table
    old = _variables(places.load(actor, table).crontab)
    if not sok:
        values = {"mailto": old["MAILTO"], "path": old["PATH"].replace(":", " ")}
        return Document("scheduler.prop", Kind.FORM, values=values)
    new = {"MAILTO": mailto, "PATH": None if path is None else ":".join(path.split())}
    changed = {name: text for name, text in new.items() if text is not None and text != old[name]}

    def change(crontab: Crontab) -> Crontab:
        for name, text in changed.items():
            # an empty PATH would find nothing; an empty MAILTO is cron's way to say nobody
            crontab = crontab.assign(name, text or (None if name == "PATH" else ""))
        return crontab

    desk.edit(table, change, author=actor.name, note="settings")
    before, after = ("\n".join(f"{n}={side[n]}" for n in changed) for side in (old, changed))
    changes = [Change(", ".join(changed), table, before, after)]
    return Document("scheduler.prop", Kind.ACTION, changes=changes)


@function("run", title="Run a job of the scheduler now", kind=Kind.ACTION, role=Role.OPERATOR)
def run(actor: Actor, *, elid: Key, sok: Sok = True) -> Document:
    """Have the daemon start an entry now; gives the number of the run."""
    del sok
    row = places.entry(actor, elid)
    started = str(control.ask("run-now", entry=row.pk, actor=actor.name, api=True)["run"])
    changes = [Change(f"entry {row.pk}", row.table, after=f"run {started}")]
    return Document("run", Kind.ACTION, values={"run": started}, changes=changes)


def _each(
    actor: Actor, name: str, elid: Sequence[int], change: Callable[[Crontab, Entry], Crontab]
) -> Document:
    """Change entries of one or several tables, each table in one save."""
    rows = [places.entry(actor, key) for key in dict.fromkeys(elid)]
    changes = []
    for table in dict.fromkeys(row.table for row in rows):
        before, keys = desk.load(table), [row.pk for row in rows if row.table == table]
        found = [entry for key in keys if (entry := before.entry(key))]
        # from the last line up, so that the lines of those still to come stay the same
        chosen = sorted(found, key=lambda entry: -entry.line)
        after = desk.edit(
            table,
            lambda crontab, chosen=chosen: reduce(change, chosen, crontab),  # type: ignore[misc]
            author=actor.name,
            seen=before.digest,
            note=f"{name.rpartition('.')[2]} {len(chosen)}",
        )
        changes.append(_change(before, after, keys))
    return Document(name, Kind.ACTION, changes=changes)


def _change(before: Snapshot, after: Snapshot, keys: Sequence[int]) -> Change:
    """Give the lines of entries as they were and as they are."""
    subject = "entry " + ", ".join(map(str, keys))
    return Change(subject, after.name, _lines(before, keys), _lines(after, keys))


def _lines(snapshot: Snapshot, keys: Sequence[int]) -> str:
    found = [entry for key in keys if (entry := snapshot.entry(key))]
    raw = [line for e in found for line in (*_described(e), e.raw.decode("utf-8", "replace"))]
    return "\n".join(raw)


def _described(entry: Entry) -> list[str]:
    return [f"## {line}" for line in entry.description.splitlines()]


def _form(actor: Actor, snapshot: Snapshot, key: int | None) -> dict[str, str]:
    entry = snapshot.entry(key) if key is not None else None
    fields = {
        "elid": "" if key is None else str(key),
        "table": snapshot.name,
        "seen": snapshot.digest,
        "mailto": _variables(snapshot.crontab)["MAILTO"],
        "serverdate": f"{clock.now().astimezone(clock.server_zone()):%Y-%m-%d %H:%M:%S %Z}",
    }
    return fields | (
        shown(entry, veil=not actor.may(Role.ROOT)) if entry else {"active": "on", "hideout": "off"}
    )


def _variables(crontab: Crontab) -> dict[str, str]:
    """Give MAILTO and PATH as they hold for the first entry, empty where they are not set."""
    first = crontab.entries[0].line if crontab.entries else len(crontab.lines) + 1
    above = {found.name: found.value for found in crontab.assignments if found.line < first}
    return {name: above.get(name, "") for name in ("MAILTO", "PATH")}


def _next(entry: Entry, zones: Zones) -> str:
    if not entry.active:
        return ""
    upcoming = entry.expression.next(clock.now().astimezone(zones.of(entry)))
    return upcoming.isoformat() if upcoming else ""


def _last_runs(table: str) -> dict[int, str]:
    """Say of each entry when it last ran and how that ended: one query for all."""
    runs = models.Run.objects.filter(entry__table=table, entry__gone_at=None)
    newest = runs.order_by().values("entry_id").annotate(newest=Max("id")).values("newest")
    return {
        run.entry_id: f"{run.started:%Y-%m-%dT%H:%M:%SZ} {run.outcome or 'running'}"
        for run in models.Run.objects.filter(pk__in=newest)
        if run.started
    }
