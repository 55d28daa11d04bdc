"""Tables as functions: which there are, what their text is worth, versions and the way back."""

import os
from typing import Annotated

from billclock import clock
from billclock.accounts.models import Role
from billclock.api import places
from billclock.api.documents import Change, Document, Kind
from billclock.api.places import MAIN
from billclock.api.registry import Actor, function
from billclock.cron import veiling
from billclock.cron.crontab import Crontab
from billclock.cron.findings import Finding
from billclock.cron.lint import lint
from billclock.jobs.job import HOME, Program
from billclock.scheduler import desk, models, versions
from billclock.scheduler.environment import refusal
from billclock.scheduler.table import Snapshot

TableName = Annotated[str, "whose table, root if left out"]
Number = Annotated[int, "a version's number"]


@function("tables", title="Tables", kind=Kind.LIST, role=Role.VIEWER)
def tables(actor: Actor) -> Document:
    """List the tables open to the actor; the main one first, though it may have no file yet."""
    known = {row.name: row for row in models.Table.objects.filter(**places.open_to(actor, "name"))}
    names = [name for name in dict.fromkeys((MAIN, *desk.names())) if actor.sees(name)]
    return Document("tables", Kind.LIST, rows=[_table(name, known.get(name)) for name in names])


@function("scheduler.check", title="Check a crontab", kind=Kind.LIST, role=Role.VIEWER)
def check(
    actor: Actor,
    *,
    table: TableName = MAIN,
    text: Annotated[str | None, "a text to check in place of a table's"] = None,
    system: Annotated[bool, "the text has a user column, as /etc/crontab has"] = False,
) -> Document:
    """List the findings of a table, or of a text that is nowhere kept."""
    if text is None:
        crontab = places.reading(actor, table)
    else:
        crontab = Crontab.parse(text.encode("utf-8", "surrogateescape"), system=system)
    # by the article's paths our own commands are found even where no such file is
    ours = {f"{HOME}/{program}" for program in Program}
    findings = lint(
        crontab,
        at=clock.now(),
        zone=clock.server_zone(),
        # which files and users there are is told of tables alone: a text could ask for any
        program=None if text is not None else lambda path: path in ours or os.access(path, os.X_OK),
        user=lambda name: refusal(table, name) if text is None or actor.may(Role.ROOT) else "",
    )
    return Document("scheduler.check", Kind.LIST, rows=[_finding(found) for found in findings])


@function("versions", title="Versions of a table", kind=Kind.LIST, role=Role.VIEWER)
def listing(
    actor: Actor,
    *,
    table: TableName = MAIN,
    before: Annotated[int | None, "versions below this number"] = None,
    limit: Annotated[int, "how many at most, up to 200"] = 50,
) -> Document:
    """List what a table once was, the newest first."""
    name = places.table(actor, table)
    found = models.Version.objects.filter(table=name).defer("data").order_by("-number")
    if before is not None:
        found = found.filter(number__lt=before)
    rows = [_version(version) for version in found[: places.most(limit)]]
    return Document("versions", Kind.LIST, rows=rows)


@function("versions.show", title="A version of a table", kind=Kind.FORM, role=Role.VIEWER)
def show(actor: Actor, *, number: Number, table: TableName = MAIN) -> Document:
    """Give a version's text and what it changed; secrets as stars for who may not edit it."""
    version = _numbered(actor, table, number)
    text, lines = versions.text(version) or b"", versions.difference(version)
    if not actor.may(Role.ROOT):
        text = veiling.text(text)
        lines = [line[:1] + veiling.line(line[1:]) for line in lines]
    values = {
        **_version(version),
        "text": text.decode("utf-8", "replace"),
        "difference": "\n".join(line.decode("utf-8", "replace").rstrip("\n") for line in lines),
    }
    return Document("versions.show", Kind.FORM, values=values)


@function("versions.restore", title="Bring a version back", kind=Kind.ACTION)
def restore(
    actor: Actor,
    *,
    number: Number,
    table: TableName = MAIN,
    seen: Annotated[str | None, "the digest of what is there now: refused if changed since"] = None,
) -> Document:
    """Make a table what it was, byte for byte."""
    version = _numbered(actor, table, number)
    before = desk.load(table)
    after = desk.restore(table, version.number, author=actor.name, seen=seen)
    return _changed("versions.restore", number, before, after)


@function("versions.undo", title="Undo a version", kind=Kind.ACTION)
def undo(actor: Actor, *, number: Number, table: TableName = MAIN) -> Document:
    """Take back what a version changed, and keep what later ones changed elsewhere."""
    version = _numbered(actor, table, number)
    before = desk.load(table)
    after = desk.undo(table, version.number, author=actor.name)
    return _changed("versions.undo", number, before, after)


def _numbered(actor: Actor, table: str, number: int) -> models.Version:
    return versions.numbered(places.table(actor, table), number)


def _changed(name: str, number: int, before: Snapshot, after: Snapshot) -> Document:
    shown = (veiling.text(one.shown) for one in (before, after))  # for the audit trail
    texts = (text.decode("utf-8", "replace") for text in shown)
    changes = [Change(f"version {number}", after.name, *texts)]
    values = {"table": after.name, "seen": after.digest}
    return Document(name, Kind.ACTION, values=values, changes=changes)


def _table(name: str, row: models.Table | None) -> dict[str, str]:
    return {
        "name": name,
        "system": "on" if row and row.system else "off",
        "problem": row.problem if row else "",
        "read": row.read_at.isoformat() if row and row.read_at else "",
    }


def _version(version: models.Version) -> dict[str, str]:
    return {
        "number": str(version.number),
        "table": version.table,
        "at": version.at.isoformat(),
        "author": version.author,
        "note": version.note,
        "digest": version.digest,
    }


def _finding(found: Finding) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in found._asdict().items()}
