"""The schedulers that are compared: Debian's cron, busybox crond, and Billclock's own daemon.

Each runs with a spool of the bench's own, Debian's in a mount namespace where that spool and an
empty /etc/cron.d stand in place of the system's. Needs root, and the packages cron and busybox.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parent.parent

NAMESPACE = """
set -e
mount -t tmpfs none /run
mkdir -p /var/spool/cron/crontabs
mount --bind "$1" /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
exec /usr/sbin/cron -f
"""


@dataclass
class Peer:
    """One scheduler under test, with a folder of its own."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.spool = self.folder / "spool"
        self.spool.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"

    def write(self, tables: Mapping[str, bytes]) -> None:
        """Put the tables, by user, into the spool."""
        for user, text in tables.items():
            place = self.spool / user
            place.write_bytes(text)
            place.chmod(0o600)
            shutil.chown(place, user if self.name == "debian cron" else "root")

    def start(self) -> None:
        """Start the daemon; its tables are read by itself."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=self.environment(), start_new_session=True,
            )  # fmt: skip

    def command(self) -> list[str]:
        """Say how the daemon is started."""
        if self.name == "debian cron":
            return ["unshare", "-m", "sh", "-c", NAMESPACE, "sh", str(self.spool)]
        if self.name == "busybox crond":
            return ["busybox", "crond", "-f", "-c", str(self.spool), "-L", "/dev/null"]
        return [sys.executable, "-m", "billclock.commands.billclock", "scheduler"]

    def environment(self) -> dict[str, str]:
        """Give the daemon's environment."""
        home = self.folder / "home"
        ours = {"BILLCLOCK_HOME": str(home), "BILLCLOCK_SPOOL": str(self.spool)}
        return {**os.environ, **ours, "PYTHONPATH": str(ROOT)}

    def stop(self) -> None:
        """End the daemon and what it started."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tree(self) -> list[int]:
        """Give the daemon's process and all below it."""
        assert self.process is not None
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            except FileNotFoundError:
                continue
            queue += map(int, children.split())
        return found

    def cpu(self, *, ended: bool = True) -> float:
        """Give the CPU seconds of the tree; with `ended` those of its reaped children too."""
        return sum(_cpu(pid, ended=ended) for pid in self.tree())

    def memory(self) -> float:
        """Give the daemon's own proportional memory (PSS) in MiB, its helpers left out."""
        assert self.process is not None
        return max(_pss(pid) for pid in self.tree())

    def rest(self, quiet: float = 1.5, most: float = 180.0) -> tuple[float, float]:
        """Wait until the daemon rests; give its CPU and wall seconds since now."""
        began = changed = time.monotonic()
        used = self.cpu()
        while time.monotonic() - changed < quiet and time.monotonic() - began < most:
            time.sleep(0.1)
            now = self.cpu()
            if now > used + 0.011:
                used, changed = now, time.monotonic()
        return self.cpu(), changed - began


def _cpu(pid: int, *, ended: bool) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / TICKS


def _pss(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:")) / 1024


def _busybox_has_crond() -> bool:
    """Tell whether there is a busybox with crond: Debian's plain package has none."""
    if not shutil.which("busybox"):
        return False
    listed = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True)
    return "crond" in listed.stdout.split()


def at_hand() -> list[str]:
    """Name the peers that this machine has, and say what is missing."""
    names = []
    for name, works, package in (
        ("debian cron", Path("/usr/sbin/cron").exists(), "cron"),
        ("busybox crond", _busybox_has_crond(), "busybox-static"),
    ):
        if os.geteuid() == 0 and works:
            names.append(name)
        else:
            print(f"left out: {name} (needs root and apt-get install {package})", file=sys.stderr)
    return [*names, "billclock"]
