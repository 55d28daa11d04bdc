"""Two crontabs made one: what is new in the second put behind the first, once each."""

from collections.abc import Sequence
from typing import NamedTuple

from .crontab import Crontab
from .entry import Entry
from .lines import Planned


class Joined(NamedTuple):
    """A crontab with another one behind it: how many entries came, and which it had before."""

    crontab: Crontab
    added: int
    known: Sequence[Entry]


def joined(held: Crontab, fresh: Crontab) -> Joined:
    """Put the entries of `fresh`, with all else it holds, behind `held`, byte for byte.

    Entries that `held` has, the same command at the same times, are left out and given as known;
    where nothing is new, the crontab is `held`.
    """
    there = {(entry.expression, entry.command.strip()) for entry in held.entries}
    known = [entry for entry in fresh.entries if (entry.expression, entry.command.strip()) in there]
    for entry in reversed(known):
        fresh = fresh.remove(entry)
    added = len(fresh.entries)
    if not added:
        return Joined(held, 0, known)
    before = bytes(held)
    between = b"" if not before else b"\n" if held.ended else b"\n\n"
    return Joined(Crontab.parse(before + between + bytes(fresh), held.system), added, known)


def of_user(system: Crontab, user: str) -> tuple[Crontab, Sequence[Entry]]:
    """Give a system table as a table of one user, without the column, and the others' entries."""
    foreign = [entry for entry in system.entries if entry.user != user]
    own = system
    for entry in reversed(foreign):
        own = own.remove(entry)
    raws = [_without_user(line) if isinstance(line, Planned) else line.raw for line in own.lines]
    end = b"\n" if raws and own.ended else b""
    return Crontab.parse(b"\n".join(raws) + end), foreign


def _without_user(line: Planned) -> bytes:
    at = line.start + len(line.expression.text)
    gap = line.raw[at : line.command_at]
    user = line.user or b""
    return line.raw[:at] + gap[: gap.index(user)] + line.raw[line.command_at :]
