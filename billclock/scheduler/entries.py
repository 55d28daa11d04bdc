"""Which entry of a table is which row: keys that outlive edits of the text, and the runs with them.

Matched are, in this order, entries with the same bytes and ordinal among equals, with the same
command if only one has it, with the same description if only one has it; what is left is new.
Rows without an entry are gone, and come back with the same bytes or command. SQL is written out
because a table may have 100,000 entries, which model instances would make ten times slower.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.scheduler import models
from billclock.scheduler.merging import changed_lines

_TABLE = models.Entry._meta.db_table
_LOOKS = (
    "digest", "ordinal", "command_digest", "description_digest",
    "expression", "command", "description", "active", "line",
)  # fmt: skip
_INSERT = (
    f'INSERT INTO {_TABLE} ({", ".join(_LOOKS)}, era, first_seen, "table") '  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(_LOOKS))}, 0, %s, %s)"
)
_UPDATE = (
    f"UPDATE {_TABLE} SET {', '.join(f'{name} = %s' for name in _LOOKS)}, "  # noqa: S608
    "gone_at = NULL WHERE id = %s"
)
_MOVE = f"UPDATE {_TABLE} SET line = %s WHERE id = %s"  # noqa: S608
_GO = f"UPDATE {_TABLE} SET gone_at = %s WHERE id = %s"  # noqa: S608
_LIVE = '"table" = %s AND gone_at IS NULL'
_IDENTITY = "CASE WHEN ordinal > 0 THEN digest || ordinal ELSE digest END"
_CHUNK = 500
_DIGEST = 16
T = TypeVar("T")
Value: TypeAlias = str | int | bool


class Row(NamedTuple):
    """What is known of an entry from before: its key, its line, and what it is recognised by."""

    key: int
    line: int
    identity: str
    command: str = ""
    description: str = ""


def known(table: str, crontab: Crontab) -> array[int] | None:
    """Give the keys of a table that was recognised before, in its order; None if it was not."""
    rows = _rows(f"SELECT id, line FROM {_TABLE} WHERE {_LIVE} ORDER BY line", table)  # noqa: S608
    if [line for _, line in rows] != [entry.line for entry in crontab.entries]:
        return None
    return array("q", [key for key, _ in rows])


def recognise(
    table: str, crontab: Crontab, before: bytes | None = None, edited: int | None = None
) -> array[int]:
    """Match the entries of a table with the rows kept of it, and give their keys in its order.

    `before` is the text of the last time, which spares work; `edited` is the key of the one entry
    that an edit has changed, which stays its own whatever of it was changed. To be called inside
    a transaction that has locked the table's row, so that two processes never both make keys.
    """
    return Recognition(table, crontab).run(before, edited)


def tried(table: str, crontab: Crontab, place: int) -> int:
    """Give a key to the entry at a place of a text that is not saved, so that it can be run.

    It stands among those that are gone, whence it comes back, runs and all, once it is saved.
    """
    columns = Recognition(table, crontab).looks(place)
    looks = dict(zip(_LOOKS, columns, strict=True))
    gone = models.Entry.objects.filter(table=table, gone_at__isnull=False)
    same = gone.filter(digest=looks["digest"], ordinal=looks["ordinal"]).order_by("-gone_at")
    now = clock.now()
    row = same.first() or models.Entry.objects.create(
        table=table, first_seen=now, gone_at=now, **looks
    )
    return int(row.pk)


class Recognition:
    """The matching of one table's entries with its rows, step by step."""

    def __init__(self, table: str, crontab: Crontab) -> None:
        self._table = table
        self._crontab = crontab
        self._entries = crontab.entries
        self._identities = _identities([_digest(entry.raw) for entry in crontab.entries])
        self._rows: dict[int, Row] = {}
        self._fresh: list[int] = []

    def run(self, before: bytes | None, edited: int | None) -> array[int]:
        """Match everything, write what changed, and give the keys."""
        live = {row.identity: row for row in self._live()}
        for place, identity in enumerate(self._identities):
            row = live.pop(identity, None)
            if row is None:
                self._fresh.append(place)
            else:
                self._rows[place] = row
        same = self._rows.copy()
        left = self._pair_edited(list(live.values()), edited)
        if self._fresh and left:
            left = self._pair(_details(left), "command", "description")
        if self._fresh and (gone := self._gone()):
            self._pair(gone, "identity", "command")
        self._write(same, before)
        self._let_go(left)
        return self._keys()

    def _live(self) -> Iterable[Row]:
        sql = f"SELECT id, line, {_IDENTITY}, '', '' FROM {_TABLE} WHERE {_LIVE}"  # noqa: S608
        return map(Row._make, _rows(sql, self._table))

    def _gone(self) -> list[Row]:
        """Give the rows of entries that went, of equal ones the last."""
        rows = models.Entry.objects.filter(table=self._table, gone_at__isnull=False)
        found = {row.identity: row for row in _detailed(rows.order_by("gone_at", "id"))}
        return list(found.values())

    def _keys(self) -> array[int]:
        if self._fresh:
            sql = f"SELECT id FROM {_TABLE} WHERE {_LIVE} ORDER BY line"  # noqa: S608
            return array("q", [key for (key,) in _rows(sql, self._table)])
        return array("q", [self._rows[place].key for place in range(len(self._entries))])

    def _pair_edited(self, left: list[Row], edited: int | None) -> list[Row]:
        own = [row for row in left if row.key == edited]
        if len(self._fresh) != 1 or not own:
            return left
        self._rows[self._fresh.pop()] = own[0]
        return [row for row in left if row.key != edited]

    def _pair(self, left: list[Row], *traits: str) -> list[Row]:
        """Match fresh entries and rows that alone have a trait in common; give the rows left."""
        for trait in traits:
            old = _only((getattr(row, trait), row) for row in left)
            new = _only((self._trait(place, trait), place) for place in self._fresh)
            paired = {new[shared]: old[shared] for shared in new.keys() & old.keys() if shared}
            self._rows.update(paired)
            self._fresh = [place for place in self._fresh if place not in paired]
            taken = {row.key for row in paired.values()}
            left = [row for row in left if row.key not in taken]
        return left

    def _trait(self, place: int, trait: str) -> str:
        if trait == "identity":
            return self._identities[place]
        entry = self._entries[place]
        if trait == "command":
            return _digest(entry.command)
        return _digest(entry.description.encode()) if entry.description else ""

    def _write(self, same: dict[int, Row], before: bytes | None) -> None:
        moved: list[tuple[int, int]] = []
        looked: list[int] = [place for place in self._rows if place not in same]
        described = _described_anew(self._crontab, before)
        for place, row in same.items():
            line = self._entries[place].line
            if line in described:
                looked.append(place)
            elif line != row.line:
                moved.append((line, row.key))
        first_seen = _moment()
        _many(_MOVE, moved)
        _many(_UPDATE, ((*self.looks(place), self._rows[place].key) for place in looked))
        _many(
            _INSERT,
            ((*self.looks(place), first_seen, self._table) for place in self._fresh),
        )

    def looks(self, place: int) -> tuple[Value, ...]:
        """Give the columns of one entry in the order of _LOOKS."""
        entry = self._entries[place]
        identity, command, description = self._identities[place], entry.command, entry.description
        return (
            identity[: 2 * _DIGEST],
            int(identity[2 * _DIGEST :] or 0),
            _digest(command),
            _digest(description.encode()) if description else "",
            str(entry.expression),
            command.decode("utf-8", "backslashreplace"),
            description,
            entry.active,
            entry.line,
        )

    def _let_go(self, left: Iterable[Row]) -> None:
        now = _moment()
        _many(_GO, ((now, row.key) for row in left))


def _identities(digests: list[str]) -> list[str]:
    """Give a name for each entry: its bytes' digest, and behind it which of equal ones it is."""
    seen: dict[str, int] = {}
    if len(set(digests)) < len(digests):
        for place, digest in enumerate(digests):
            ordinal = seen.get(digest, 0)
            seen[digest] = ordinal + 1
            digests[place] = f"{digest}{ordinal}" if ordinal else digest
    return digests


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=_DIGEST).hexdigest()


def _described_anew(crontab: Crontab, before: bytes | None) -> range:
    """Give the lines (from 1) in which entries may have got another description since `before`."""
    if before is None:
        return range(1, len(crontab.lines) + 1)
    first, behind = changed_lines(before, bytes(crontab))
    # A comment reaches down to the next entry and no further.
    while behind < len(crontab.lines) and crontab.entry(behind + 1) is None:
        behind += 1
    return range(first + 1, behind + 2)


def _details(rows: list[Row]) -> list[Row]:
    """Give rows with what else they are recognised by."""
    keys = iter([row.key for row in rows])
    detailed: list[Row] = []
    while chunk := list(islice(keys, _CHUNK)):
        detailed += _detailed(models.Entry.objects.filter(id__in=chunk))
    return detailed


def _detailed(rows: QuerySet[models.Entry]) -> Iterator[Row]:
    columns = ("id", "line", "digest", "ordinal", "command_digest", "description_digest")
    for key, line, digest, ordinal, command, description in rows.values_list(*columns):
        yield Row(key, line, f"{digest}{ordinal}" if ordinal else digest, command, description)


def _only(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Give what each trait belongs to, leaving out those of several."""
    found: dict[str, T] = {}
    shared: set[str] = set()
    for trait, owner in pairs:
        if trait in found:
            shared.add(trait)
        found[trait] = owner
    return {trait: owner for trait, owner in found.items() if trait not in shared}


def _connection() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(models.Entry)]


def _moment() -> str:
    return str(_connection().ops.adapt_datetimefield_value(clock.now()))


def _rows(statement: str, table: str) -> list[tuple[Any, ...]]:
    with _connection().cursor() as cursor:
        cursor.execute(statement, [table])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _many(statement: str, rows: Iterable[tuple[Value, ...]]) -> None:
    """Execute a statement for each row, a chunk of them in memory at a time."""
    left = iter(rows)
    with _connection().cursor() as cursor:
        while chunk := list(islice(left, _CHUNK)):
            cursor.executemany(statement, chunk)
