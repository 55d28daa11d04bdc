"""A command that does what its first argument says, for tests of how commands are run."""

# ruff: noqa: T201

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.db import connections


def main() -> int | None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billclock.settings")
    if not apps.ready:
        django.setup()
    if sys.argv[1] == "--help":
        print("usage: see below")
        sys.exit(0)
    return getattr(Acts, sys.argv[1])(*sys.argv[2:])


# what a shell or the interpreter itself adds
SHELLS = ("PWD", "LC_CTYPE", "DJANGO_SETTINGS_MODULE")


class Acts:
    """One method an argument."""

    @staticmethod
    def parent() -> None:
        print(os.getppid())

    @staticmethod
    def session() -> None:
        print(os.getsid(0))

    @staticmethod
    def surroundings(*_arguments: str) -> None:
        ignored = [int(s) for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN]
        told = {
            "arguments": sys.argv,
            "cwd": str(Path.cwd()),
            "environment": {name: os.environ[name] for name in os.environ if name not in SHELLS},
            "descriptors": sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir())[:3],
            "ignored": sorted(ignored),
            "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
            "encodings": [sys.stdin.encoding, sys.stdout.encoding, sys.stderr.encoding],
            "buffered": [sys.stdout.line_buffering, sys.stderr.line_buffering],
            "threads": threading.active_count(),
            "umask": os.umask(0),
            "zone": time.tzname,
        }
        print(json.dumps(told, sort_keys=True))

    @staticmethod
    def code(wish: str) -> int:
        return int(wish)

    @staticmethod
    def leave(wish: str) -> None:
        sys.exit(int(wish) if wish.isdigit() else wish)

    @staticmethod
    def fail() -> None:
        print("before")
        raise ValueError("what went wrong")

    @staticmethod
    def echo() -> None:
        sys.stdout.write(sys.stdin.read())

    @staticmethod
    def both() -> None:
        print("out")
        print("err \udcff é", file=sys.stderr)

    @staticmethod
    def sleep(ignoring: str = "") -> None:
        if ignoring:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        print(os.getpid(), child.pid, flush=True)
        time.sleep(60)

    @staticmethod
    def wait(seconds: str, code: str) -> int:
        print("waiting", flush=True)
        time.sleep(float(seconds))
        return int(code)

    @staticmethod
    def crash() -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    @staticmethod
    def ask() -> None:
        opened = [connection.alias for connection in connections.all() if connection.connection]
        with connections["scheduler"].cursor() as cursor:
            cursor.execute("SELECT 6 * 7")
            print(opened, cursor.fetchone()[0], settings.configured)

    @staticmethod
    def large() -> None:
        sys.stdout.write("x" * 5_000_000)

    @staticmethod
    def touch(place: str) -> None:
        with Path(place).open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.5)
