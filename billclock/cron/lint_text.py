"""Checks of a crontab's bytes: line ends, odd bytes, limits of other crons, variables."""

import re
from collections.abc import Iterator

from .comments import block
from .crontab import Crontab
from .defaults import assignment_fault
from .directives import KEYS, fault, is_directive, read_directives
from .findings import ERROR, NOTE, WARNING, Finding, shown
from .lines import Assigned, Broken, Comment, Line, Planned, read_line
from .lint_command import CUT
from .lint_schedule import every_minute
from .repairs import repaired
from .shell import KNOWN_PROGRAMS
from .writing import KEEP, Parts, changed_entry

# Debian's cron: MAX_COMMAND less its end, and MAX_TAB_LINES.
_LONGEST_COMMAND = 998
_MOST_LINES = 10_000

_CONTROL = re.compile(rb"[\x01-\x08\x0b-\x1f\x7f]")
_REFERENCE = re.compile(r"\$[A-Za-z_{(]|(?:^|:)~(?:/|$)")


def check_text(crontab: Crontab) -> Iterator[Finding]:
    """Report what is wrong with the file as a whole and with each line's bytes."""
    yield from _file(crontab)
    for number, line in enumerate(crontab.lines, 1):
        yield from _bytes(line, number)
        if isinstance(line, Broken):
            yield from _refused(crontab, line, number)
        elif isinstance(line, Assigned):
            yield from _assigned(line, number)
        elif isinstance(line, Comment) and is_directive(line.raw):
            yield from _directives(line, number)
    yield from _orphans(crontab)


def _file(crontab: Crontab) -> Iterator[Finding]:
    lines = crontab.lines
    if not crontab.ended:
        message = "the last line has no line end: Debian's cron ignores the whole file"
        yield Finding(WARNING, "no_final_newline", len(lines), len(lines[-1].raw) + 1, message)
    crs = [number for number, line in enumerate(lines, 1) if line.raw.endswith(b"\r")]
    if crs:
        message = f"{len(crs)} lines end in CR LF (Windows); other crons pass the CR to the shell"
        yield Finding(WARNING, "crlf", crs[0], len(lines[crs[0] - 1].raw), message)
    if len(lines) > _MOST_LINES:
        message = f"{len(lines)} lines; Debian's cron drops a table of more than {_MOST_LINES}"
        yield Finding(WARNING, "table_too_long_for_cron", _MOST_LINES + 1, 1, message)
    broken = next((at for at, line in enumerate(lines, 1) if isinstance(line, Broken)), None)
    if broken:
        message = "this line is refused: Debian's cron then ignores the whole file"
        yield Finding(NOTE, "file_ignored_by_cron", broken, 1, message)


def _bytes(line: Line, number: int) -> Iterator[Finding]:
    found = _CONTROL.search(line.raw.removesuffix(b"\r"))
    if found and not isinstance(line, Broken):
        message = f"an invisible control character, byte {found[0][0]:#04x}"
        yield Finding(WARNING, "control_char", number, found.start() + 1, message)
    try:
        line.raw.decode()
    except UnicodeDecodeError as error:
        message = "not UTF-8 from here on; it is kept as it is and shown as latin-1"
        yield Finding(NOTE, "non_utf8", number, error.start + 1, message)
    if isinstance(line, Planned) and len(line.command) > _LONGEST_COMMAND:
        message = f"a command of {len(line.command)} bytes; Debian's cron drops one of over 998"
        column = line.command_at + _LONGEST_COMMAND + 1
        yield Finding(WARNING, "command_too_long_for_cron", number, column, message)


def _refused(crontab: Crontab, line: Broken, number: int) -> Iterator[Finding]:
    """Report why a line is refused, and what else is wrong with what it was meant to be."""
    mended = repaired(line.raw, system=crontab.system, first=number == 1)
    fix = shown(mended.raw) if mended else None
    field = f"{line.error.field}: " if line.error.field else ""
    message = f"{field}{line.error.reason}"
    yield Finding(ERROR, line.code, number, line.error.column, message, fix)
    if mended is None:
        return
    if "cut_redirect" in mended.codes:
        yield Finding(WARNING, "cut_redirect", number, line.raw.rfind(b"2>") + 1, CUT, fix)
    read = read_line(mended.raw, system=crontab.system, programs=KNOWN_PROGRAMS)
    sixty = every_minute(read.expression) if isinstance(read, Planned) else None
    if sixty and isinstance(read, Planned):
        parts = Parts(sixty.fix, KEEP, KEEP, KEEP)
        better = shown(changed_entry(read, parts, system=crontab.system))
        yield Finding(WARNING, "every_minute_of_hour", number, 1, sixty.message, better)


def _assigned(line: Assigned, number: int) -> Iterator[Finding]:
    column = line.raw.index(b"=") + 1
    if wrong := assignment_fault(line.name, line.value):
        yield Finding(WARNING, "bad_default", number, column + 1, wrong)
    if line.bare:
        message = f'{line.name}= without a value is read as empty; other crons want {line.name}=""'
        fix = shown(line.raw[:column] + b'""' + line.raw[column:].lstrip(b" \t"))
        yield Finding(WARNING, "unquoted_empty_value", number, column + 1, message, fix)
    found = _REFERENCE.search(line.value)
    if found:
        message = f"cron expands no variable and no ~: {line.name} holds these very characters"
        yield Finding(NOTE, "not_expanded", number, column + 1, message)


def _directives(line: Comment, number: int) -> Iterator[Finding]:
    values, rest = read_directives(line.raw)
    for key, value in values.items():
        column = max(line.raw.find(f"{key}=".encode()), 0) + 1
        if key not in KEYS:
            message = f"{key} is no directive known here; it is kept and does nothing"
            yield Finding(WARNING, "unknown_directive", number, column, message)
        elif wrong := fault(key, value):
            yield Finding(WARNING, "bad_directive", number, column, wrong)
    if rest:
        message = f"not read from {rest[:40]!r} on; write key=value, in double quotes with blanks"
        yield Finding(WARNING, "bad_directive", number, len(line.raw), message)


def _orphans(crontab: Crontab) -> Iterator[Finding]:
    lines = crontab.lines
    for at, line in enumerate(lines):
        if not isinstance(line, Comment) or not is_directive(line.raw):
            continue
        below = lines[at + 1] if at + 1 < len(lines) else None
        if not isinstance(below, Planned) or block(lines, at + 1).described != at:
            message = "no entry stands directly below this directive line: it does nothing"
            yield Finding(WARNING, "orphan_directive", at + 1, 1, message)
