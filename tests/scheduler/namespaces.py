"""Debian's own cron and crontab, run where a folder of ours is their spool."""

import shutil
import subprocess
from pathlib import Path

# What cron(8) would read or write of the machine gives way, in a mount namespace of its own.
_SCRIPT = """
mount --make-rprivate /
mount --bind "$1" /var/spool/cron/crontabs
mount -t tmpfs tmpfs /run
mount --bind /dev/null /etc/crontab
mount -t tmpfs tmpfs /etc/cron.d
shift
exec "$@"
"""


def make_spool(under: Path) -> Path:
    """Make a spool as Debian's package does."""
    folder = under / "var/spool/cron/crontabs"
    folder.mkdir(parents=True)
    folder.chmod(0o1730)
    shutil.chown(folder, "root", "crontab")
    return folder


def inside(spool: Path, *command: str) -> list[str]:
    """Give the command that runs `command` with `spool` as Debian's spool."""
    return ["unshare", "-m", "sh", "-c", _SCRIPT, "sh", str(spool), *command]


def crontab(spool: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run Debian's crontab and give what it prints."""
    command = inside(spool, "/usr/bin/crontab", *arguments)
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
