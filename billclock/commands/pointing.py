"""Texts shown on a terminal: foreign bytes made harmless, and a caret under the place meant."""

from collections.abc import Sequence

from billclock.cron.errors import CronError

WIDTH = 100


def shown(text: str) -> str:
    """Give a text in which every character prints as one sign: control codes do nothing."""
    return "".join(character if character.isprintable() else _sign(character) for character in text)


def decoded(raw: bytes) -> str:
    """Give a line's bytes as text; what is no UTF-8 comes as surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def pointed(text: str, column: int) -> list[str]:
    """Give two lines: a text, cut to a terminal's width, and a caret under a column (from 1)."""
    at = min(max(column - 1, 0), len(text))
    begin = max(0, at - WIDTH // 2) if len(text) > WIDTH else 0
    return [f"  {shown(text[begin : begin + WIDTH])}", f"  {' ' * (at - begin)}^"]


def explained(error: CronError, raw: bytes) -> list[str]:
    """Give the lines that tell an error of a crontab's line: what, where, and a line that would do.

    The error's column counts bytes, as it does in documents.
    """
    field = f"{error.field}: " if error.field else ""
    told = [f"line {error.line}: {field}{error.reason} (column {error.column})"]
    told += pointed(decoded(raw), len(decoded(raw[: error.column - 1])) + 1)
    if error.suggestion is not None:
        told.append(f"  did you mean: {clipped(error.suggestion)}")
    return told


def clipped(text: str) -> str:
    """Give a text for one line of a terminal, an ellipsis at its end where it was cut."""
    safe = shown(text[: WIDTH + 1])
    return safe if len(text) <= WIDTH else f"{safe[:WIDTH]}…"


def counted(number: int, noun: str) -> str:
    """Give a number with its noun: 1 error, 2 errors, 3 entries."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{number} {noun}s"


def _sign(character: str) -> str:
    if character.isspace():
        return " " if character == "\t" else "\N{OPEN BOX}"
    return "\N{REPLACEMENT CHARACTER}"


def complaint(errors: Sequence[CronError], data: bytes) -> list[str]:
    """Give the lines that tell every error of a text that was refused."""
    raws = data.split(b"\n")
    told = [f"billclock crontab: {counted(len(errors), 'error')}, nothing was changed"]
    for error in errors:
        told += explained(error, raws[(error.line or 1) - 1])
    return told
