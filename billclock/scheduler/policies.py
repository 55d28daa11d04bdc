"""Pure decisions: what an entry's directives ask for, overlap, retries, lateness."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from billclock.cron import conditions, defaults, directives, hooks, zones
from billclock.cron.conditions import InputOutput, Keep
from billclock.cron.directives import duration, small_number

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


class HookWhen(StrEnum):
    """Of which endings a webhook hears."""

    ALWAYS = "always"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Options:
    """What the directive line above an entry asks for; durations in seconds, sizes in bytes."""

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
    on_success: str = ""
    on_failure: str = ""
    webhook: str = ""
    webhook_when: HookWhen = HookWhen.ALWAYS
    user: str = ""
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    success: frozenset[int] = frozenset((0,))
    nice: int | None = None
    input_output: InputOutput | None = None
    memory: int | None = None
    keep: Keep | None = None

    @property
    def overlaps(self) -> bool:
        """Tell whether runs of the entry may go on side by side."""
        return self.overlap is Overlap.ALLOW


DEFAULT = Options()
NONE: Mapping[str, str] = MappingProxyType({})


class DirectiveError(ValueError):
    """A directive holds what it cannot: the text names the key, the value and what is meant."""

    def __init__(self, key: str, value: str, expected: str) -> None:
        shown = f"{key}={value}" if directives.told(key, value) == repr(value) else key
        super().__init__(f"{shown}: expected {expected}")
        self.key = key


def read(
    given: Mapping[str, str], environment: Mapping[str, str] = NONE
) -> tuple[Options, list[DirectiveError]]:
    """Read an entry's directives (key to value); what can't be read keeps its default.

    That is what the assignments above the entry say, else ours: see `billclock.cron.defaults`.
    Keys that are not known are left alone here: lint warns of them, and of assignments.
    """
    standing = defaults.given(environment)
    if not given and not standing:
        return DEFAULT, []
    own, errors = _values(given)
    return Options(**{**_values(standing)[0], **own}), errors


def _values(given: Mapping[str, str]) -> tuple[dict[str, Any], list[DirectiveError]]:
    """Give the fields of Options that directives fill, and what can't be read."""
    values: dict[str, Any] = {}
    errors = []
    for key, value in given.items():
        if key in _READERS:
            name, reader, expected = _READERS[key]
            try:
                values[name] = reader(value)
            except (ValueError, OSError):
                errors.append(DirectiveError(key, value, expected))
    return values, errors


def _zone(text: str) -> str:
    return zones.named(text).key


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(",") if tag.strip())


def _called(text: str) -> str:
    if not text.strip():
        raise ValueError("it names no entry")
    return text.strip()


_READERS = {
    "timeout": ("timeout", duration, "a duration such as 30s, 15m or 2h"),
    "grace": ("grace", duration, "a duration such as 10s"),
    "overlap": ("overlap", Overlap, "skip, queue, allow or replace"),
    "catch-up": ("catch_up", CatchUp, "skip or once"),
    "retries": ("retries", small_number, "a number from 0 to 999"),
    "backoff": ("backoff", duration, "a duration such as 1m"),
    "zone": ("zone", _zone, "the name of a time zone such as Europe/Berlin"),
    "mail": ("mail", MailWhen, "never, failure, output or always"),
    "expected": ("expected", duration, "a duration such as 2h"),
    "tags": ("tags", _tags, "words with commas"),
    "on-success": ("on_success", _called, "the name= or description of another entry"),
    "on-failure": ("on_failure", _called, "the name= or description of another entry"),
    "webhook": ("webhook", hooks.address, hooks.WANTED),
    "webhook-when": ("webhook_when", HookWhen, "always, success or failure"),
    **{
        key: (name, conditions.READERS[key], conditions.WANTED[key])
        for key, name in (
            ("user", "user"),
            ("workdir", "folder"),
            ("env", "variables"),
            ("success", "success"),
            ("nice", "nice"),
            ("ionice", "input_output"),
            ("memory", "memory"),
            ("keep", "keep"),
        )
    },
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
