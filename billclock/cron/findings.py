"""What a check reports, and what it looks at: one entry with all that is in force for it."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from .crontab import Crontab
from .entry import Entry
from .errors import CronError
from .lines import Planned
from .writing import KEEP, Parts, changed_entry

ERROR: Final = "error"
WARNING: Final = "warning"
NOTE: Final = "note"


class Finding(NamedTuple):
    """One remark on a crontab.

    `level` is error (the line does not run), warning (it hardly does what was meant) or note.
    `line` and `column` count from 1, columns in bytes. `fix` is the whole line as it should be
    (undecodable bytes as surrogate escapes), or None: nothing to offer, or the code says it all.
    """

    level: str
    code: str
    line: int
    column: int
    message: str
    fix: str | None = None


class Subject(NamedTuple):
    """An active entry with its record, and the variables and directives in force for it."""

    entry: Entry
    planned: Planned
    environment: Mapping[str, str]
    directives: Mapping[str, str]
    system: bool

    @property
    def command_column(self) -> int:
        """The column at which the command begins."""
        return self.planned.command_at + 1

    def with_command(self, command: bytes) -> str | None:
        """Give the whole line with another command, None where that makes no entry."""
        return self._changed(Parts(KEEP, command, KEEP, KEEP))

    def with_expression(self, expression: str) -> str | None:
        """Give the whole line with another schedule, None where that makes no entry."""
        return self._changed(Parts(expression, KEEP, KEEP, KEEP))

    def switched_off(self) -> str | None:
        """Give the whole line switched off."""
        return self._changed(Parts(KEEP, KEEP, KEEP, False))

    def _changed(self, parts: Parts) -> str | None:
        try:
            return shown(changed_entry(self.planned, parts, system=self.system))
        except CronError:
            return None


def shown(raw: bytes) -> str:
    """Give a line's bytes as a fix is given: UTF-8, other bytes as surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def storable(text: str) -> str:
    """Put a mark in place of what was no UTF-8 in a crontab and no database keeps as text."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def subjects(crontab: Crontab) -> Iterator[Subject]:
    """Give every active entry with what is in force for it."""
    scope, environment = -1, {}
    for entry in crontab.entries:
        planned = crontab.lines[entry.line - 1]
        if not entry.active or not isinstance(planned, Planned):
            continue
        if entry.scope != scope:
            scope, environment = entry.scope, entry.environment
        yield Subject(entry, planned, environment, entry.directives, crontab.system)
