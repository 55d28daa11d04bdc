"""The Scheduler section as functions: its list, one entry's form, on and off, settings, run."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Annotated

from django.db.models import Max

from billclock import clock
from billclock.accounts.models import Role
from billclock.api.documents import Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.api.schedule_form import FIELDS, Given, listed, shown
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.scheduler import control, models
from billclock.scheduler.roster import Zones
from billclock.scheduler.table import Snapshot, Table
from billclock.scheduler.tables import Tables

MAIN = "root"

Key = Annotated[str, "an entry's key"]
Keys = Annotated[tuple[int, ...], "the keys of one or more entries, with commas"]
TableName = Annotated[str, "whose table, root if left out"]
Sok = Annotated[bool, "ok to save"]
Text = str | None
Switch = bool | None


@function("scheduler", title="Scheduler", kind=Kind.LIST, role=Role.VIEWER)
def entries(actor: Actor, *, table: TableName = MAIN) -> Document:
    """List a table's entries with their next and last runs."""
    snapshot = _table(actor, table).load()
    zones, last = Zones(), _last_runs(table)
    rows = [
        {
            "key": str(key),
            **listed(entry),
            "next": _next(entry, zones),
            "last": last.get(key, ""),
        }
        for key, entry in zip(snapshot.keys, snapshot.crontab.entries, strict=True)
    ]
    return Document("scheduler", Kind.LIST, rows=rows)


@function("scheduler.edit", title="A job of the scheduler", kind=Kind.FORM, more=FIELDS)
def edit(  # noqa: PLR0913 - the form has these fields
    actor: Actor,
    *,
    elid: Key = "",
    table: TableName = MAIN,
    sok: Sok = False,
    seen: Annotated[Text, "the digest the form came with: refused if changed since"] = None,
    command: Annotated[Text, "the command, to the end of the line"] = None,
    description: Annotated[Text, "the words above the entry"] = None,
    active: Annotated[Switch, "whether it runs"] = None,
    hideout: Annotated[Switch, "do not email report"] = None,
    **schedule: str,
) -> Document:
    """Show an entry's form; with sok=ok change it, or without elid create it."""
    of, key = _place(actor, elid) if elid else (_table(actor, table), None)
    if not sok:
        return Document("scheduler.edit", Kind.FORM, values=_form(of.load(), key))
    given = Given(command, description, active, hideout, schedule)
    if key is None:
        parts = given.changes(None)
        snapshot = of.edit(lambda crontab: crontab.add(**parts), author=actor.name, seen=seen)
        key = snapshot.keys[-1]
    else:
        snapshot = of.edit_entry(
            key,
            lambda crontab, entry: crontab.change(entry, **given.changes(entry)),
            author=actor.name,
            seen=seen,
        )
    return Document("scheduler.edit", Kind.ACTION, values=_saved(snapshot, key))


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
    elid: Key = "",
    table: TableName = MAIN,
    sok: Sok = False,
    mailto: Annotated[Text, "who gets the reports; nobody if empty"] = None,
    path: Annotated[Text, "the folders of programs, separated by spaces"] = None,
) -> Document:
    """Show or set a table's Email and Path; they hold for all its entries."""
    of = _place(actor, elid)[0] if elid else _table(actor, table)
    old = _variables(of.load().crontab)
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

    of.edit(change, author=actor.name, note="settings")
    return Document("scheduler.prop", Kind.ACTION)


@function("run", title="Run a job of the scheduler now", kind=Kind.ACTION, role=Role.OPERATOR)
def run(actor: Actor, *, elid: Key, sok: Sok = True) -> Document:
    """Have the daemon start an entry now; gives the number of the run."""
    del sok
    _, key = _place(actor, elid)
    answer = control.ask("run-now", entry=key, actor=actor.name)
    return Document("run", Kind.ACTION, values={"run": str(answer["run"])})


def _table(actor: Actor, name: str) -> Table:
    if actor.tables is not None and name not in actor.tables:
        message = f"the table {name} is not open to {actor.name}"
        raise FunctionError("access", "table", name, message)
    try:
        return Tables().table(name)
    except ValueError as error:
        raise FunctionError("value", "table", name, str(error)) from None


def _place(actor: Actor, elid: str) -> tuple[Table, int]:
    """Give the table that holds an entry, and the entry's key as a number."""
    row = models.Entry.objects.filter(gone_at=None, pk=int(elid) if elid.isdecimal() else 0).first()
    if row is None:
        raise FunctionError("value", "elid", elid, f"elid: no entry has the key {elid!r}")
    return _table(actor, row.table), row.pk


def _each(
    actor: Actor, name: str, elid: Sequence[int], change: Callable[[Crontab, Entry], Crontab]
) -> Document:
    """Change entries of one or several tables, each table in one save."""
    places = [_place(actor, str(key)) for key in dict.fromkeys(elid)]
    for of in {table.name: table for table, _ in places}.values():
        snapshot = of.load()
        found = [snapshot.entry(key) for table, key in places if table.name == of.name]
        # from the last line up, so that the lines of those still to come stay the same
        chosen = sorted((e for e in found if e), key=lambda entry: -entry.line)
        note = f"{name.rpartition('.')[2]} {len(chosen)}"
        of.edit(
            lambda crontab, chosen=chosen: reduce(change, chosen, crontab),  # type: ignore[misc]
            author=actor.name,
            seen=snapshot.digest,
            note=note,
        )
    return Document(name, Kind.ACTION)


def _form(snapshot: Snapshot, key: int | None) -> dict[str, str]:
    entry = snapshot.entry(key) if key is not None else None
    fields = {
        "elid": "" if key is None else str(key),
        "table": snapshot.name,
        "seen": snapshot.digest,
        "mailto": _variables(snapshot.crontab)["MAILTO"],
        "serverdate": f"{clock.now().astimezone(clock.server_zone()):%Y-%m-%d %H:%M:%S %Z}",
    }
    return fields | (shown(entry) if entry else {"active": "on", "hideout": "off"})


def _saved(snapshot: Snapshot, key: int) -> dict[str, str]:
    return {"elid": str(key), "table": snapshot.name, "seen": snapshot.digest}


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
