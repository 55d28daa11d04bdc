"""A crontab's text for who may read it but not its secrets: values that may be one as stars."""

import re
import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

from . import conditions, hooks
from .directives import is_directive, read_directives, write_directives

STARS = "******"
_SECRET = re.compile(
    r"PASS|PWD$|SECRET|TOKEN|CREDENTIAL|PRIVATE|APIKEY|(^|_)(KEY|AUTH|DSN|COOKIE)($|_)",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    rb"(?P<name>[ \t#]*+[\"']?(\w+)[\"']?[ \t]*+=[ \t]*+)(?P<value>.*[^\s])(?P<end>\s*)", re.DOTALL
)
BEARING = ("env", "webhook")
"""The directives whose values may hold a secret."""


def is_secret(name: str, value: str) -> bool:
    """Tell whether a variable may hold a secret: by its name, or an address with a password."""
    if _SECRET.search(name):
        return True
    try:
        return "://" in value and urlsplit(value).password is not None
    except ValueError:
        return True


def text(data: bytes) -> bytes:
    """Give a whole text, its secrets as stars; line ends, and how many lines there are, stay."""
    return b"\n".join(map(line, data.split(b"\n")))


def line(raw: bytes) -> bytes:
    """Give one line, with stars for the secrets of an assignment or a directive line.

    A commented assignment counts as one: it was in force, or will be. What a command or words
    hold is nowhere known to be a secret, and stays.
    """
    if is_directive(raw):
        return _directive(raw)
    found = _ASSIGNED.fullmatch(raw)
    if found is None or not is_secret(_read(found[2]), _read(found["value"]).strip("\"'")):
        return raw
    return found["name"] + STARS.encode() + found["end"]


def shown(line_of_text: str) -> str:
    """Give a line as text (undecodable bytes as surrogate escapes) as `line` does."""
    return _read(line(line_of_text.encode("utf-8", "surrogateescape")))


def directives(values: Mapping[str, str]) -> dict[str, str]:
    """Give directives, with stars for what in `env` and `webhook` may be secret."""
    shown = dict(values)
    if "env" in values:
        shown["env"] = _variables(values["env"])
    if "webhook" in values:
        shown["webhook"] = _address(values["webhook"])
    return shown


def _directive(raw: bytes) -> bytes:
    values, rest = read_directives(raw)
    shown = directives(values)
    unread = any(f"{key}=" in rest for key in BEARING)
    if shown == values and not unread:
        return raw
    end = b"\r" if raw.endswith(b"\r") else b""
    left = f" {STARS if unread else rest}".rstrip().encode("utf-8", "surrogateescape")
    return write_directives(shown) + left + end


def _variables(given: str) -> str:
    try:
        named = conditions.variables(given)
    except ValueError:
        return STARS
    if not any(is_secret(name, value) for name, value in named.items()):
        return given
    return " ".join(
        f"{name}={STARS if is_secret(name, value) else shlex.quote(value)}"
        for name, value in named.items()
    )


def _address(given: str) -> str:
    try:
        shown = hooks.shown(hooks.address(given))
    except ValueError:
        return STARS
    return shown.removesuffix("…") + STARS if shown.endswith("…") else shown


def _read(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
