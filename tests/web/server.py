"""A real web server on a free port of loopback, over a folder of its own."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import prepared

ROOT = prepared.ROOT
EMAIL = "anna.weiss@example.net"
PASSWORD = "a clock of ledger paper"
SIGN_IN = f"""
from billclock.accounts.models import Role, User
from django.test import Client
client = Client()
client.force_login(User.objects.create_user({EMAIL!r}, {PASSWORD!r}, role=Role.ROOT))
print(client.cookies["billclock"].value)
"""


@dataclass
class Server:
    """A running server: its address, its folder, and a way to run Python beside it."""

    address: str
    home: Path
    environment: dict[str, str]

    def python(self, code: str) -> str:
        """Run code with Django set up in the server's folder, and give what it prints."""
        setup = "import django; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", setup + code],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def signed_in(self) -> Any:
        """Make the root user EMAIL, sign him in, and give what a browser stores of it."""
        cookie = {"name": "billclock", "value": self.python(SIGN_IN), "domain": "localhost"}
        return {"cookies": [{**cookie, "path": "/"}], "origins": []}


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Server]:
    """Prepare a folder and serve it until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    prepared.copied(home)
    environment = prepared.environment(
        home,
        BILLCLOCK_PORT=str(port),
        BILLCLOCK_SECRET_KEY="for tests only",
        PYTHONPATH=str(ROOT),
        **settings,
    )
    server = Server(address, home, environment)
    command = [sys.executable, "-m", "uvicorn", "billclock.asgi:application"]
    with (home / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--log-level", "warning"],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(address)
            yield server
        finally:
            process.terminate()
            process.wait(10)


def _wait(address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/sign-in", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{address} does not answer")
