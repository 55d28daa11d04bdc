"""The crontab document: its entries, assignments and errors; edits that touch only their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from . import editing, writing
from .entry import Assignment, Entry
from .errors import CronError
from .expression import Expression
from .lines import Assigned, Broken, Line, Planned
from .repairs import repaired
from .shell import KNOWN_PROGRAMS
from .text import Text
from .writing import KEEP, NONE, Keep


class Crontab:
    """A crontab, never changed: every edit gives a new one that shares the untouched lines."""

    def __init__(self, text: Text) -> None:
        """Show a text that has been read; `Crontab.parse` is the way in."""
        self._text = text

    @classmethod
    def parse(
        cls, data: bytes, system: bool = False, programs: frozenset[bytes] = KNOWN_PROGRAMS
    ) -> Crontab:
        """Read any bytes; never raises: what is wrong is in `errors` and stops its line only.

        `system` says that a user column stands before the command (/etc/crontab, /etc/cron.d).
        `programs` are words that, first in a commented command, show a switched-off entry.
        """
        return cls(Text.read(data, system=system, programs=programs))

    def __bytes__(self) -> bytes:
        return bytes(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Crontab):
            return NotImplemented
        return self.system == other.system and bytes(self) == bytes(other)

    def __hash__(self) -> int:
        return hash((self.system, bytes(self)))

    @property
    def system(self) -> bool:
        """Whether a user column stands before each command."""
        return self._text.system

    @property
    def lines(self) -> Sequence[Line]:
        """Every line as the record of its kind (see lines.py), the first one at 0."""
        return self._text.lines

    @property
    def ended(self) -> bool:
        """Whether the last line has its line end (an empty file lacks none)."""
        return self._text.ended

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry, active and switched off, in the order of the text."""
        text = self._text
        assigned = self._assigned
        found: list[Entry] = []
        scope = 0
        for number, line in enumerate(text.lines, 1):
            if isinstance(line, Planned):
                found.append(Entry(number, line, text, assigned, scope))
            elif isinstance(line, Assigned):
                scope += 1
        return tuple(found)

    @cached_property
    def assignments(self) -> tuple[Assignment, ...]:
        """Every assignment in the order of the text."""
        return tuple(
            Assignment(line.name, line.value, number)
            for number, line in enumerate(self.lines, 1)
            if isinstance(line, Assigned)
        )

    @cached_property
    def errors(self) -> tuple[CronError, ...]:
        """Every refused line's error with line and byte column, and a line that would do."""
        return tuple(
            _told(line, number, self.system)
            for number, line in enumerate(self.lines, 1)
            if isinstance(line, Broken)
        )

    def entry(self, line: int) -> Entry | None:
        """Give the entry that stands at a line (from 1), or None."""
        if not (1 <= line <= len(self.lines) and isinstance(self.lines[line - 1], Planned)):
            return None
        planned = self._text.planned(line - 1)
        return Entry(line, planned, self._text, self._assigned, self._text.scope(line - 1))

    def add(
        self,
        expression: Expression | str,
        command: bytes | str,
        description: str = "",
        active: bool = True,
        directives: Mapping[str, str] = NONE,
        after: Entry | None = None,
        user: str | None = None,
    ) -> Crontab:
        """Give a crontab with one entry more, behind `after` or at the end.

        Raises CronError where the parts do not make an entry; `user` is for system tables alone.
        """
        at = len(self.lines) if after is None else self._place(after) + 1
        raw = writing.new_entry(expression, command, user, active=active, system=self.system)
        return Crontab(editing.add(self._text, at, raw, description, directives))

    def change(
        self,
        entry: Entry,
        expression: Expression | str | Keep = KEEP,
        command: bytes | str | Keep = KEEP,
        description: str | Keep = KEEP,
        active: bool | Keep = KEEP,
        directives: Mapping[str, str] | Keep = KEEP,
        after: Entry | None = None,
        user: str | Keep = KEEP,
    ) -> Crontab:
        """Give a crontab with what is named changed and every other byte as it was.

        Raises CronError where the parts do not make an entry, LookupError for a foreign entry.
        """
        at = self._place(entry)
        parts = writing.Parts(expression, command, user, active)
        raw = writing.changed_entry(self._text.planned(at), parts, system=self.system)
        below = None if after is None else self._place(after)
        return Crontab(editing.change(self._text, at, raw, description, directives, below))

    def switch(self, entry: Entry, on: bool) -> Crontab:
        """Give a crontab with an entry switched on or off; off and on again restores the bytes."""
        return self.change(entry, active=on)

    def remove(self, entry: Entry) -> Crontab:
        """Give a crontab without an entry, its description and its directive line."""
        return Crontab(editing.remove(self._text, self._place(entry)))

    def assign(self, name: str, value: str | None) -> Crontab:
        """Give a crontab that sets a variable for the whole table; None takes it out.

        The last assignment of that name above the first entry is changed, or one is put at the
        top; those further down, for some entries only, stay. Raises CronError for what no crontab
        can hold: a name that is none, a line end, a CRON_TZ that is no zone.
        """
        return Crontab(editing.assign(self._text, name, value))

    @cached_property
    def _assigned(self) -> tuple[Assigned, ...]:
        return tuple(line for line in self.lines if isinstance(line, Assigned))

    def _place(self, entry: Entry) -> int:
        if self.entry(entry.line) != entry:
            raise LookupError(f"line {entry.line} of this crontab does not hold {entry.raw!r}")
        return entry.line - 1


def _told(line: Broken, number: int, system: bool) -> CronError:
    """Place a refused line's error, with a whole line that parses or with no suggestion."""
    error = line.error.at(line=number)
    mended = repaired(line.raw, system=system, first=number == 1)
    error.suggestion = mended.raw.decode("utf-8", "surrogateescape") if mended else None
    error.hint = error.hint if mended else None
    return error
