"""The settings of a plugin: declared as fields, read from texts with a fault a field."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from billclock.billing.errors import PluginSettingsError

LONGEST = 500
LONGEST_NUMBER = 15


class Kind(StrEnum):
    """How a field is shown and read; a SECRET is never shown again."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    NUMBER = "number"
    ADDRESS = "address"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: `choices` for a CHOICE; `check` gives the fault of a filled value, or ""."""

    name: str
    meaning: str
    kind: Kind = Kind.TEXT
    required: bool = True
    default: str = ""
    choices: tuple[str, ...] = ()
    check: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a plugin may need of the place it runs in: the moment, and a folder for its files."""

    now: Callable[[], datetime]
    folder: Path


def read(plugin: str, fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, str]:
    """Give a text for each field, its default where none was given.

    Raise PluginSettingsError with every fault at once, names of unknown fields included.
    """
    known = {field.name: field for field in fields}
    faults = {
        name: f"no such setting; there are {', '.join(known)}" for name in given.keys() - known
    }
    values = {}
    for name, field in known.items():
        values[name] = given.get(name, "").strip() or field.default
        if fault := _fault(field, values[name]):
            faults[name] = fault
    if faults:
        raise PluginSettingsError(plugin, faults)
    return values


def _fault(field: Field, text: str) -> str:
    if not text:
        return f"missing: {field.meaning}" if field.required else ""
    if len(text) > LONGEST or not text.isprintable():
        return f"more than {LONGEST} characters, or unprintable ones"
    match field.kind:
        case Kind.NUMBER if not (
            text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
        ):
            return f"{text!r} is not a whole number"
        case Kind.CHOICE if text not in field.choices:
            return f"{text!r} is none of {', '.join(field.choices)}"
        case Kind.ADDRESS if not _address(text):
            return f"{text!r} is not an address such as https://example.org/"
    return field.check(text) if field.check else ""


def _address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
