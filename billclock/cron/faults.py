"""Why a line is refused: the error with its column in bytes, and a code for the kind of fault."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from .errors import CronError
from .expression import Expression

_TOKEN = re.compile(rb"[^ \t]+")
_FIELDS = 5
_QUOTES = b"\"'"
_LONGEST_SHOWN = 40
_FIELD_NAMES = ("minute", "hour", "day-of-month", "month", "day-of-week")

ODD_SPACE = re.compile(
    rb"\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8b\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80|\xef\xbb\xbf"
)
"""Spaces of Unicode, in UTF-8, that look like a blank and are none to cron or to the shell."""

PROMPT = re.compile(
    rb"[ \t]*(?:\[[^\]\s]+@[^\]]*\][#$%]|[^\s@]+@[^\s@:#$%]+[^#$%\x00]{0,200}[#$%]|\$|[#$%]>)[ \t]+"
)
"""A shell's prompt: `root@host ~# `, `[root@host dir]# `, `user@host:~$ `, `$ `."""

GLUED = re.compile(rb"(\*|[0-9A-Za-z,-]*[0-9A-Za-z]|[0-9A-Za-z*,-]+/[0-9]+)(/[A-Za-z._~*].*)")
"""A last field with the path of a command glued to it."""

# In an earlier field a path of two parts at least: `jan/feb` is a slip of another kind.
_GLUED_WORD = re.compile(rb"(@[a-z]+)(/.*)", re.DOTALL)
_GLUED_EARLY = re.compile(
    rb"([0-9*,-]+(?:/[0-9]+)?|[A-Za-z]{3}(?:-[A-Za-z]{3})?)(/[A-Za-z._~][^/]*/.*)"
)
_PATH = (b"/", b"~", b".", b"$")


class Cut(NamedTuple):
    """Where a command begins among the time fields: how many stand before it, and its byte."""

    fields: int
    at: int
    glued: bool


def command_among(tokens: Sequence[re.Match[bytes]]) -> Cut | None:
    """Find a command that stands where a field should, by its path: alone, or glued to a field.

    `tokens` are the first words of a line, five at most, or its @word alone.
    """
    if word := _GLUED_WORD.fullmatch(tokens[0][0]):
        return Cut(_FIELDS, tokens[0].start() + len(word[1]), glued=True)
    for number, token in enumerate(tokens):
        if number and token[0].startswith(_PATH):
            return Cut(number, token.start(), glued=False)
        last = number == _FIELDS - 1
        if glued := (GLUED if last else _GLUED_EARLY).fullmatch(token[0]):
            return Cut(number + 1, token.start() + len(glued[1]), glued=True)
    return None


def byte_order_mark() -> CronError:
    """Say that a document begins with a byte order mark."""
    return CronError(
        "the file begins with a byte order mark (BOM); cron reads it as text", column=1
    )


def nul(at: int) -> CronError:
    """Say that byte `at` (from 0) of a line is NUL."""
    return CronError("a NUL byte; nothing after it would be read", column=at + 1)


def unknown_zone(raw: bytes) -> CronError:
    """Say that a CRON_TZ line names no zone."""
    at = raw.index(b"=") + 1
    value = raw[at:].strip()
    return CronError(
        f"CRON_TZ: no zone is called {_show(value.strip(_QUOTES))}; the former one stays in force",
        column=raw.index(value, at) + 1,
    )


def explain(raw: bytes, *, system: bool) -> tuple[CronError, str]:
    """Give error and code of a line that is neither blank, comment, assignment nor entry."""
    line = raw.rstrip(b"\r")
    if PROMPT.match(line):
        return CronError("this looks like a line copied with its shell prompt"), "shell_prompt"
    tokens = list(islice(_TOKEN.finditer(line), _FIELDS + 2))
    if b"=" in tokens[0][0] or (len(tokens) > 1 and tokens[1][0].startswith(b"=")):
        return _bad_environment(line, tokens[0].start()), "bad_environment"
    fields = 1 if tokens[0][0].startswith(b"@") else _FIELDS
    schedule = tokens[:fields]
    return (
        _odd_space(line, schedule[-1].end())
        or _bad_schedule(line, schedule)
        or _bad_user(tokens[fields:], system=system)
        or _bad_command(line, tokens[fields + system :])
    )


def _bad_environment(line: bytes, at: int) -> CronError:
    return CronError(
        "an assignment is written NAME=value, with a name and nothing after a closing quote",
        column=min(at, line.index(b"=")) + 1,
    )


def _odd_space(line: bytes, end: int) -> tuple[CronError, str] | None:
    found = ODD_SPACE.search(line, 0, end)
    if found is None:
        return None
    reason = "a no-break or other odd space where cron needs a plain blank"
    return CronError(reason, column=found.start() + 1), "bad_whitespace"


def _bad_schedule(line: bytes, tokens: list[re.Match[bytes]]) -> tuple[CronError, str] | None:
    start, end = tokens[0].start(), tokens[-1].end()
    if cut := command_among(tokens):
        whole = cut.fields == _FIELDS
        return (_glued(cut), "glued_command") if whole else (_short(cut), "missing_field_in_line")
    try:
        Expression.parse(line[start:end].decode("utf-8", "surrogateescape"))
    except CronError as error:
        return _in_bytes(error, line, start), _code(error)
    return None


def _glued(cut: Cut) -> CronError:
    return CronError(
        "no blank stands between the schedule and the command",
        column=cut.at + 1,
        field=_FIELD_NAMES[-1],
    )


def _short(cut: Cut) -> CronError:
    return CronError(
        f"the command seems to start here, after {cut.fields} of the 5 time fields",
        column=cut.at + 1,
        field=_FIELD_NAMES[cut.fields],
    )


def _bad_user(rest: list[re.Match[bytes]], *, system: bool) -> tuple[CronError, str] | None:
    if not system or not rest:
        return None
    word = rest[0]
    if re.fullmatch(rb"[A-Za-z_][A-Za-z0-9_.-]*\$?", word[0]):
        return None
    reason = (
        f"a user name should stand before the command in a system table, found {_show(word[0])}"
    )
    return CronError(reason, column=word.start() + 1), "missing_user"


def _bad_command(line: bytes, rest: list[re.Match[bytes]]) -> tuple[CronError, str]:
    if not rest:
        return CronError("no command follows the schedule", column=len(line) + 1), "missing_command"
    reason = "the command begins with *; perhaps there is a sixth time field (cron has five)"
    return CronError(reason, column=rest[0].start() + 1), "star_command"


def _in_bytes(error: CronError, line: bytes, start: int) -> CronError:
    """Move an expression's error, whose column counts characters, to its byte in the line."""
    text = line[start:].decode("utf-8", "surrogateescape")
    before = text[: error.column - 1].encode("utf-8", "surrogateescape")
    return error.at(offset=start + len(before) - (error.column - 1))


def _code(error: CronError) -> str:
    return f"bad_{error.field.replace('-', '_')}" if error.field else "bad_schedule"


def _show(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
