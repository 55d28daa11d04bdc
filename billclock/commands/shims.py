"""`billclock shims`: makes the paths of a panel's command lines lead to Billclock's commands."""

import os
from argparse import Namespace
from pathlib import Path

from billclock.commands import scripts
from billclock.commands.errors import DONE, CommandError
from billclock.commands.loading import read_settings

LINKS = ("sbin/mgrctl", "sbin/billmaintain", "notify/ntsms")
# what a cron that knows nothing of Billclock can't give to its jobs
CARRIED = ("BILLCLOCK_HOME", "BILLCLOCK_SPOOL")


def run(args: Namespace) -> int:
    """Link the three under a folder. A file there that is not Billclock's stays, told with 1."""
    read_settings()
    from django.conf import settings

    folder = Path(args.folder).absolute()
    links = [folder / link for link in LINKS]
    foreign = [str(link) for link in links if os.path.lexists(link) and not scripts.is_ours(link)]
    if foreign:
        names = ", ".join(foreign)
        raise CommandError(f"nothing was linked: not Billclock's, so move away first: {names}")
    made = settings.HOME / "bin"
    try:
        made.mkdir(mode=0o755, parents=True, exist_ok=True)
        scripts.write(made, _carried(settings.HOME))
        for link in links:
            _link(link, made / link.name)
    except ValueError:  # a NUL byte
        raise CommandError(f"{args.folder!r}: no folder has such a name") from None
    return DONE


def _carried(home: Path) -> dict[str, str]:
    """Give the settings that the scripts must know by themselves."""
    given = {name: os.environ[name] for name in CARRIED if os.environ.get(name)}
    return {**given, "BILLCLOCK_HOME": str(home)}


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    beside = link.with_name(f".{link.name}.{os.getpid()}")
    beside.symlink_to(target)
    beside.replace(link)
    print(f"{link} -> {target}")
