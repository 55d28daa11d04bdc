"""A crontab in a text area and back, without losing a byte of the lines that nobody touched."""

from billclock.cron.findings import shown
from billclock.scheduler.merging import edits_between, split
from billclock.web.visible import visible


def to_type(data: bytes) -> str:
    """Give a text as a browser's text area can hold it: what can't be typed is named in brackets.

    Line ends are LF; no line is lost, so that each of them is found again by `typed`.
    """
    return "\n".join(visible(shown(raw.removesuffix(b"\r"))) for raw in data.split(b"\n"))


def untypable(data: bytes) -> int:
    """Count the lines that a text area shows in another way than their bytes are."""
    return sum(to_type(raw).encode() != raw for raw in data.split(b"\n"))


def typed(text: str, original: bytes) -> bytes:
    """Give the bytes of a text that was typed over `original` as `to_type` had shown it.

    Lines that were left alone keep their bytes; a changed text ends in a line end, as cron wants.
    """
    given = text.replace("\r\n", "\n").replace("\r", "\n")
    if given == to_type(original):
        return original
    lines = [line.removesuffix(b"\n") for line in split(original)]
    kept: list[bytes] = []
    at = 0
    for edit in edits_between(_ended(to_type(original)), _ended(given)):
        kept += lines[at : edit.start] + [line.removesuffix(b"\n") for line in edit.lines]
        at = edit.end
    kept += lines[at:]
    return b"".join(line + b"\n" for line in kept)


def _ended(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return data if not data or data.endswith(b"\n") else data + b"\n"
