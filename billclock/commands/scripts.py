"""The files a shell finds: one script a command, which knows its Python and where Billclock lies.

It starts whatever the caller's environment is: cron gives PATH=/usr/bin:/bin and little else.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

MODULES = {
    name: f"billclock.commands.{name}" for name in ("billclock", "billmaintain", "mgrctl", "ntsms")
}
MARK = "# Written by Billclock; it is written again where it is stale."
ROOT = Path(__file__).resolve().parents[2]
LONGEST_SHEBANG = 127  # of old kernels; execve(2)
NOTHING: Mapping[str, str] = MappingProxyType({})


def refresh() -> None:
    """Write the scripts into the virtual environment, where they are missing or stale.

    There is nothing to do outside one, nor where it is not ours to write.
    """
    folder = Path(sys.prefix) / "bin"
    if sys.prefix != sys.base_prefix and os.access(folder, os.W_OK):
        write(folder)


def write(folder: Path, variables: Mapping[str, str] = NOTHING) -> None:
    """Write all four into a folder, each giving its command `variables` that are not set.

    A file of the same name that Billclock did not write stays: pip's own scripts do the same.
    """
    for name in MODULES:
        place = folder / name
        wanted = text(name, variables)
        if _content(place) != wanted and (is_ours(place) or not os.path.lexists(place)):
            beside = folder / f".{name}.{os.getpid()}"
            beside.write_text(wanted, encoding="utf-8", errors="surrogateescape")
            beside.chmod(0o755)
            beside.replace(place)


def is_ours(place: Path) -> bool:
    """Tell whether Billclock wrote the script that is found at a path, links followed."""
    return MARK in _content(place)


def text(name: str, variables: Mapping[str, str] = NOTHING) -> str:
    """Give the script of a command."""
    given = [f"os.environ.setdefault({key!r}, {value!r})" for key, value in variables.items()]
    lines = [
        *_interpreter(Path(sys.prefix) / "bin" / "python"),
        MARK,
        *(["import os", *given] if given else []),
        "import sys",
        f"sys.path.insert(0, {str(ROOT)!r})",
        f"from {MODULES[name]} import main",
        "sys.exit(main())",
    ]
    return "\n".join(lines) + "\n"


def _interpreter(python: Path) -> list[str]:
    """Give the first lines: -I keeps the caller's PYTHON variables out.

    A path that the kernel would not take there goes through sh, for which the second line is a
    command and for Python a text.
    """
    line = f"#!{python} -I"
    if " " not in str(python) and len(line) <= LONGEST_SHEBANG:
        return [line]
    quoted = str(python).replace("'", "'\\''")
    return ["#!/bin/sh", f"'''exec' '{quoted}' -I \"$0\" \"$@\"", "' '''"]


def _content(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
