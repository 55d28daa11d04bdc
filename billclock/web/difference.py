"""The difference of two texts as a page shows it: a line each, with what kind it is."""

from dataclasses import dataclass

from billclock.cron import veiling
from billclock.cron.findings import shown
from billclock.scheduler.merging import unified
from billclock.web.visible import visible

MOST = 2000  # lines of one difference that a page shows

_KINDS = {b"+": "add", b"-": "del", b"@": "at"}


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of a difference: `add`, `del`, `at` (a place) or `same`, and its text."""

    kind: str
    sign: str
    text: str


@dataclass(frozen=True)
class Difference:
    """What changed between two texts; `cut` says that more lines changed than are shown."""

    lines: tuple[Changed, ...]
    added: int
    removed: int
    cut: bool = False

    @property
    def before(self) -> str:
        """Give the lines that went, for the audit trail."""
        return self._of("del")

    @property
    def after(self) -> str:
        """Give the lines that came, for the audit trail."""
        return self._of("add")

    def _of(self, kind: str) -> str:
        return "\n".join(line.text for line in self.lines if line.kind == kind)

    def __bool__(self) -> bool:
        return bool(self.lines)


def difference(old: bytes, new: bytes, context: int = 3, *, veil: bool = False) -> Difference:
    """Compare two texts, with so many lines around each change; `veil` puts stars for secrets."""
    found = unified(old, new, context)
    lines = tuple(_changed(line, veil=veil) for line in found[:MOST])
    kinds = [line[:1] for line in found]
    return Difference(lines, kinds.count(b"+"), kinds.count(b"-"), len(found) > MOST)


def _changed(line: bytes, *, veil: bool) -> Changed:
    kind = _KINDS.get(line[:1], "same")
    text = line.removesuffix(b"\n")
    if kind == "at":
        return Changed(kind, "", text.decode("ascii", "replace"))
    body = veiling.line(text[1:]) if veil else text[1:]
    return Changed(kind, text[:1].decode("ascii").replace("-", "−"), visible(shown(body)))
