"""Which commands are so plain that /bin/sh would only find a file and execute it.

Leaving the shell out halves the cost of a start. It is left out only when that is proven to make
no difference: plain words, no builtin or reserved word first, and a file found where sh finds it.
"""

import os
import re
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_PLAIN = re.compile(rb"[ \t]*([A-Za-z0-9_./@%+:,-]+(?:[ \t]+[A-Za-z0-9_./@%+:,=-]+)*)[ \t]*")
_PROVEN_SHELLS = {"dash", "bash"}
# reserved words and builtins of dash and bash together, sh mode or not
_OWN_TO_SHELLS = """
. : [ alias bg bind break builtin caller case cd chdir command compgen complete compopt continue
coproc declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi
for function getopts hash help history if in jobs kill let local logout mapfile popd printf pushd
pwd read readarray readonly return select set shift shopt source suspend test then time times trap
true type typeset ulimit umask unalias unset until wait while
"""
_SHELLS_OWN = frozenset(_OWN_TO_SHELLS.split())
_ELF = b"\x7fELF"
_SCRIPT = b"#!"


def words(command: bytes) -> list[str] | None:
    """Split a command of plain words (nothing that a shell would interpret), None of any other."""
    plain = _PLAIN.fullmatch(command)
    return plain[1].decode("ascii").split() if plain else None


def direct(
    command: bytes, shell: str, environment: Mapping[str, str], *, own: bool
) -> tuple[str, list[str]] | None:
    """Give the file and arguments that `shell -c command` would come down to, None if unsure.

    `own`: the command runs as ourselves; otherwise the file must be open to everybody.
    """
    arguments = words(command)
    if arguments is None or shell != "/bin/sh" or not _is_proven(shell):
        return None
    if any(name.startswith("BASH_FUNC_") for name in environment):
        return None
    path = find(arguments[0], environment)
    if path is None or not _is_executable(path, own=own):
        return None
    return path, arguments


@lru_cache(maxsize=8)
def _is_proven(shell: str) -> bool:
    return Path(shell).resolve().name in _PROVEN_SHELLS


def find(word: str, environment: Mapping[str, str]) -> str | None:
    """Give the file that sh would take for a command's first word, None if that isn't certain."""
    if "/" in word:
        return word if word.startswith("/") else None
    if word in _SHELLS_OWN or "PATH" not in environment:
        return None
    for folder in environment["PATH"].split(":"):
        if not folder.startswith("/"):
            return None  # a folder below the current one
        path = f"{folder}/{word}"
        if Path(path).is_file():
            return path
    return None


def _is_executable(path: str, *, own: bool) -> bool:
    try:
        found = os.stat(path)  # noqa: PTH116 - a tenth of a start's time goes into Path
    except OSError:
        return False
    if not stat.S_ISREG(found.st_mode):
        return False
    if own:
        allowed = os.access(path, os.X_OK)
    else:
        allowed = found.st_mode & (stat.S_IROTH | stat.S_IXOTH) == stat.S_IROTH | stat.S_IXOTH
    return allowed and _has_loader(path, found.st_ino, found.st_mtime_ns)


@lru_cache(maxsize=4096)
def _has_loader(path: str, _inode: int, _changed: int) -> bool:
    """Tell whether the kernel itself executes the file, so that no shell has to interpret it."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            begin = file.read(4)
    except OSError:
        return False
    return begin == _ELF or begin.startswith(_SCRIPT)
