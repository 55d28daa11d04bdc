"""Two edits of one text put together, line by line, where they touch different lines."""

import difflib
from typing import NamedTuple


class Edit(NamedTuple):
    """Lines `start` to `end` of a text (from 0, half-open) give way to `lines`."""

    start: int
    end: int
    lines: list[bytes]


def merge(base: bytes, mine: bytes, theirs: bytes) -> bytes | None:
    """Give `base` with both edits made, or None where they touch the same lines.

    Two insertions at one place touch each other; what both changed alike is changed once.
    """
    lines = split(base)
    merged: list[bytes] = []
    at = 0
    edits = [*edits_between(base, mine), *edits_between(base, theirs)]
    last: Edit | None = None
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        if edit == last:
            continue
        if last and _touch(last, edit):
            return None
        merged += lines[at : edit.start] + edit.lines
        at = edit.end
        last = edit
    joined = merged + lines[at:]
    # A line without its end is a text's last one: an insertion behind it would be glued to it.
    whole = all(line.endswith(b"\n") for line in joined[:-1])
    return b"".join(joined) if whole else None


def edits_between(old: bytes, new: bytes) -> list[Edit]:
    """Give what changes `old` to `new`, in order, as few lines as can be."""
    before, after = split(old), split(new)
    start, end = _common(before, after)
    stop = len(before) - end
    middle = before[start:stop], after[start : len(after) - end]
    codes = difflib.SequenceMatcher(None, *middle).get_opcodes()
    return [
        Edit(start + i, start + j, middle[1][k:m]) for tag, i, j, k, m in codes if tag != "equal"
    ]


def changed_lines(old: bytes, new: bytes) -> tuple[int, int]:
    """Give the lines of `new` (from 0, half-open) outside of which it is as `old` was."""
    before, after = old.split(b"\n"), new.split(b"\n")
    start, end = _common(before, after)
    return start, len(after) - end


def unified(old: bytes, new: bytes, context: int = 3) -> list[bytes]:
    """Give the difference in diff's unified form, a line each, without file names."""
    shown = difflib.diff_bytes(difflib.unified_diff, split(old), split(new), n=context)
    return list(shown)[2:]


def split(data: bytes) -> list[bytes]:
    """Give a text's lines with their ends; only LF ends a line."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _touch(one: Edit, other: Edit) -> bool:
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    return other.start < one.end


def _common(before: list[bytes], after: list[bytes]) -> tuple[int, int]:
    """Count the lines that two texts share at the beginning and, beyond these, at the end."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, end
