"""Import: a foreign crontab, or a document with crontab lines in it, taken in line by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .comments import block, is_description, is_double, words
from .directives import is_directive
from .errors import CronError
from .examples import command_alone, explained, unlisted
from .expression import Expression
from .faults import PROMPT
from .findings import shown
from .header import visible
from .lines import Assigned, Blank, Broken, Comment, Line, Planned, read_line
from .repairs import Repair, odd_spaces, repaired
from .shell import KNOWN_PROGRAMS

TAKEN = "taken"
REPAIRED = "repaired"
REFUSED = "refused"
DROPPED = "dropped"
NOTED = "noted"

_LIKE = re.compile(rb"\s*(?:\xef\xbb\xbf)?(?:[0-9*][0-9*,/-]*[ \t]+[0-9*]|@[a-z]+[ \t])")
_VARIABLE = re.compile(rb"[ \t]*[A-Z_][A-Z0-9_]*=[^=]")
# Mends that choose when or as whom a command runs are for a person to take, never for a batch.
_GUESSES = {"schedule", "missing_user"}
_NO_SCHEDULE = "a command without a schedule: nothing says when it should run"
_SPACES = {"no_break_space", "crlf", "bom"}
_DONE = {
    "list_mark": "the mark of a list or quotation is taken off",
    "bom": "the byte order mark is taken off",
    "crlf": "the Windows line end is taken off",
    "no_break_space": "no-break spaces are made blanks",
    "shell_prompt": "the shell prompt copied in front is taken off",
    "glued_command": "a blank is put between the schedule and the command",
    "missing_field_in_line": "four time fields: a * is put in for the fifth",
    "six_fields": "a sixth field in front (seconds) is taken out",
    "cut_redirect": "the redirection cut short at the end is completed to 2>&1",
}


@dataclass(frozen=True, slots=True)
class ReportLine:
    """What became of one line of the source.

    `line` counts from 1; `fix` is the line as repaired, or a schedule as it was probably meant;
    `repairs` are the codes of what was mended; `entry` is the line as it is in the table, None
    while it is not; `is_entry` tells crontab lines from variables, examples and bare commands.
    """

    line: int
    text: str
    verdict: str
    reason: str = ""
    fix: str | None = None
    repairs: tuple[str, ...] = ()
    entry: bytes | None = None
    description: str = ""
    is_entry: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an import found, and the table's bytes to install (empty: there is nothing)."""

    lines: tuple[ReportLine, ...]
    data: bytes
    is_document: bool

    @property
    def found(self) -> int:
        """How many crontab lines were found, whatever became of them."""
        return sum(line.is_entry for line in self.lines)

    @property
    def counts(self) -> dict[str, int]:
        """Figures: found, taken, repaired (spaces, prompt, other), refused, dropped.

        A line that was repaired and then dropped as a duplicate counts as both.
        """
        entries = [line for line in self.lines if line.is_entry]
        verdicts = Counter(line.verdict for line in entries)
        kinds = Counter(_kind(line.repairs) for line in entries if line.repairs)
        return {
            "found": len(entries),
            "taken": verdicts[TAKEN],
            "repaired spaces": kinds["spaces"],
            "repaired other": kinds["other"],
            "repaired prompt": kinds["prompt"],
            "refused": verdicts[REFUSED],
            "dropped": verdicts[DROPPED],
        }


def take(data: bytes, fix: bool = False, system: bool = False) -> Report:
    """Read a foreign table or document (any bytes) and give the report and the table to install.

    Taken lines keep their bytes. Repaired ones come in only with `fix`; without it the report
    shows what they would become. A description (`##` lines, one blank line bridged and left out)
    comes with its entry. Of a document, which is mostly prose, nothing else is kept; of a table,
    comments, variables and blank lines are.
    """
    source = visible(data)
    skipped = data[: len(data) - len(source)].count(b"\n")
    raws = source.removesuffix(b"\n").split(b"\n") if source else []
    lines = [
        read_line(raw, system=system, programs=KNOWN_PROGRAMS, first=not at)
        for at, raw in enumerate(raws)
    ]
    is_document = _is_document(lines)
    if is_document:
        lines = [
            read_line(raw.rstrip(b"\r"), system=system, programs=KNOWN_PROGRAMS, first=not at)
            for at, raw in enumerate(raws)
        ]
    taking = _Taking(lines, fix=fix, system=system, is_document=is_document, shift=skipped + 1)
    for at in range(len(lines)):
        taking.look(at)
    return Report(tuple(taking.told), taking.table(), is_document)


def _is_document(lines: Sequence[Line]) -> bool:
    """Tell prose with crontab lines in it from a crontab with some broken lines."""
    broken = [line for line in lines if isinstance(line, Broken)]
    prose = sum(not _is_like(line.raw) for line in broken)
    crontab = sum(isinstance(line, Planned | Assigned) for line in lines)
    return prose > crontab + len(broken) - prose


def _is_like(raw: bytes) -> bool:
    return bool(_LIKE.match(unlisted(raw)) or PROMPT.match(raw))


def _kind(repairs: tuple[str, ...]) -> str:
    if "shell_prompt" in repairs:
        return "prompt"
    return "spaces" if _SPACES.issuperset(repairs) else "other"


@dataclass(slots=True)
class _Taking:
    """An import under way: what has been told, and which lines each line gives the table.

    `shift` is the number of the first line in the source, a hidden header counted.
    """

    lines: Sequence[Line]
    fix: bool
    system: bool
    is_document: bool
    shift: int
    told: list[ReportLine] = field(default_factory=list)
    kept: dict[int, list[bytes]] = field(default_factory=dict)
    seen: dict[tuple[Expression, bytes], int] = field(default_factory=dict)

    def look(self, at: int) -> None:
        """Decide on one line."""
        line = self.lines[at]
        if isinstance(line, Comment | Blank):
            if not self.is_document:
                self.kept[at] = [self._comment(line.raw)]
        elif example := explained(line.raw):
            self._tell(at, NOTED, example.reason, example.fix)
        elif isinstance(line, Planned):
            mended = repaired(line.raw, system=self.system)
            read = self._read(mended.raw) if mended else line
            self._entry(at, read if isinstance(read, Planned) else line, mended)
        elif command_alone(line.raw):
            self._tell(at, NOTED, _NO_SCHEDULE)
        elif isinstance(line, Assigned):
            self._variable(at, line.raw)
        elif not self.is_document or _is_like(line.raw):
            self._broken(at, line)

    def table(self) -> bytes:
        """Give the bytes of the table: a document's entries stand apart, a table's as they did."""
        blocks = [b"\n".join(self.kept[at]) for at in sorted(self.kept) if self.kept[at]]
        between = b"\n\n" if self.is_document else b"\n"
        return between.join(blocks) + (b"\n" if blocks else b"")

    def _broken(self, at: int, line: Broken) -> None:
        mended = self._repaired(line.raw, first=not at)
        read = self._read(mended.raw) if mended else line
        if mended and _GUESSES.intersection(mended.codes):
            self._refuse(at, line.error, shown(mended.raw))
        elif isinstance(read, Planned):
            self._entry(at, read, mended)
        elif isinstance(read, Assigned):
            self._variable(at, line.raw)
        elif isinstance(read, Broken):
            self._refuse(at, line.error, None)
        elif self.fix:
            self.kept[at] = [read.raw]

    def _refuse(self, at: int, error: CronError, fix: str | None) -> None:
        self._disown(at)
        self._tell(at, REFUSED, str(error), fix, is_entry=True)

    def _repaired(self, raw: bytes, *, first: bool) -> Repair | None:
        bare = unlisted(raw) if self.is_document else raw
        mended = repaired(bare, system=self.system, first=first)
        if bare == raw:
            return mended
        if mended is None and not isinstance(self._read(bare), Planned):
            return None
        raw, codes = mended or Repair(bare, ())
        return Repair(raw, ("list_mark", *codes))

    def _variable(self, at: int, raw: bytes) -> None:
        if self.is_document and not _VARIABLE.match(raw):
            return
        mended = repaired(raw, system=self.system, first=not at)
        if mended is None or self.fix:
            self.kept[at] = [mended.raw if mended else raw]
        fix = shown(mended.raw) if mended else None
        self._tell(at, REPAIRED if mended else TAKEN, _done(mended), fix)

    def _entry(self, at: int, entry: Planned, mended: Repair | None) -> None:
        description = self._disown(at)
        verdict, reason, taken = (REPAIRED if mended else TAKEN), _done(mended), None
        key = (entry.expression, entry.command.strip())
        if key in self.seen:
            verdict = DROPPED
            twin = f"line {self.seen[key] + self.shift} has the same command at the same time"
            reason = f"{twin}; {reason}" if reason else twin
        elif mended is None or self.fix:
            taken = entry.raw
            self.seen[key] = at
            self.kept[at] = [*description, taken]
        told = self._tell(at, verdict, reason, shown(entry.raw) if mended else None, is_entry=True)
        described = [words(raw) for raw in description if not is_directive(raw)]
        self.told[-1] = replace(
            told,
            repairs=mended.codes if mended else (),
            entry=taken,
            description="\n".join(described),
        )

    def _disown(self, at: int) -> list[bytes]:
        """Take the lines that belong to an entry out of the table by themselves, and give them."""
        owned = _owned(self.lines, at)
        self.kept.update((place, []) for place in owned)
        raws = [self.lines[place].raw for place in owned]
        return [self._comment(raw) for raw in raws if raw.strip()]

    def _comment(self, raw: bytes) -> bytes:
        if self.is_document:
            return (odd_spaces(raw) or raw).strip()
        return raw.rstrip(b"\r") if self.fix else raw

    def _read(self, raw: bytes) -> Line:
        return read_line(raw, system=self.system, programs=KNOWN_PROGRAMS)

    def _tell(
        self, at: int, verdict: str, reason: str, fix: str | None = None, *, is_entry: bool = False
    ) -> ReportLine:
        text = shown(self.lines[at].raw)
        told = ReportLine(at + self.shift, text, verdict, reason, fix, is_entry=is_entry)
        self.told.append(told)
        return told


def _owned(lines: Sequence[Line], at: int) -> range:
    """Give the places of an entry's directive, description and one blank line bridged to it."""
    start = block(lines, at).start
    top = start
    if start and isinstance(lines[start - 1], Blank) and not _describes(lines, start, at):
        top = start - 1
        while top and is_description(lines[top - 1]) and is_double(lines[top - 1].raw):
            top -= 1
    return range(top if top < start - 1 else start, at)


def _describes(lines: Sequence[Line], start: int, at: int) -> bool:
    return block(lines, at).described > start


def _done(mended: Repair | None) -> str:
    """Say what was mended."""
    return "; ".join(_DONE[code] for code in mended.codes) if mended else ""
