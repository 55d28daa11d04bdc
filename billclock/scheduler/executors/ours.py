"""Which commands are our own, and how a fresh process would run them."""

import dataclasses
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from billclock.scheduler.executors import shell
from billclock.scheduler.executors.base import Order
from billclock.scheduler.executors.spawners import other

_TELLING = ("BILLCLOCK_", "DJANGO_", "LD_", "TZ")
_SCRIPT_SIZE = 4096
_PRESET = re.compile(r"os\.environ\.setdefault\('([^']*)'")
_UTF8 = re.compile(r"(|C|POSIX|.*\.utf-?8(@.*)?)", re.IGNORECASE)
_FRESH = (
    "import sys; sys.path.insert(0, {root!r}); sys.argv[0] = {name!r}; "
    "from {module} import {main}; sys.exit({main}())"
)


def arguments(order: Order) -> list[str] | None:
    """Give the arguments of a command that is plainly one of ours, None of any other.

    It is ours when sh would find our own script, or when it is called by a panel's path at which
    there is nothing.
    """
    words = shell.words(order.command)
    name = Path(words[0]).name if words else ""
    if words is None or name not in settings.WARM_COMMANDS:
        return None
    if order.folder or order.limits:  # which a process of its own takes upon itself
        return None
    if order.shell != "/bin/sh" or other(order.user) is not None:
        return None
    path = shell.find(words[0], order.environment)
    if path is None or not _is_like_ours(order.environment):
        return None
    if _is_missing(path) or _is_our_script(Path(path), name, order.environment):
        return words
    return None


def ordinary(order: Order) -> Order:
    """Give the order as a fresh process can run it: a panel's path may need our script instead."""
    first, blank, rest = order.command.lstrip(b" \t").partition(b" ")
    path = os.fsdecode(first)
    if not _is_missing(path):
        return order
    name = settings.WARM_PATHS[path]
    command = fresh(name, settings.WARM_COMMANDS[name], []) + blank + rest
    return dataclasses.replace(order, command=command)


def fresh(name: str, dotted: str, arguments: list[str]) -> bytes:
    """Write the command that runs one of our mains in a fresh interpreter."""
    module, _, main = dotted.partition(":")
    code = _FRESH.format(root=str(settings.ROOT), name=name, module=module, main=main)
    return os.fsencode(shlex.join([sys.executable, "-I", "-c", code, *arguments]))


def _is_missing(path: str) -> bool:
    return path in settings.WARM_PATHS and not os.path.lexists(path)


def _is_like_ours(environment: Mapping[str, str]) -> bool:
    """Tell whether a fresh process would have our settings and write UTF-8 as we do."""
    ours = {**os.environ, "BILLCLOCK_HOME": str(settings.HOME), "TZ": settings.TIME_ZONE}
    for name, value in environment.items():
        if name.startswith(_TELLING) and ours.get(name) != value:
            return False
    locale = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return _UTF8.fullmatch(next(filter(None, locale), "")) is not None


def _is_our_script(path: Path, name: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a file only calls our main in the environment it is given."""
    try:
        with path.open("rb") as file:
            text = file.read(_SCRIPT_SIZE).decode("utf-8", "replace")
    except OSError:
        return False
    module, _, main = settings.WARM_COMMANDS[name].partition(":")
    ours = f"sys.path.insert(0, {str(settings.ROOT)!r})\nfrom {module} import {main}\n" in text
    return ours and all(variable in environment for variable in _PRESET.findall(text))
