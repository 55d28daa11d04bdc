"""The `# billclock: key=value` line between a description and its entry, read, checked, written."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from . import conditions, hooks, zones
from .errors import CronError

_LINE = re.compile(rb"[ \t]*#+[ \t]*billclock:(.*)", re.DOTALL)
_PAIR = re.compile(r'\s*([A-Za-z][A-Za-z0-9_-]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)')
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
LONGEST = 3660 * 86_400  # seconds of a duration
_SMALL = re.compile(r"[0-9]{1,3}")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> int:
    """Turn `30s`, `15m`, `2h` or `1d` into seconds, or raise ValueError; ten years are the most.

    A longer one leads out of the calendar whoever takes it from a moment.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write a number and s, m, h or d, say 15m")
    seconds = int(found.group(1)) * _SECONDS[found.group(2)]
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return seconds


def small_number(text: str) -> int:
    """Turn `0` to `999` into a number, or raise ValueError."""
    if not _SMALL.fullmatch(text):
        raise ValueError(f"{text!r} is not a number from 0 to 999")
    return int(text)


def known_zone(name: str) -> bool:
    """Tell whether `name` is a time zone of the IANA database."""
    try:
        zones.named(name)
    except ValueError:
        return False
    return True


def _one_of(*words: str) -> Callable[[str], str | None]:
    return lambda value: None if value in words else f"one of {', '.join(words)}"


def _a_duration(value: str) -> str | None:
    try:
        duration(value)
    except ValueError:
        return "a duration such as 30s, 15m or 2h"
    return None


def _a_number(value: str) -> str | None:
    return None if _SMALL.fullmatch(value) else "a number from 0 to 999"


def _a_zone(value: str) -> str | None:
    return None if known_zone(value) else "a time zone such as Europe/Berlin"


def _an_address(value: str) -> str | None:
    try:
        hooks.address(value)
    except ValueError as error:
        return str(error)
    return None


def _a_name(value: str) -> str | None:
    return None if value.strip() else "the name= or description of another entry"


def _condition(key: str, reader: Callable[[str], object]) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        try:
            reader(value)
        except ValueError:
            return conditions.WANTED[key]
        return None

    return check


KEYS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {
        "timeout": _a_duration,
        "grace": _a_duration,
        "overlap": _one_of("skip", "queue", "allow", "replace"),
        "catch-up": _one_of("skip", "once"),
        "retries": _a_number,
        "backoff": _a_duration,
        "zone": _a_zone,
        "mail": _one_of("never", "failure", "output", "always"),
        "expected": _a_duration,
        "tags": lambda _: None,
        "name": lambda value: None if value.strip() else "a name for the entry",
        "on-success": _a_name,
        "on-failure": _a_name,
        "webhook": _an_address,
        "webhook-when": _one_of(*hooks.WHEN),
        **{key: _condition(key, reader) for key, reader in conditions.READERS.items()},
    }
)
"""Every directive with a check that answers what the value should have been, or None."""


def is_directive(raw: bytes) -> bool:
    """Tell whether a comment line is a directive line."""
    return _LINE.match(raw) is not None


def read_directives(raw: bytes) -> tuple[dict[str, str], str]:
    """Give a directive line's keys and values, and the rest that could not be read."""
    found = _LINE.match(raw)
    text = found.group(1).decode("utf-8", "surrogateescape").rstrip() if found else ""
    values: dict[str, str] = {}
    at = 0
    while pair := _PAIR.match(text, at):
        key, quoted, bare = pair.groups()
        values[key] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = pair.end()
    return values, text[at:].strip()


def write_directives(values: Mapping[str, str]) -> bytes:
    """Give the directive line, without a line end; raise CronError for what can't be written."""
    words = [f"{key}={_quoted(key, value)}" for key, value in values.items()]
    return f"# billclock: {' '.join(words)}".encode("utf-8", "surrogateescape")


def fault(key: str, value: str) -> str | None:
    """Say what is wrong with a directive's value, or None when it is right."""
    wanted = KEYS[key](value) if key in KEYS else None
    return f"{key}: {told(key, value)} is not {wanted}" if wanted else None


def told(key: str, value: str) -> str:
    """Give a directive's value as a message may hold it: variables and addresses may be secrets."""
    return "its value" if key in ("env", "webhook") else repr(value)


def _quoted(key: str, value: str) -> str:
    if not _KEY.fullmatch(key):
        raise CronError(f"{key!r} can't be the name of a directive; use letters, digits and -")
    if any(sign in value for sign in "\n\r\0"):
        raise CronError(f"the directive {key} can't hold a line end or a NUL")
    if value and not re.search(r'[\s"\\]', value):
        return value
    return '"' + value.replace("\\", r"\\").replace('"', r"\"") + '"'
