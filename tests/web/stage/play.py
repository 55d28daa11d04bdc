"""A stage: the product on a folder of its own, at work, with the article's table and a history."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.web.server import EMAIL, ROOT, Server, serving

ARTICLE = ROOT / "tests" / "data" / "article.txt"
HISTORY = "from tests.web.stage import history; history."


@dataclass
class Stage:
    """A server with its scheduler, a root user's cookies, and keys for addresses by their names."""

    server: Server
    session: Any
    known: Mapping[str, object]


@contextmanager
def staged(home: Path) -> Iterator[Stage]:
    """Have it all at work until the block ends; the books are a demonstration's of a month."""
    with serving(home) as server:
        _billclock(server, "demo", "--services", "60", "--days", "33")
        _billclock(server, "reckon")
        (home / "spool").mkdir()
        _billclock(server, "import", str(ARTICLE), "--fix", "-u", "root")
        session = server.signed_in()
        server.python(HISTORY + "fill()")
        with scheduling(server):
            server.python(f"{HISTORY}act({EMAIL!r})")
            yield Stage(server, session, json.loads(server.python(HISTORY + "tell()")))


def _billclock(server: Server, *words: str) -> None:
    done = subprocess.run(_command(*words), env=server.environment, cwd=ROOT, capture_output=True,
                          text=True, check=False, timeout=600)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def scheduling(server: Server) -> Iterator[None]:
    """Run the scheduler beside the server; what still runs at the end is ended with it."""
    with (server.home / "scheduler.log").open("wb") as log:
        process = subprocess.Popen(
            _command("scheduler"), env=server.environment, cwd=ROOT, stdout=log, stderr=log
        )
        try:
            _wait(server.home / "daemon.sock")
            yield
        finally:
            process.terminate()
            process.wait(30)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "billclock.commands.billclock", *words]


def _wait(socket: Path) -> None:
    end = time.monotonic() + 30
    while not socket.exists():
        assert time.monotonic() < end, "the scheduler does not start"
        time.sleep(0.05)
