"""Where the web reads and edits crontabs: directly, or by the daemon when we may not ourselves.

A web process that runs as another user than the owner of BILLCLOCK_HOME can't touch a crontab: it
sends the whole new text with the digest of what it was made from, and the daemon saves it by the
same Table that commands use. Meanings and exceptions are Table's.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.scheduler import control, errors
from billclock.scheduler.errors import Conflict, Refused, TableError
from billclock.scheduler.table import Snapshot, Table
from billclock.scheduler.tables import Tables

TRIES = 5  # times an edit that asked for no certain text is made again on what others saved


def names() -> list[str]:
    """Name every table that has a file."""
    if is_ours():
        return [table.name for table in Tables()]
    return list(control.ask("table-names")["names"])


def load(name: str) -> Snapshot:
    """Read a table and know every entry's key."""
    if is_ours():
        return Tables().table(name).load()
    return _asked(name, "table-load")


def edit(
    name: str,
    change: Callable[[Crontab], Crontab],
    *,
    author: str,
    seen: str | None = None,
    note: str = "",
) -> Snapshot:
    """Save what `change` makes of a table; only lines it adds or changes must parse."""
    if is_ours():
        return Tables().table(name).edit(change, author=author, seen=seen, note=note)
    return _sent(name, lambda now: change(now.crontab), author, seen, note)


def edit_entry(
    name: str,
    key: int,
    change: Callable[[Crontab, Entry], Crontab],
    *,
    author: str,
    seen: str | None = None,
    note: str = "",
) -> Snapshot:
    """Save what `change` makes of a table and its entry `key`, which keeps its key."""
    if is_ours():
        table = Tables().table(name)
        return table.edit_entry(key, change, author=author, seen=seen, note=note)

    def make(now: Snapshot) -> Crontab:
        entry = now.entry(key)
        if entry is None:
            raise errors.NoEntry(name, key)
        return change(now.crontab, entry)

    return _sent(name, make, author, seen, note, edited=key)


def replace(
    name: str, data: bytes, *, author: str, seen: str | None = None, note: str = ""
) -> Snapshot:
    """Save a whole new text; Refused tells every bad line of it."""
    if is_ours():
        return Tables().table(name).replace(data, author=author, seen=seen, note=note)
    bad = Crontab.parse(data).errors
    if bad:
        raise Refused(name, bad)
    details = {"data": _packed(data), "seen": seen, "note": note, "whole": True}
    return _asked(name, "table-save", author=author, **details)


def remove(name: str, *, author: str, seen: str | None = None, note: str = "removed") -> Snapshot:
    """Remove a table, which stays as a version."""
    if is_ours():
        return Tables().table(name).remove(author=author, seen=seen, note=note)
    return _asked(name, "table-remove", author=author, seen=seen, note=note)


def restore(name: str, number: int, *, author: str, seen: str | None = None) -> Snapshot:
    """Bring back the text of a version, byte for byte."""
    if is_ours():
        return Tables().table(name).restore(number, author=author, seen=seen)
    return _asked(name, "table-restore", author=author, number=number, seen=seen)


def undo(name: str, number: int, *, author: str) -> Snapshot:
    """Take back what a version changed, and keep what later ones changed on other lines."""
    if is_ours():
        return Tables().table(name).undo(number, author=author)
    return _asked(name, "table-undo", author=author, number=number)


def is_ours() -> bool:
    """Tell whether this process may touch the crontabs itself."""
    return Path(settings.HOME).stat().st_uid == os.geteuid()


def _sent(
    name: str,
    make: Callable[[Snapshot], Crontab],
    author: str,
    seen: str | None,
    note: str,
    edited: int | None = None,
) -> Snapshot:
    """Make the edit here and have it saved there; again where others were quicker."""
    for attempt in range(TRIES):
        now = load(name)
        new = bytes(make(now))
        details = {"data": _packed(new), "note": note, "edited": edited}
        try:
            return _asked(name, "table-save", author=author, seen=seen or now.digest, **details)
        except Conflict:
            if seen is not None or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


def _asked(name: str, do: str, **details: Any) -> Snapshot:
    try:
        answer = control.ask(do, patience=60.0, name=name, **details)
    except control.RefusedError as refusal:
        raise _error(name, refusal.details) from None
    data = _unpacked(answer["data"])
    system = bool(answer["system"])
    crontab = Crontab.parse(data or b"", system=system)
    return Snapshot(name, data, answer["digest"], crontab, keys=answer["keys"])


def _error(name: str, told: Mapping[str, Any]) -> Exception:
    """Make the daemon's exception anew from what it told."""
    if told.get("kind") == "Conflict":
        texts = [_unpacked(told[part]) for part in ("base", "mine", "theirs", "merged")]
        return Conflict(name, *texts)
    if told.get("kind") == "Refused":
        return Refused(name, Crontab.parse(_unpacked(told["text"]) or b"").errors)
    kind = getattr(errors, str(told.get("kind")), TableError)
    made: TableError = TableError.__new__(kind if issubclass(kind, TableError) else TableError)
    TableError.__init__(made, str(told.get("what", "")), str(told.get("mend", "")))
    return made


def _packed(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode("ascii")


def _unpacked(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


# the daemon's side


def answer_load(table: Table) -> dict[str, Any]:
    """Give a table as the daemon sends it."""
    return _told(table.load(), table)


def answer_save(table: Table, request: Mapping[str, Any]) -> dict[str, Any]:
    """Save the text of a request, made from what `seen` names."""
    data = _unpacked(request["data"]) or b""
    author, note = str(request["author"]), str(request.get("note", ""))
    seen, edited = request.get("seen"), request.get("edited")
    if request.get("whole"):
        return _told(table.replace(data, author=author, seen=seen, note=note), table)
    new = Crontab.parse(data)
    if edited is None:
        return _told(table.edit(lambda _: new, author=author, seen=seen, note=note), table)
    saved = table.edit_entry(int(edited), lambda _, __: new, author=author, seen=seen, note=note)
    return _told(saved, table)


def answer_other(table: Table, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a table, or bring back or undo a version of it."""
    author, seen = str(request["author"]), request.get("seen")
    if request["do"] == "table-remove":
        return _told(table.remove(author=author, seen=seen, note=str(request["note"])), table)
    number = int(request["number"])
    if request["do"] == "table-restore":
        return _told(table.restore(number, author=author, seen=seen), table)
    return _told(table.undo(number, author=author), table)


def answer_error(error: TableError, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is needed to raise the same error at the other end."""
    told: dict[str, Any] = {"kind": type(error).__name__, "what": error.what, "mend": error.mend}
    told["text"] = request.get("data")
    if isinstance(error, Conflict):
        parts = ("base", "mine", "theirs", "merged")
        told |= {part: _packed(getattr(error, part)) for part in parts}
    return told


def _told(snapshot: Snapshot, table: Table) -> dict[str, Any]:
    return {
        "data": _packed(snapshot.data),
        "digest": snapshot.digest,
        "keys": list(snapshot.keys),
        "system": table.place.system,
    }
