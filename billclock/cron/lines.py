"""The kinds of crontab lines: bytes read once into records that know what they are, not where."""

import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from . import faults
from .directives import known_zone
from .errors import CronError
from .expression import Expression
from .shell import names_program

BOM = b"\xef\xbb\xbf"

_FIELD = rb"[0-9A-Za-z*,/-]+"
_SCHEDULE = rb"(@[a-z]+(?![ \t]*=)|(?:%s[ \t]+){4}%s)" % (_FIELD, _FIELD)
_COMMAND = rb"(?!\r*\Z)([^*\x00 \t][^\x00]*)"
_USER = rb"([A-Za-z_][A-Za-z0-9_.-]*\$?)[ \t]+"
_PLANNED = re.compile(rb"[ \t]*%s[ \t]+%s" % (_SCHEDULE, _COMMAND))
_PLANNED_FOR_USER = re.compile(rb"[ \t]*%s[ \t]+%s%s" % (_SCHEDULE, _USER, _COMMAND))
_RUN_OF_HASHES = re.compile(rb"[ \t]*(#[# \t]*)")
_ASSIGNED = re.compile(
    rb"""[ \t]*(?:"([^"=\x00]+)"|'([^'=\x00]+)'|([^\s"'=\x00][^\s=\x00]*))"""
    rb"""[ \t]*=[ \t]*(?:"([^"\x00]*)"|'([^'\x00]*)'|([^\s"'\x00][^\x00]*|))"""
)


class Blank(NamedTuple):
    """A line of nothing but spaces, tabs and CR."""

    raw: bytes


class Comment(NamedTuple):
    """A comment that is no switched-off entry."""

    raw: bytes


class Assigned(NamedTuple):
    """A `NAME=value` line; `bare` is a NAME= with nothing after it, which other crons refuse."""

    raw: bytes
    name: str
    value: str
    bare: bool


class Planned(NamedTuple):
    """An entry; `start` and `command_at` are the places of its schedule and its command in raw."""

    raw: bytes
    expression: Expression
    start: int
    command_at: int
    user: bytes | None
    active: bool

    @property
    def command(self) -> bytes:
        """The command's bytes, one trailing CR left out."""
        return self.raw[self.command_at :].removesuffix(b"\r")


class Broken(NamedTuple):
    """A line that is refused: why, as an error that knows its column, and a code for its kind."""

    raw: bytes
    error: CronError
    code: str


Line: TypeAlias = Blank | Comment | Assigned | Planned | Broken


@lru_cache(maxsize=1 << 15)
def _expression(schedule: bytes) -> Expression | None:
    """Parse a schedule, or give None for a wrong one; entries with the same text share it."""
    try:
        return Expression.parse(schedule.decode("ascii"))
    except CronError:
        return None


def read_entry(raw: bytes, *, system: bool, skip: int = 0, active: bool = True) -> Planned | None:
    """Read a line as an entry from its byte `skip` on, or give None."""
    found = (_PLANNED_FOR_USER if system else _PLANNED).fullmatch(raw, skip)
    if found is None:
        return None
    expression = _expression(found[1])
    if expression is None:
        return None
    last = found.lastindex or 0
    return Planned(
        raw, expression, found.start(1), found.start(last), found[2] if system else None, active
    )


def read_assignment(raw: bytes) -> Assigned | None:
    """Read a line as cron reads assignments (load_env), and `NAME=` as an empty one, or None."""
    found = _ASSIGNED.fullmatch(raw.rstrip())
    if found is None:
        return None
    name = found[1] or found[2] or found[3]
    quoted = found[4] if found[4] is not None else found[5]
    value = found[6] if quoted is None else quoted
    return Assigned(raw, text(name), text(value), quoted is None and not value)


def read_line(raw: bytes, *, system: bool, programs: frozenset[bytes], first: bool = False) -> Line:
    """Tell what a line is; `first` of a document, it may not begin with a byte order mark."""
    if first and raw.startswith(BOM):
        return Broken(raw, faults.byte_order_mark(), "bom")
    nul = raw.find(b"\0")
    if nul >= 0:
        return Broken(raw, faults.nul(nul), "control_char")
    bare = raw.strip(b" \t\r")
    if not bare:
        return Blank(raw)
    if bare.startswith(b"#"):
        return _switched_off(raw, system=system, programs=programs) or Comment(raw)
    return (
        _checked(read_assignment(raw))
        or read_entry(raw, system=system)
        or Broken(raw, *faults.explain(raw, system=system))
    )


def scan(data: bytes, *, system: bool, programs: frozenset[bytes]) -> list[Line]:
    """Split a document at its LFs and tell what each line is; a last LF ends the last line."""
    lines: list[Line] = []
    raws = data.split(b"\n")
    if not raws[-1]:
        raws.pop()
    # One match a line is most of the work of a large table, so that entries are tried first here.
    match = _PLANNED.fullmatch
    for raw in raws:
        found = None if system else match(raw)
        expression = _expression(found[1]) if found else None
        if found is None or expression is None:
            lines.append(read_line(raw, system=system, programs=programs, first=not lines))
        else:
            start, end = found.start(1), found.start(2)
            lines.append(Planned(raw, expression, start, end, None, True))
    return lines


def hashes(raw: bytes) -> tuple[int, int]:
    """Give where a comment's leading run of `#` and blanks begins (at its first `#`) and ends."""
    found = _RUN_OF_HASHES.match(raw)
    return found.span(1) if found else (0, 0)


def _switched_off(raw: bytes, *, system: bool, programs: frozenset[bytes]) -> Planned | None:
    start, end = hashes(raw)
    entry = read_entry(raw, system=system, skip=end, active=False)
    if entry is None:
        return None
    # One `#` against the first field is the mark that switching off leaves: it needs no more proof.
    marked = end == start + 1
    return entry if marked or names_program(entry.command, programs) else None


def _checked(assigned: Assigned | None) -> Assigned | Broken | None:
    if assigned is None or assigned.name != "CRON_TZ" or not assigned.value:
        return assigned
    if known_zone(assigned.value):
        return assigned
    return Broken(assigned.raw, faults.unknown_zone(assigned.raw), "unknown_zone")


def text(value: bytes) -> str:
    """Decode what should be UTF-8, and is read as latin-1 where it is not."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
