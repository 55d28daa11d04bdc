"""A crontab's text as lines that know their kind; changed copies share the untouched lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import comments
from .lines import Assigned, Line, Planned, read_line, scan


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a crontab (never changed in place), and what reading a line depends on.

    `ended` says that the last line has its line end; a text without lines lacks none.
    """

    lines: Sequence[Line]
    ended: bool
    system: bool
    programs: frozenset[bytes]

    @classmethod
    def read(cls, data: bytes, *, system: bool, programs: frozenset[bytes]) -> Text:
        """Read any bytes."""
        lines = scan(data, system=system, programs=programs)
        return cls(lines, not data or data.endswith(b"\n"), system, programs)

    def __bytes__(self) -> bytes:
        end = b"\n" if self.ended and self.lines else b""
        return b"\n".join([line.raw for line in self.lines]) + end

    def planned(self, at: int) -> Planned:
        """Give the entry at a place (from 0); LookupError where none stands."""
        line = self.lines[at] if 0 <= at < len(self.lines) else None
        if isinstance(line, Planned):
            return line
        raise LookupError(f"no entry stands at line {at + 1}")

    def scope(self, at: int) -> int:
        """Give how many assignments stand above a place."""
        return sum(isinstance(line, Assigned) for line in self.lines[:at])

    def description(self, at: int) -> str:
        """Give the description of the entry at a place."""
        return comments.description(self.lines, comments.block(self.lines, at))

    def spliced(self, start: int, end: int, raws: Sequence[bytes]) -> Text:
        """Give a text with the lines from start to end (half-open) replaced by others."""
        fresh = [
            read_line(raw, system=self.system, programs=self.programs, first=start + number == 0)
            for number, raw in enumerate(raws)
        ]
        lines = [*self.lines[:start], *fresh, *self.lines[end:]]
        # A line put below the last one, and one that is last because the last went, has its end.
        ended = self.ended or (end == len(self.lines) and (start == end or not raws))
        return Text(lines, ended, self.system, self.programs)
