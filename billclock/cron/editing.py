"""Edits of a crontab's text: each touches the lines of one entry or variable, no other byte."""

from collections.abc import Mapping, Sequence

from . import writing
from .comments import block, is_heading
from .directives import read_directives
from .errors import CronError
from .lines import Assigned, Comment, Line, Planned
from .text import Text
from .writing import KEEP, Keep


def add(text: Text, at: int, raw: bytes, description: str, directives: Mapping[str, str]) -> Text:
    """Put an entry's line, its description and its directives at a place (from 0)."""
    above = [*writing.description(description), *writing.directives(directives)]
    return _placed(text, at, at, [*above, raw], writing.folded(description))


def change(
    text: Text,
    at: int,
    raw: bytes,
    description: str | Keep = KEEP,
    directives: Mapping[str, str] | Keep = KEEP,
    below: int | None = None,
) -> Text:
    """Replace an entry's line and what else is named; move it below another entry's place."""
    start, described, _ = block(text.lines, at)
    above = [line.raw for line in text.lines[start:described]]
    directed = [line.raw for line in text.lines[described:at]]
    was = text.description(at)
    wanted = was if isinstance(description, Keep) else writing.folded(description)
    if wanted != was:
        above = writing.description(wanted)
    if not isinstance(directives, Keep) and dict(directives) != _directives(directed):
        directed = writing.directives(directives)
    raws = [*above, *directed, raw]
    if below is None or below == at:
        return _placed(text, start, at + 1, raws, wanted)
    if below > at:
        return remove(_placed(text, below + 1, below + 1, raws, wanted), at)
    # Taken out first, the entry leaves everything above its block where it was.
    return _placed(remove(text, at), below + 1, below + 1, raws, wanted)


def remove(text: Text, at: int) -> Text:
    """Take out an entry with its description and its directive line."""
    start = block(text.lines, at).start
    shorter = text.spliced(start, at + 1, [])
    below = _entry_below(text, at)
    if below is None or shorter.description(below - (at + 1 - start)) == text.description(below):
        return shorter
    # A comment above the gap would become the next entry's description: keep them apart.
    return text.spliced(start, at + 1, [b""])


def assign(text: Text, name: str, value: str | None) -> Text:
    """Set a variable above the first entry, or take it out there with None."""
    head = next((at for at, line in enumerate(text.lines) if isinstance(line, Planned)), None)
    above = text.lines[:head]
    places = [
        at for at, line in enumerate(above) if isinstance(line, Assigned) and line.name == name
    ]
    if value is None:
        for at in reversed(places):
            text = text.spliced(at, at + 1, [])
        return text
    if not places:
        at = _top(above)
        return text.spliced(at, at, [writing.assignment(name, value)])
    old = text.lines[places[-1]]
    if isinstance(old, Assigned) and old.value == value:
        return text
    return text.spliced(places[-1], places[-1] + 1, [writing.changed_assignment(old.raw, value)])


def _directives(raws: Sequence[bytes]) -> dict[str, str]:
    return read_directives(raws[0])[0] if raws else {}


def _top(above: Sequence[Line]) -> int:
    """Give the place for a new variable: below the last one, or below the table's heading."""
    places = [
        at for at, line in enumerate(above, 1) if isinstance(line, Assigned) or is_heading(line)
    ]
    return places[-1] if places else 0


def _entry_below(text: Text, at: int) -> int | None:
    """Give the place of the entry that only comments divide from a place, or None."""
    for below in range(at + 1, len(text.lines)):
        line = text.lines[below]
        if isinstance(line, Planned):
            return below
        if not isinstance(line, Comment):
            return None
    return None


def _placed(text: Text, start: int, end: int, raws: Sequence[bytes], description: str) -> Text:
    """Put an entry's lines in place, a blank line before them if a comment above intrudes."""
    for gap in ((), (b"",)):
        new = text.spliced(start, end, [*gap, *raws])
        if new.description(start + len(gap) + len(raws) - 1) == description:
            return new
    raise CronError("the description would be read as something else; word it otherwise")
