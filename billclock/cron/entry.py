"""What a crontab holds, as its readers see it: entries and assignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import comments
from .directives import read_directives
from .expression import Expression
from .lines import Assigned, Planned
from .shell import mails, split_input
from .text import Text


class Assignment(NamedTuple):
    """A variable set for every entry below its line."""

    name: str
    value: str
    line: int


class Entry:
    """One entry of a crontab, active or switched off, as it stands at its line (from 1)."""

    __slots__ = ("_assigned", "_planned", "_text", "line", "scope")

    def __init__(
        self, line: int, planned: Planned, text: Text, assigned: Sequence[Assigned], scope: int
    ) -> None:
        """Bind an entry to its text; `scope` is how many of the assignments stand above it."""
        self.line = line
        self.scope = scope
        self._planned = planned
        self._text = text
        self._assigned = assigned

    @property
    def active(self) -> bool:
        """Whether it runs; False for a switched-off entry."""
        return self._planned.active

    @property
    def expression(self) -> Expression:
        """When it runs; entries with the same schedule may share one object."""
        return self._planned.expression

    @property
    def raw(self) -> bytes:
        """Its own line's bytes, without the LF."""
        return self._planned.raw

    @property
    def command(self) -> bytes:
        """The command as it stands, `%` untouched, one trailing CR left out."""
        return self._planned.command

    @property
    def shell_command(self) -> bytes:
        """What the shell gets: the command up to the first bare `%`."""
        return split_input(self._planned.command)[0]

    @property
    def stdin(self) -> bytes | None:
        """What follows the first bare `%`, as the command's standard input; None without one."""
        return split_input(self._planned.command)[1]

    @property
    def mails(self) -> bool:
        """Whether its output is reported: the command does not end in ` >/dev/null 2>&1`."""
        return mails(self._planned.command)

    @property
    def user(self) -> str | None:
        """The user column of a system table; None in a user's table."""
        user = self._planned.user
        return None if user is None else user.decode("ascii")

    @property
    def description(self) -> str:
        """The comment lines above it that are its description, joined by newlines."""
        return self._text.description(self.line - 1)

    @property
    def directives(self) -> dict[str, str]:
        """The keys and values of its directive line, unknown ones included."""
        block = comments.block(self._text.lines, self.line - 1)
        if block.described == block.entry:
            return {}
        return read_directives(self._text.lines[block.described].raw)[0]

    @property
    def environment(self) -> dict[str, str]:
        """The assignments above it, later ones winning: a dict of the caller's own.

        Entries of one crontab with the same `scope` have the same environment.
        """
        return {assigned.name: assigned.value for assigned in self._assigned[: self.scope]}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Entry):
            return NotImplemented
        return (self.line, self._planned) == (other.line, other._planned)

    def __hash__(self) -> int:
        return hash((self.line, self._planned.raw))

    def __repr__(self) -> str:
        return f"<Entry line {self.line}: {self.raw!r}>"
