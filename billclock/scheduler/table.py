"""One crontab on disk: read, recognised, edited under a lock, every text kept as a version."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import DatabaseError, router, transaction
from django.db.models import QuerySet

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.errors import CronError
from billclock.cron.header import visible, with_header
from billclock.scheduler import entries, models, versions
from billclock.scheduler.errors import (
    Conflict,
    Failed,
    NoEntry,
    NoTable,
    ReadOnly,
    Refused,
    TableError,
)
from billclock.scheduler.locks import locked
from billclock.scheduler.merging import merge
from billclock.scheduler.place import Ownership, Place
from billclock.scheduler.saving import Changed, swapping

# How often a table may be changed by others between our reading and our saving it.
_TRIES = 20


@dataclass(frozen=True)
class Snapshot:
    """What a table held at one moment: its bytes (None: there was no table), read as a crontab.

    `digest` names the text, to be given back as `seen` by who edits what was shown. `keys` are
    the entries' database ids in the order of `crontab.entries`; empty where only `read`.
    """

    name: str
    data: bytes | None
    digest: str
    crontab: Crontab
    ownership: Ownership | None = None
    keys: Sequence[int] = ()

    @property
    def shown(self) -> bytes:
        """The text as `crontab -l` prints it, without Debian's header lines."""
        return visible(self.data or b"")

    def entry(self, key: int) -> Entry | None:
        """Give the entry that has a key, or None."""
        place = next((place for place, other in enumerate(self.keys) if other == key), None)
        return None if place is None else self.crontab.entries[place]


Making = Callable[[Snapshot], bytes | None]


class Table:
    """One crontab: a user's, or a system table, which is only read.

    All that change it take the name of who does (`author`), a `note` for the list of versions,
    and `seen`, the digest of the Snapshot that was loaded and shown (None: whatever is there now
    is changed). They give the new Snapshot, and raise TableError: the table is then as it was.
    """

    def __init__(self, place: Place, home: Path) -> None:
        """Take the table at a place; locks are kept under `home`."""
        self.place = place
        self.name = place.name
        self._home = home

    def read(self) -> Snapshot:
        """Read the file and nothing else; raises Ignored or Failed."""
        found = self.place.read()
        data, ownership = found or (None, None)
        return replace(self._snapshot(data), ownership=ownership)

    def digest(self) -> str:
        """Name the text that the file holds now, without reading it as a crontab."""
        found = self.place.read()
        return versions.digest(found[0] if found else None)

    def load(self) -> Snapshot:
        """Read the file, keep what others wrote as a version, and know every entry's key.

        Raises Ignored or Failed, and notes it with the table, whose entries stay as they were.
        """
        try:
            snapshot = self.read()
        except TableError as problem:
            defaults = {"problem": str(problem), "system": self.place.system}
            with self._history():
                models.Table.objects.update_or_create(name=self.name, defaults=defaults)
            raise
        with self._history():
            if snapshot.data is None and not self._rows().exists():
                return snapshot
            if self._is_noted(snapshot):
                keys = entries.known(self.name, snapshot.crontab)
                # Asked twice: the keys are those of this text if it was the same all the while.
                if keys is not None and self._is_noted(snapshot):
                    return replace(snapshot, keys=keys)
            return self._take_in(snapshot)

    def edit(
        self,
        change: Callable[[Crontab], Crontab],
        *,
        author: str,
        seen: str | None = None,
        note: str = "",
    ) -> Snapshot:
        """Save what `change` makes of the table; only lines it adds or changes must parse.

        `change` is called under the table's lock, and again where another program saved the
        table meanwhile. Raises Conflict, Refused, ReadOnly, Busy, Failed, and what it raises.
        """

        def make(now: Snapshot) -> bytes:
            crontab = change(now.crontab)
            self._refuse(new_errors(now.crontab, crontab))
            return bytes(crontab)

        return self._save(make, author, seen, note)

    def edit_entry(
        self,
        key: int,
        change: Callable[[Crontab, Entry], Crontab],
        *,
        author: str,
        seen: str | None = None,
        note: str = "",
    ) -> Snapshot:
        """Save what `change` makes of the table and its entry `key`, which keeps its key.

        Raises as `edit`, and NoEntry.
        """

        def make(now: Snapshot) -> bytes:
            entry = now.entry(key)
            if entry is None:
                raise NoEntry(self.name, key)
            crontab = change(now.crontab, entry)
            self._refuse(new_errors(now.crontab, crontab))
            return bytes(crontab)

        return self._save(make, author, seen, note, edited=key)

    def replace(
        self,
        data: bytes,
        *,
        author: str,
        seen: str | None = None,
        note: str = "",
        source: str = "-",
    ) -> Snapshot:
        """Save a whole new text, as `crontab FILE` does; Refused tells every bad line of it.

        `source` is the path it came from (-: standard input), told in Debian's header lines.
        """
        self._refuse(Crontab.parse(data).errors)

        def make(now: Snapshot) -> bytes:
            if now.data is None or not self.place.flavour.headed:
                return data
            header = now.data[: len(now.data) - len(now.shown)]
            return header + visible(data) if header else self._headed(data, source)

        return self._save(make, author, seen, note, source=source)

    def remove(self, *, author: str, seen: str | None = None, note: str = "removed") -> Snapshot:
        """Remove the table, which stays as a version; raises NoTable where there is none."""

        def make(now: Snapshot) -> None:
            if now.data is None:
                raise NoTable(self.name)

        return self._save(make, author, seen, note)

    def restore(self, number: int, *, author: str, seen: str | None = None) -> Snapshot:
        """Bring back the text of a version, byte for byte; raises NoVersion."""
        data = versions.text(versions.numbered(self.name, number))
        return self._save(lambda _: data, author, seen, f"version {number} restored")

    def undo(self, number: int, *, author: str) -> Snapshot:
        """Take back what a version changed, and keep what later ones changed on other lines.

        Raises Conflict where later ones changed the same lines, NoVersion where what was before
        it is not known.
        """
        version = versions.numbered(self.name, number)
        base, mine = versions.text(version), versions.before(version)

        def make(now: Snapshot) -> bytes | None:
            if now.digest == version.digest:
                return mine
            merged = _merged(base, mine, now.data)
            if merged is None:
                raise Conflict(self.name, base, mine, now.data, None)
            return merged

        return self._save(make, author, None, f"version {number} undone")

    @property
    def versions(self) -> QuerySet[models.Version]:
        """The table's versions, the newest first."""
        return models.Version.objects.filter(table=self.name).order_by("-number")

    def _save(
        self,
        make: Making,
        author: str,
        seen: str | None,
        note: str,
        edited: int | None = None,
        source: str = "-",
    ) -> Snapshot:
        if self.place.system:
            raise ReadOnly(self.place.path)
        with locked(self._home / "locks", self.name):
            for _ in range(_TRIES):
                now = self.load()
                if seen is not None and seen != now.digest:
                    raise self._conflict(make, seen, now)
                data = make(now)
                if data == now.data:
                    return now
                if now.data is None and data is not None and self.place.flavour.headed:
                    data = self._headed(data, source)
                try:
                    return self._put(now, self._snapshot(data), author, note, edited)
                except Changed:
                    continue
        raise Failed(f"{self.place.path} is changed by another program all the time",
                     f"see which, fuser -v {self.place.path}")  # fmt: skip

    def _put(
        self, now: Snapshot, new: Snapshot, author: str, note: str, edited: int | None
    ) -> Snapshot:
        """Put a new text in place of `now`, in the file and in the history or in neither."""
        ownership = now.ownership or self.place.new_file()
        try:
            with (
                self._history(),
                swapping(self.place.path, new.data, ownership) as swap,
                _transaction(),
            ):
                row = self._row()
                keys = entries.recognise(self.name, new.crontab, now.data, edited)
                versions.record(self.name, new.data, author, note)
                self._noted(row, new.digest)
                swap.take(now.data)
        except OSError as error:
            raise Failed.from_system(error, self.place.path, "save") from error
        return replace(new, keys=keys, ownership=None if new.data is None else ownership)

    def _take_in(self, snapshot: Snapshot) -> Snapshot:
        """Keep what is in the file as it is now, which may be newer than `snapshot`."""
        with _transaction():
            row = self._row()
            found = self.place.read()
            if (found and found[0]) != snapshot.data:
                snapshot = self.read()
            before = versions.shown(self.name, row.digest) if row.digest else None
            last = versions.latest(self.name)
            if (last.digest if last else "") != snapshot.digest:
                versions.record(self.name, snapshot.data, versions.OUTSIDE)
            keys = entries.recognise(self.name, snapshot.crontab, before)
            self._noted(row, snapshot.digest)
        return replace(snapshot, keys=keys)

    @contextmanager
    def _history(self) -> Iterator[None]:
        """Say of what the database refuses that the table is as it was."""
        try:
            yield
        except DatabaseError as error:
            raise Failed.from_database(error, self.place.path, self._home) from error

    def _rows(self) -> QuerySet[models.Table]:
        return models.Table.objects.filter(name=self.name)

    def _is_noted(self, snapshot: Snapshot) -> bool:
        return self._rows().filter(digest=snapshot.digest, problem="").exists()

    def _row(self) -> models.Table:
        """Give the table's row, locked until the transaction ends."""
        rows = models.Table.objects.select_for_update()
        return rows.get_or_create(name=self.name, defaults={"system": self.place.system})[0]

    def _noted(self, row: models.Table, digest: str) -> None:
        row.digest, row.problem, row.read_at = digest, "", clock.now()
        row.system = self.place.system
        row.save()

    def _snapshot(self, data: bytes | None) -> Snapshot:
        crontab = Crontab.parse(data or b"", system=self.place.system)
        return Snapshot(self.name, data, versions.digest(data), crontab)

    def _headed(self, data: bytes, source: str) -> bytes:
        return with_header(data, source, clock.now().astimezone(clock.server_zone()))

    def _refuse(self, errors: Sequence[CronError]) -> None:
        if errors:
            raise Refused(self.name, errors)

    def _conflict(self, make: Making, seen: str, now: Snapshot) -> Conflict:
        """Give the three texts: what was shown, the edit made of that, what is there now."""
        base = versions.shown(self.name, seen)
        mine = make(self._recalled(base)) if base is not None or not seen else None
        return Conflict(self.name, base, mine, now.data, _merged(base, mine, now.data))

    def _recalled(self, data: bytes | None) -> Snapshot:
        """Give a former text with the keys its entries had, without going back to it."""
        snapshot = self._snapshot(data)
        with _transaction():
            keys = entries.recognise(self.name, snapshot.crontab)
            transaction.set_rollback(True, using=_database())
        return replace(snapshot, keys=keys)


def forget(row: models.Table) -> None:
    """Let go of a table that is no longer looked after: its entries are gone, its history stays."""
    with _transaction():
        entries.recognise(row.name, Crontab.parse(b""))
        row.digest = ""
        row.save()


def new_errors(before: Crontab, after: Crontab) -> list[CronError]:
    """Give the errors of lines that `before` does not have as well."""
    old = Counter(before.lines[(error.line or 1) - 1].raw for error in before.errors)
    new: list[CronError] = []
    for error in after.errors:
        raw = after.lines[(error.line or 1) - 1].raw
        old[raw] -= 1
        if old[raw] < 0:
            new.append(error)
    return new


def _merged(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> bytes | None:
    if base is None or mine is None or theirs is None:
        return None
    return merge(base, mine, theirs)


def _transaction() -> transaction.Atomic:
    return transaction.atomic(using=_database())


def _database() -> str:
    return router.db_for_write(models.Table)
