"""The programs that a job is likely to run: those of its table, and those put on this machine."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from billclock.cron.crontab import Crontab
from billclock.scheduler.environment import PATH
from billclock.web.visible import visible

FOLDERS = (
    "/usr/local/sbin", "/usr/local/bin",
    "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
)  # fmt: skip
MOST = 200


def found(crontab: Crontab) -> Sequence[str]:
    """Give paths by their names: what jobs run already, and what an administrator has installed."""
    run = (entry.command.split(None, 1)[0] for entry in crontab.entries[:1000])
    used = (os.fsdecode(word) for word in run if word.startswith(b"/"))
    paths = sorted({path for path in (*used, *_installed(FOLDERS)) if path == visible(path)})
    return [path for path in paths if not set(path) & set(" \t'\"\\$&;|<>%")][:MOST]


def path_of(name: str, crontab: Crontab) -> str | None:
    """Give the path of a program as the table's last job would find it; None if there is none."""
    entries = crontab.entries
    where = entries[-1].environment.get("PATH", PATH) if entries else PATH
    return shutil.which(name, path=where)


def _installed(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        try:
            files = sorted(Path(folder).iterdir())
        except OSError:
            continue
        yield from (str(file) for file in files if file.is_file() and os.access(file, os.X_OK))
