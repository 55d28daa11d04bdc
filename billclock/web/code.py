"""A crontab's lines as a page shows them: each in coloured pieces, with its findings below."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TypeAlias

from django.utils.safestring import SafeString

from billclock.cron.comments import block, is_description
from billclock.cron.crontab import Crontab
from billclock.cron.directives import is_directive
from billclock.cron.findings import ERROR, WARNING, Finding, shown
from billclock.cron.lines import Assigned, Blank, Broken, Comment, Line, Planned, read_line
from billclock.cron.shell import DISCARD, KNOWN_PROGRAMS
from billclock.web.retold import retold
from billclock.web.visible import visible

Pieces: TypeAlias = Sequence[tuple[str, str]]  # kind of a piece (a class of crontab.css), its text

_FOLDER = re.compile(rb"/(?:[^\s/'\"]+/)+")
_WORD = re.compile(rb"[^ \t]+|[ \t]+|$")
_MARKS = {ERROR: "ul bad", WARNING: "ul warn"}
WHOLE_FILE = {"no_final_newline", "crlf"}  # their mends are for the file, not for the line


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding under its line: `fix` is the line as it would be, `whole` a mend of the file.

    `place` is the line's number in the file, hidden lines counted.
    """

    place: int
    level: str
    code: str
    column: int
    message: str
    fix: str
    whole: bool

    @property
    def mends(self) -> bool:
        """Tell whether one button mends it."""
        return bool(self.fix) or self.whole


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line: its number, its pieces, the job it is (`key`), how grave its gravest remark is."""

    number: int
    pieces: Pieces
    key: int | None
    state: str
    remarks: Sequence[Remark]

    @property
    def html(self) -> SafeString:
        """Give the pieces as they are put into a page."""
        return marked_up(self.pieces)

    @property
    def level(self) -> str:
        """Give the level of its gravest remark; empty without one."""
        levels = {remark.level for remark in self.remarks}
        return next((one for one in (ERROR, WARNING) if one in levels), "")


def code_lines(
    crontab: Crontab, findings: Sequence[Finding], keys: Mapping[int, int], skip: int = 0
) -> Iterator[CodeLine]:
    """Give a crontab's lines with their findings; `keys` are entries' ids by their lines.

    The first `skip` lines are left out, as Debian's header is.
    """
    told: defaultdict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        told[finding.line].append(finding)
    owned = _owned(crontab)
    for number, line in enumerate(crontab.lines, 1):
        if number > skip:
            here = told[number]
            yield CodeLine(
                number - skip,
                _marked(_pieces(line, described=number in owned), line.raw, here),
                keys.get(number),
                _state(line),
                [remark(finding) for finding in here],
            )


def marked_up(pieces: Pieces) -> SafeString:
    """Give pieces as they are put into a page: one place, because a page has thousands."""
    drawn = (f'<span class="{kind}">{escape(text)}</span>' for kind, text in pieces)
    return SafeString("".join(drawn))


def line_with(raw: bytes, findings: Sequence[Finding]) -> SafeString:
    """Give one entry's line as it is put into a page, with its findings marked."""
    line = read_line(raw, system=False, programs=KNOWN_PROGRAMS)
    return marked_up(_marked(_pieces(line, described=True), raw, findings))


def line_pieces(text: str) -> Pieces:
    """Give one line by itself (undecodable bytes as surrogate escapes) in coloured pieces."""
    raw = text.encode("utf-8", "surrogateescape")
    line = read_line(raw, system=False, programs=KNOWN_PROGRAMS)
    return _marked(_pieces(line, described=True), raw, [])


def _owned(crontab: Crontab) -> set[int]:
    """Give the numbers of the comment lines that describe an entry."""
    found: set[int] = set()
    for entry in crontab.entries:
        lines = block(crontab.lines, entry.line - 1)
        found.update(range(lines.start + 1, lines.described + 1))
    return found


def _state(line: Line) -> str:
    if isinstance(line, Planned):
        return "on" if line.active else "off"
    return "broken" if isinstance(line, Broken) else ""


def remark(finding: Finding) -> Remark:
    """Put a finding into the words that a page shows, whatever bytes it tells of."""
    return Remark(
        finding.line,
        finding.level,
        finding.code,
        finding.column,
        visible(retold(finding.message)),
        visible(finding.fix or ""),
        finding.code in WHOLE_FILE,
    )


def _pieces(line: Line, *, described: bool) -> list[tuple[str, bytes]]:
    match line:
        case Blank():
            return []
        case Comment():
            words = "ds" if described and is_description(line) else "cm"
            return [("dr" if is_directive(line.raw) else words, line.raw)]
        case Assigned():
            name, sign, value = line.raw.partition(b"=")
            return [("vr", name), ("", sign + value)]
        case Planned():
            return _planned(line)
        case Broken():
            return [("", line.raw)]


def _planned(line: Planned) -> list[tuple[str, bytes]]:
    schedule = line.start + len(line.expression.text)
    command = line.raw[line.command_at :].removesuffix(b"\r")
    kept = command.removesuffix(DISCARD)
    folder = _FOLDER.match(kept)
    program = line.command_at + (folder.end() if folder else 0)
    pieces = [
        ("", line.raw[: line.start]),
        ("tm", line.raw[line.start : schedule]),
        ("us", line.raw[schedule : line.command_at]),
        ("rd", line.raw[line.command_at : program]),
        ("co", line.raw[program : line.command_at + len(kept)]),
        ("rd", line.raw[line.command_at + len(kept) :]),
    ]
    return [(kind if line.active else "cm", raw) for kind, raw in pieces if raw]


def _marked(pieces: Iterable[tuple[str, bytes]], raw: bytes, findings: Iterable[Finding]) -> Pieces:
    """Underline the word at which each error or warning stands."""
    marks: dict[int, tuple[int, str]] = {}
    for finding in findings:
        word = _WORD.match(raw, finding.column - 1)
        if word and word[0] and finding.level in _MARKS:
            marks.setdefault(word.start(), (word.end(), _MARKS[finding.level]))
    if not marks:
        return [(kind, visible(shown(piece))) for kind, piece in pieces]
    found = []
    at = 0
    for kind, piece in pieces:
        for start, end, mark in _cut(at, at + len(piece), marks):
            text = visible(shown(raw[start:end]))
            found.append((f"{kind} {mark}".strip(), text))
        at += len(piece)
    return found


def _cut(
    start: int, end: int, marks: Mapping[int, tuple[int, str]]
) -> Iterator[tuple[int, int, str]]:
    """Part a stretch of a line (bytes from start to end) where marks begin and end."""
    edges = {start, end}
    for begin, (stop, _) in marks.items():
        edges |= {edge for edge in (begin, stop) if start < edge < end}
    for one, other in pairwise(sorted(edges)):
        mark = next((kind for begin, (stop, kind) in marks.items() if begin <= one < stop), "")
        yield one, other, mark
