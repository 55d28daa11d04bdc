"""The product as its user has it: a copy of the checkout, started by ./run, asked from outside."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Done = subprocess.CompletedProcess[bytes]


def until(true: Callable[[], Any], patience: float = 20.0) -> Any:
    """Wait for something to be true, and give it."""
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end, f"still not true after {patience:g} s"
        time.sleep(0.02)
    return found


def copy_checkout(folder: Path) -> Path:
    """Copy what ./run needs to `folder`/checkout; its libraries are those of these tests.

    The copy has an environment of its own, which borrows them: ./run writes its scripts there.
    """
    checkout, venv = folder / "checkout", folder / "venv"
    checkout.mkdir(parents=True)
    for name in ("run", "requirements.txt"):
        shutil.copy2(ROOT / name, checkout)
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "billclock", checkout / "billclock", ignore=left_out)
    make = [sys.executable, "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(make, check=True)
    (packages,) = venv.glob("lib/python3*/site-packages")
    borrowed = sysconfig.get_path("purelib")
    (packages / "billclock.pth").write_text(f"{checkout}\n{borrowed}\n")
    shutil.copy(checkout / "requirements.txt", venv)
    return checkout


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def children(pid: int) -> list[int]:
    """Give the children of a process, the first begun first."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in found.split()]


def living(home: Path) -> dict[int, str]:
    """Give every process that was given `home` as its BILLCLOCK_HOME, zombies left out."""
    mark = f"BILLCLOCK_HOME={home}".encode()
    found = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


@dataclass
class Product:
    """A checkout with a folder, a port and settings of its own."""

    checkout: Path
    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)

    @property
    def venv(self) -> Path:
        return self.checkout.parent / "venv"

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": PATH,
            "HOME": os.environ.get("HOME", "/"),
            "BILLCLOCK_VENV": str(self.venv),
            "BILLCLOCK_HOME": str(self.home),
            "BILLCLOCK_PORT": str(self.port),
            **self.settings,
        }

    def run(self, *words: str | Path, stdin: bytes = b"", **settings: str) -> Done:
        """Call ./run with some words and wait for its end."""
        return self.call(self.checkout / "run", *words, stdin=stdin, **settings)

    def billclock(self, *words: str | Path, stdin: bytes = b"", **settings: str) -> Done:
        """Call the command that ./run has put beside its Python, or ./run itself before."""
        script = self.venv / "bin" / "billclock"
        way = [script] if script.exists() else [self.checkout / "run", "billclock"]
        return self.call(*way, *words, stdin=stdin, **settings)

    def mgrctl(self, *words: str) -> Done:
        return self.call(self.venv / "bin" / "mgrctl", "-m", "billmgr", *words)

    def call(self, *words: str | Path, stdin: bytes = b"", **settings: str) -> Done:
        return subprocess.run(
            [*self.wrapper, *words], input=stdin, capture_output=True, timeout=240, check=False,
            cwd=self.checkout, env={**self.environment, **settings},
        )  # fmt: skip

    def begin(self, *words: str | Path, **settings: str) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own, as a terminal would."""
        return subprocess.Popen(
            [*self.wrapper, *words], cwd=self.checkout, env={**self.environment, **settings},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    # the running product

    @contextmanager
    def started(self) -> Iterator["Started"]:
        """Have ./run at work inside the block, and end it with Ctrl-C."""
        started = Started(self)
        try:
            started.wait()
            yield started
        finally:
            started.end()

    def ask(self, do: str, **details: object) -> dict[str, Any]:
        """Ask the scheduler by its socket."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(10)
            peer.connect(str(self.home / "daemon.sock"))
            peer.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            answer = peer.makefile("rb").readline()
        return dict(json.loads(answer))

    def in_force(self) -> int:
        """Give how many entries the scheduler has in force."""
        return int(self.ask("status")["entries"])

    def daemon(self) -> int:
        """Give the process id of the scheduler."""
        return int((self.home / "daemon.lock").read_text())

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the web server for a path; give status and body."""
        server = http.client.HTTPConnection("localhost", self.port, timeout=10)
        try:
            server.request("GET", path)
            answer = server.getresponse()
            return answer.status, answer.read()
        finally:
            server.close()

    def runs(self, *words: str) -> list[dict[str, Any]]:
        """Give `billclock runs --json`, the newest first."""
        done = self.billclock("runs", "--json", *words)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def entries(self) -> dict[str, dict[str, str]]:
        """Give `mgrctl scheduler`, by command."""
        done = self.mgrctl("-o", "json", "scheduler")
        assert done.returncode == 0, done.stderr
        return {row["command"]: row for row in json.loads(done.stdout)["doc"].get("elem", [])}

    def key(self, command: str) -> str:
        """Give the key of the entry that has a command."""
        return self.entries()[command]["key"]

    def install(self, table: bytes) -> None:
        """Install a crontab and wait until it is in force."""
        done = self.billclock("crontab", "-", stdin=table)
        assert done.returncode == 0, done.stderr

    def output(self, run: int) -> bytes:
        """Give what a run has printed."""
        (file,) = self.home.glob(f"runs/*/{run}.log")
        return file.read_bytes()


class Started:
    """./run at work: its process, what it has printed, and its end."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.log = product.checkout.parent / f"{product.port}.log"
        self._file = self.log.open("wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*product.wrapper, product.checkout / "run"], cwd=product.checkout,
            env=product.environment, stdin=subprocess.DEVNULL, stdout=self._file,
            stderr=self._file, start_new_session=True,
        )  # fmt: skip

    @property
    def text(self) -> str:
        return self.log.read_text()

    def wait(self) -> float:
        """Wait until web server and scheduler answer; give the seconds since the start."""
        until(self._is_up, 90)
        return time.monotonic() - self.began

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.text
        assert "Traceback" not in self.text, self.text
        try:
            return self.product.get("/healthz")[0] == 200 and bool(self.product.ask("status"))
        except OSError:
            return False

    def interrupt(self) -> None:
        """Press Ctrl-C: INT to the process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        """End it as Ctrl-C does, unless it has ended; give its exit code."""
        if self.process.poll() is None:
            self.interrupt()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise
        self._file.close()
        return self.process.wait()
