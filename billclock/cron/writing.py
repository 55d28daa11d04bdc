"""The bytes of new and changed lines; each is read back before it is given out."""

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from .directives import write_directives
from .errors import CronError
from .expression import Expression
from .lines import Assigned, Broken, Planned, hashes, read_line
from .shell import KNOWN_PROGRAMS

NONE: Mapping[str, str] = MappingProxyType({})


class Keep(Enum):
    """The mark of a part that an edit leaves as it is."""

    KEEP = "as it is"


KEEP: Final = Keep.KEEP

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Parts(NamedTuple):
    """What an edit says of an entry's own line."""

    expression: Expression | str | Keep
    command: bytes | str | Keep
    user: str | Keep
    active: bool | Keep


def new_entry(
    expression: Expression | str,
    command: bytes | str,
    user: str | None,
    *,
    active: bool,
    system: bool,
) -> bytes:
    """Give the line of a new entry, or raise CronError."""
    if system != (user is not None):
        raise CronError("every entry of a system table, and no other, names the user it runs as")
    column = [] if user is None else [_encoded(user)]
    body = b" ".join([_schedule(expression), *column, _command(command)])
    return (b"" if active else b"#") + _proved(body, system=system)


def changed_entry(old: Planned, parts: Parts, *, system: bool) -> bytes:
    """Give an entry's line with some parts replaced and every other byte as it was."""
    schedule = old.expression.text.encode("ascii")
    gap = old.raw[old.start + len(schedule) : old.command_at]
    tail = old.raw[old.command_at :]
    if not isinstance(parts.expression, Keep):
        schedule = _schedule(parts.expression)
    if not isinstance(parts.user, Keep):
        if old.user is None:
            raise CronError("only a system table names users")
        gap = gap.replace(old.user, _encoded(parts.user))
    if not isinstance(parts.command, Keep):
        tail = _command(parts.command) + old.raw[old.command_at + len(old.command) :]
    body = _proved(schedule + gap + tail, system=system)
    first, end = (old.start, old.start) if old.active else hashes(old.raw)
    indent, mark = old.raw[:first], old.raw[first:end]
    if old.active if isinstance(parts.active, Keep) else parts.active:
        return indent + body
    kept = indent + mark + body
    if mark and isinstance(read_line(kept, system=system, programs=KNOWN_PROGRAMS), Planned):
        return kept
    return indent + b"#" + body


def folded(description: str) -> str:
    """Give a description as it will be read back: no blanks around its lines or empty ends."""
    return "\n".join(line.strip() for line in description.strip().split("\n"))


def description(value: str) -> list[bytes]:
    """Give the `##` lines of a description; none for an empty one."""
    text = folded(value)
    if not text:
        return []
    if "\0" in text:
        raise CronError("a description can't hold a NUL")
    return [b"## " + _encoded(line) if line else b"##" for line in text.split("\n")]


def directives(values: Mapping[str, str]) -> list[bytes]:
    """Give the directive line; none without directives."""
    return [write_directives(values)] if values else []


def assignment(name: str, value: str) -> bytes:
    """Give the line of an assignment, quoted where cron needs it, or raise CronError."""
    if not _NAME.fullmatch(name):
        raise CronError(f"{name!r} is no name of a variable; use letters, digits and _")
    return _assigned(f"{name}=".encode(), value)


def changed_assignment(old: bytes, value: str) -> bytes:
    """Give an assignment's line with another value, its name, blanks and CR as they were."""
    kept = re.match(rb"[^=]*=[ \t]*", old)
    end = b"\r" if old.endswith(b"\r") else b""
    return _assigned(kept[0] if kept else b"", value) + end


def _assigned(head: bytes, value: str) -> bytes:
    if "\n" in value or "\0" in value:
        raise CronError("the value of a variable can't hold a line end or a NUL")
    for quote in (b"", b'"', b"'"):
        raw = head + quote + _encoded(value) + quote
        read = read_line(raw, system=False, programs=KNOWN_PROGRAMS)
        if isinstance(read, Broken) and read.code == "unknown_zone":
            raise read.error
        if isinstance(read, Assigned) and not read.bare and read.value == value:
            return raw
    raise CronError("cron can't hold this value: both kinds of quotes, or a blank at its end")


def _schedule(expression: Expression | str) -> bytes:
    given = expression if isinstance(expression, Expression) else Expression.parse(expression)
    return given.text.strip(" \t").encode("ascii")


def _command(command: bytes | str) -> bytes:
    encoded = (_encoded(command) if isinstance(command, str) else command).lstrip(b" \t")
    if b"\n" in encoded or encoded.endswith(b"\r"):
        raise CronError("a command is one line, without a line end; write % for a newline")
    return encoded


def _proved(body: bytes, *, system: bool) -> bytes:
    """Give an entry's line back once cron would read it as an entry, or raise CronError."""
    read = read_line(body, system=system, programs=KNOWN_PROGRAMS)
    if isinstance(read, Broken):
        raise read.error
    if not isinstance(read, Planned):
        raise CronError("cron would not read this as an entry; begin the command otherwise")
    return body


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
