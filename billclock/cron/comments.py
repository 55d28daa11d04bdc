"""Which comment lines belong to an entry: its description and its directive line."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .directives import is_directive
from .header import is_header
from .lines import Comment, Line, text

_LEGEND = re.compile(rb"[ \t]*#[# \t]*m\s+h\s+(?:dom|day)\s+mon\s+dow\b.*", re.DOTALL)
_ASSIGNMENT = re.compile(rb"[ \t]*#[# \t]*[A-Z_][A-Z0-9_]*[ \t]*=.*", re.DOTALL)
_MARKS = re.compile(rb"[ \t]*(#+)[ \t]*")


class Block(NamedTuple):
    """Places (from 0) of an entry's lines: start <= described <= entry, end of each half-open.

    Description lines are start to described, the directive line (if any) stands at described.
    """

    start: int
    described: int
    entry: int


def is_description(line: Line) -> bool:
    """Tell whether a line may be part of a description, by itself."""
    return (
        isinstance(line, Comment)
        and not is_directive(line.raw)
        and not is_header(line.raw)
        and not _LEGEND.fullmatch(line.raw)
        and not _ASSIGNMENT.fullmatch(line.raw)
    )


def block(lines: Sequence[Line], entry: int) -> Block:
    """Find the lines that belong to the entry at a place (from 0).

    Above it stand at most one directive line and the touching lines of one kind, `##` or `#`.
    """
    if not entry or not isinstance(lines[entry - 1], Comment):
        return Block(entry, entry, entry)
    described = entry - 1 if is_directive(lines[entry - 1].raw) else entry
    start = described
    kind = is_double(lines[start - 1].raw) if start else False
    while start and is_description(lines[start - 1]) and is_double(lines[start - 1].raw) == kind:
        start -= 1
    return Block(start, described, entry)


def description(lines: Sequence[Line], found: Block) -> str:
    """Give a block's description: the lines' text without `#` and blanks around, by newlines."""
    return "\n".join(words(line.raw) for line in lines[found.start : found.described])


def words(raw: bytes) -> str:
    """Give the text of one comment line, without its `#` and the blanks around it."""
    return text(_MARKS.sub(b"", raw, count=1)).strip()


def is_double(raw: bytes) -> bool:
    """Tell whether a comment line begins with two or more `#`."""
    found = _MARKS.match(raw)
    return found is not None and len(found[1]) > 1


def is_heading(line: Line) -> bool:
    """Tell whether a line belongs to the top of a table: Debian's header or the legend."""
    return isinstance(line, Comment) and bool(is_header(line.raw) or _LEGEND.fullmatch(line.raw))
