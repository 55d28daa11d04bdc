"""Pure decisions: what an entry's directives ask for, overlap, retries, lateness."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

E = TypeVar("E", bound=StrEnum)


class Overlap(StrEnum):
    """What a moment does while an earlier run of its entry goes on."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    REPLACE = "replace"


class CatchUp(StrEnum):
    """What becomes of moments that were missed: nothing, or one run for the latest of them."""

    SKIP = "skip"
    ONCE = "once"


class MailWhen(StrEnum):
    """When a run is reported; OUTPUT is what every cron does."""

    NEVER = "never"
    FAILURE = "failure"
    OUTPUT = "output"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Options:
    """What the directive line above an entry asks for; durations in seconds."""

    timeout: float | None = None
    grace: float = 10.0
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.SKIP
    retries: int = 0
    backoff: float = 60.0
    zone: str = ""
    mail: MailWhen = MailWhen.OUTPUT
    expected: float | None = None
    tags: tuple[str, ...] = ()

    @property
    def overlaps(self) -> bool:
        """Tell whether runs of the entry may go on side by side."""
        return self.overlap is Overlap.ALLOW


DEFAULT = Options()


class DirectiveError(ValueError):
    """A directive holds what it cannot: the text names the key, the value and what is meant."""

    def __init__(self, key: str, value: str, expected: str) -> None:
        super().__init__(f"{key}={value}: expected {expected}")
        self.key = key


def seconds(text: str) -> float:
    """Read a duration such as 30s, 15m, 2h or 1d; raise ValueError for anything else."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if found is None:
        raise ValueError(text)
    return float(int(found[1]) * SECONDS[found[2]])


def read(directives: Mapping[str, str]) -> tuple[Options, list[DirectiveError]]:
    """Read an entry's directives (key to value); what can't be read keeps its default.

    Keys that are not known are left alone here: lint warns of them.
    """
    if not directives:
        return DEFAULT, []
    values: dict[str, object] = {}
    errors = []
    for key, value in directives.items():
        if key in _READERS:
            name, reader, expected = _READERS[key]
            try:
                values[name] = reader(value)
            except (ValueError, ZoneInfoNotFoundError, OSError):
                errors.append(DirectiveError(key, value, expected))
    return Options(**values), errors  # type: ignore[arg-type]


def _zone(text: str) -> str:
    return ZoneInfo(text).key


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text):
        raise ValueError(text)
    return int(text)


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(",") if tag.strip())


_READERS = {
    "timeout": ("timeout", seconds, "a duration such as 30s, 15m or 2h"),
    "grace": ("grace", seconds, "a duration such as 10s"),
    "overlap": ("overlap", Overlap, "skip, queue, allow or replace"),
    "catch-up": ("catch_up", CatchUp, "skip or once"),
    "retries": ("retries", _number, "a number from 0 to 999"),
    "backoff": ("backoff", seconds, "a duration such as 1m"),
    "zone": ("zone", _zone, "the name of a time zone such as Europe/Berlin"),
    "mail": ("mail", MailWhen, "never, failure, output or always"),
    "expected": ("expected", seconds, "a duration such as 2h"),
    "tags": ("tags", _tags, "words with commas"),
}


class Start(StrEnum):
    """What to do with a moment that has come."""

    NOW = "now"
    WAIT = "wait"
    SKIP = "skip"
    REPLACE = "replace"


def on_overlap(policy: Overlap, *, running: int, waiting: int) -> Start:
    """Decide for a moment whose entry has `running` runs and `waiting` queued ones."""
    if not running or policy is Overlap.ALLOW:
        return Start.NOW
    if policy is Overlap.REPLACE:
        return Start.REPLACE
    if policy is Overlap.QUEUE and not waiting:
        return Start.WAIT
    return Start.SKIP


def retry_in(options: Options, attempt: int) -> float | None:
    """Give the seconds to wait after a failed `attempt` (from 1), or None to give up."""
    if attempt > options.retries:
        return None
    return float(options.backoff * 2 ** (attempt - 1))
