"""Mends of lines that were meant as entries: what to put right so that the line is one."""

import re
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from .errors import CronError
from .expression import Expression
from .faults import ODD_SPACE, PROMPT, command_among
from .lines import BOM, Assigned, Blank, Comment, Planned, read_line
from .shell import KNOWN_PROGRAMS

_SPACES = re.compile(rb"(?:[ \t]|%s)+" % ODD_SPACE.pattern)
_SIX_FIELDS = re.compile(rb"[ \t]*[0-9*,/-]+[ \t]+((?:[0-9A-Za-z*,/-]+[ \t]+){5})(?=\S)")
_CUT_REDIRECT = re.compile(rb"(.*[ \t]2>)&?[ \t]*", re.DOTALL)
_STARTS = re.compile(rb"(?<![^ \t])[0-9*@]")
_TOKEN = re.compile(rb"[^ \t]+")
_FIELDS = 5
# A line with more faults than this is not a crontab line gone wrong.
_MOST_MENDS = 6


class Repair(NamedTuple):
    """A line put right, and the codes of the mends that did it, in their order."""

    raw: bytes
    codes: tuple[str, ...]


def repaired(raw: bytes, *, system: bool, first: bool = False) -> Repair | None:
    """Give the line that a broken one was meant to be, or None if none is seen.

    `first` of a document, the line may not begin with a byte order mark.
    """
    codes: list[str] = []
    line = raw
    for _ in range(_MOST_MENDS):
        read = read_line(line, system=system, programs=KNOWN_PROGRAMS, first=first)
        done = isinstance(read, Planned | Assigned | Comment | Blank)
        mends = _FINISHING if done else _MENDS
        step = next(
            ((code, new) for code, mend in mends if (new := mend(line, system)) is not None), None
        )
        if step is None:
            return Repair(line, tuple(codes)) if done and codes else None
        codes.append(step[0])
        line = step[1]
    return None


def _bom(raw: bytes, system: bool) -> bytes | None:
    del system
    return raw.removeprefix(BOM) if raw.startswith(BOM) else None


def _line_end(raw: bytes, system: bool) -> bytes | None:
    del system
    return raw.rstrip(b"\r") if raw.endswith(b"\r") else None


def odd_spaces(raw: bytes, system: bool = False) -> bytes | None:
    """Give a line with no-break and other odd spaces made blanks outside quotes, None without."""
    del system
    if not ODD_SPACE.search(raw):
        return None
    new = _outside_quotes(raw)
    return None if new == raw else new.strip(b" \t")


def _prompt(raw: bytes, system: bool) -> bytes | None:
    if not PROMPT.match(raw):
        return None
    for start in _STARTS.finditer(raw):
        rest = raw[start.start() :]
        if isinstance(read_line(rest, system=system, programs=KNOWN_PROGRAMS), Planned):
            return rest
    return None


def _glued(raw: bytes, system: bool) -> bytes | None:
    del system
    cut = command_among(_fields(raw))
    if cut is None or not cut.glued:
        return None
    return raw[: cut.at] + b" " + raw[cut.at :]


def _missing_field(raw: bytes, system: bool) -> bytes | None:
    """Put a `*` in for one missing field: four fields stand before a path."""
    cut = command_among(_fields(raw))
    if cut is None or cut.glued or cut.fields != _FIELDS - 1:
        return None
    new = raw[: cut.at] + b"* " + raw[cut.at :]
    return new if isinstance(_read(new, system), Planned) else None


def _six_fields(raw: bytes, system: bool) -> bytes | None:
    """Take out the first of six fields: a second, which cron does not have."""
    found = _SIX_FIELDS.match(raw)
    new = raw[found.start(1) :] if found else None
    return new if new and isinstance(_read(new, system), Planned) else None


def _schedule(raw: bytes, system: bool) -> bytes | None:
    """Put in the expression that the refused one was probably meant to be."""
    fields = _fields(raw)
    if command_among(fields):
        return None
    start, end = fields[0].start(), fields[-1].end()
    try:
        Expression.parse(raw[start:end].decode("utf-8", "surrogateescape"))
    except CronError as error:
        new = raw[:start] + (error.suggestion or "").encode() + raw[end:]
        return new if isinstance(_read(new, system), Planned) else None
    return None


def _user(raw: bytes, system: bool) -> bytes | None:
    """Put in root where a system table's entry lacks its user."""
    fields = _tokens(raw, _FIELDS + 1)
    at = 1 if fields[0][0].startswith(b"@") else _FIELDS
    if not system or len(fields) <= at:
        return None
    start = fields[at].start()
    new = raw[:start] + b"root " + raw[start:]
    return new if isinstance(_read(new, system), Planned) else None


def cut_redirect(raw: bytes, system: bool = False) -> bytes | None:
    """Complete a `2>&` or `2>` at the end of a line to `2>&1`, or give None."""
    del system
    found = _CUT_REDIRECT.fullmatch(raw)
    return found[1] + b"&1" if found else None


def _fields(raw: bytes) -> list[re.Match[bytes]]:
    """Give what stands where the schedule should: an @word, else the first five words."""
    tokens = _tokens(raw, _FIELDS)
    return tokens[: 1 if tokens[0][0].startswith(b"@") else _FIELDS]


def _tokens(raw: bytes, most: int) -> list[re.Match[bytes]]:
    return list(islice(_TOKEN.finditer(raw), most))


def _read(raw: bytes, system: bool) -> object:
    return read_line(raw, system=system, programs=KNOWN_PROGRAMS)


def _outside_quotes(raw: bytes) -> bytes:
    """Make each run of blanks with an odd space in it one blank, outside quotes."""
    parts = re.split(rb"""("[^"]*"|'[^']*')""", raw)
    return b"".join(part if at % 2 else _SPACES.sub(_blank, part) for at, part in enumerate(parts))


def _blank(run: re.Match[bytes]) -> bytes:
    return b" " if ODD_SPACE.search(run[0]) else run[0]


_Mend = Callable[[bytes, bool], bytes | None]
_FINISHING: tuple[tuple[str, _Mend], ...] = (
    ("crlf", _line_end),
    ("no_break_space", odd_spaces),
    ("cut_redirect", cut_redirect),
)
_MENDS: tuple[tuple[str, _Mend], ...] = (
    ("bom", _bom),
    ("crlf", _line_end),
    ("no_break_space", odd_spaces),
    ("shell_prompt", _prompt),
    ("glued_command", _glued),
    ("missing_field_in_line", _missing_field),
    ("missing_user", _user),
    ("six_fields", _six_fields),
    ("schedule", _schedule),
)
