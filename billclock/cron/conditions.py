"""What a directive asks of one entry's process and outputs, as text: read, or refused."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, NoReturn

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODES = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")
_NICE = re.compile(r"-?[0-9]{1,2}")
_SIZE = re.compile(r"([0-9]{1,6})([MG])")
_DAYS = re.compile(r"([0-9]{1,5})d")
_MIB = {"M": 1, "G": 1024}
_FIXED = ("LOGNAME", "USER")  # which say who runs it, and can't be assigned (crontab(5))

HIGHEST_CODE = 255
NICEST, LEAST_NICE = 19, -20
LEVELS = 8
IO_CLASSES = {"realtime": 1, "best-effort": 2, "idle": 3}  # ioprio_set(2)
USUAL_LEVEL = 4

WANTED = {
    "user": "the name of a user",
    "workdir": "the full path of a folder, such as /srv/app",
    "env": "variables such as LANG=C.UTF-8 MODE='two words', none of them LOGNAME or USER",
    "success": "exit codes from 0 to 255 such as 0,3,10-12",
    "nice": "a number from -20 to 19",
    "ionice": "idle, best-effort or realtime, the last two with a level such as best-effort:7",
    "memory": "a size such as 512M or 2G",
    "keep": "days, a size, or both, such as 90d, 50M or 90d,50M",
}
"""What each key's value should be, in words."""


class InputOutput(NamedTuple):
    """A priority of reading and writing: the kernel's class, and a level from 0, the first."""

    kind: int
    level: int


class Keep(NamedTuple):
    """How much is kept of an entry's outputs: days and bytes; None is what is not said."""

    days: int | None
    size: int | None


def user(text: str) -> str:
    """Read a user's name, whether or not there is one. Raise ValueError."""
    return text if _USER.fullmatch(text) else _refuse("user")


def folder(text: str) -> str:
    """Read a folder's full path. Raise ValueError."""
    return text if text.startswith("/") and "\0" not in text else _refuse("workdir")


def variables(text: str) -> dict[str, str]:
    """Read NAME=value words, quoted as for a shell that expands nothing. Raise ValueError."""
    pairs = [word.partition("=") for word in shlex.split(text)]
    if not pairs or any(not _assigns(name, equals) for name, equals, _value in pairs):
        _refuse("env")
    return {name: value for name, _equals, value in pairs}


def codes(text: str) -> frozenset[int]:
    """Read exit codes and ranges of them, with commas. Raise ValueError."""
    found: set[int] = set()
    for piece in text.split(","):
        ends = _CODES.fullmatch(piece.strip())
        if ends is None:
            _refuse("success")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not first <= last <= HIGHEST_CODE:
            _refuse("success")
        found.update(range(first, last + 1))
    return frozenset(found)


def niceness(text: str) -> int:
    """Read a nice value: -20 takes most of the processor, 19 what others leave. ValueError."""
    if not _NICE.fullmatch(text) or not LEAST_NICE <= int(text) <= NICEST:
        _refuse("nice")
    return int(text)


def input_output(text: str) -> InputOutput:
    """Read a class of ionice(1) and its level, 4 where none is given. Raise ValueError."""
    name, colon, level = text.partition(":")
    if name not in IO_CLASSES or (colon and name == "idle"):
        _refuse("ionice")
    if colon and level not in map(str, range(LEVELS)):
        _refuse("ionice")
    return InputOutput(IO_CLASSES[name], 0 if name == "idle" else int(level or USUAL_LEVEL))


def size(text: str) -> int:
    """Read `512M` or `2G` as bytes. Raise ValueError."""
    found = _SIZE.fullmatch(text)
    if found is None or not int(found[1]):
        _refuse("memory")
    return int(found[1]) * _MIB[found[2]] * 1024 * 1024


def keeping(text: str) -> Keep:
    """Read `90d`, `50M` or both with a comma. Raise ValueError."""
    days, room = None, None
    for piece in text.split(","):
        found = _DAYS.fullmatch(piece.strip())
        if found and days is None and int(found[1]):
            days = int(found[1])
        elif not found and room is None and _SIZE.fullmatch(piece.strip()):
            room = size(piece.strip())
        else:
            _refuse("keep")
    return Keep(days, room)


def ranges(found: Iterable[int]) -> str:
    """Write exit codes as they are read: `0,3,10-12`."""
    runs: list[list[int]] = []
    for code in sorted(found):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


READERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "user": user,
        "workdir": folder,
        "env": variables,
        "success": codes,
        "nice": niceness,
        "ionice": input_output,
        "memory": size,
        "keep": keeping,
    }
)
"""What reads each key's value."""


def _assigns(name: str, equals: str) -> bool:
    return bool(equals) and name not in _FIXED and _VARIABLE.fullmatch(name) is not None


def _refuse(key: str) -> NoReturn:
    raise ValueError(WANTED[key])
