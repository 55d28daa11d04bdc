"""The crontabs that this machine's own cron has, from which jobs can be imported."""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from billclock.accounts.models import User

SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/usr/spool/cron")
MOST = 4 << 20  # bytes of a crontab that is offered


@dataclass(frozen=True)
class Source:
    """One crontab of the machine: whose or which (`name`), where, its text, its job lines.

    `system` says that a user column stands before its commands.
    """

    name: str
    path: str
    system: bool
    data: bytes

    @property
    def lines(self) -> int:
        """Count the lines that are neither blank nor comments."""
        raws = (raw.strip() for raw in self.data.split(b"\n"))
        return sum(bool(raw) and not raw.startswith(b"#") for raw in raws)


def sources(user: User) -> list[Source]:
    """Give the crontabs of this machine, none of ours, that can be read and are open to a user.

    The system's own hold what all users run: they are for who sees every table.
    """
    of_system = [] if user.tables.split() else list(_system())
    return [*(found for found in _users() if user.sees(found.name)), *of_system]


def source(path: str, user: User) -> Source | None:
    """Give the crontab at a path, if it is one of those that `sources` offers."""
    return next((found for found in sources(user) if found.path == path), None)


def _users() -> Iterator[Source]:
    ours = os.path.realpath(settings.SPOOL)
    seen = {ours}
    for spool in SPOOLS:
        place = os.path.realpath(spool)
        if place in seen:
            continue
        seen.add(place)
        for name in _listed(Path(place)):
            if _is_user(name) and (data := _read(Path(place, name))) is not None:
                yield Source(name, f"{place}/{name}", system=False, data=data)


def _system() -> Iterator[Source]:
    folder = Path(settings.SYSTEM_TABLES)
    paths = [folder / "crontab", *(folder / "cron.d" / name for name in _listed(folder / "cron.d"))]
    for path in paths:
        hidden = path.name.startswith(".")
        if not hidden and (data := _read(path)) is not None:
            yield Source(path.name, str(path), system=True, data=data)


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _read(path: Path) -> bytes | None:
    """Read a crontab; None for what can't be read, is no plain file, or is no crontab by size."""
    try:
        if not path.is_file() or path.stat().st_size > MOST:
            return None
        return path.read_bytes()
    except OSError:
        return None
