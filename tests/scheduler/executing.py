"""What the executors' tests share: orders with numbers of their own, and waiting for endings."""

import itertools
import os
import select
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from billclock.scheduler import output
from billclock.scheduler.executors.base import Ending, Executor, Order

PATIENCE = 20.0
_numbers = itertools.count(1)


def order(command: str | bytes, **fields: Any) -> Order:
    """An order for a run that no other test has."""
    run = next(_numbers)
    environment = {
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
        "HOME": "/",
        "LOGNAME": "tester",
        "BILLCLOCK_HOME": str(settings.HOME),
    }
    return Order(
        run=run,
        command=command.encode() if isinstance(command, str) else command,
        stdin=fields.pop("stdin", b""),
        environment=environment | fields.pop("environment", {}),
        user=fields.pop("user", None),
        home=fields.pop("home", "/"),
        output=output.path(run),
        **fields,
    )


def await_endings(executor: Executor, wanted: int = 1) -> list[Ending]:
    """Do as the loop does until so many runs have ended."""
    endings: list[Ending] = []
    given_up = time.monotonic() + PATIENCE
    while len(endings) < wanted:
        left = given_up - time.monotonic()
        assert left > 0, f"only {len(endings)} of {wanted} runs ended"
        due = executor.due_in()
        select.select(list(executor.wakers()), [], [], left if due is None else min(left, due))
        endings += executor.attend()
    return endings


def perform(executor: Executor, command: str | bytes, **fields: Any) -> tuple[Ending, bytes]:
    """Run one command to its end; give the ending and the output."""
    given = order(command, **fields)
    executor.submit(given)
    (ending,) = await_endings(executor)
    assert ending.run == given.run
    return ending, whole_output(given.run)


def whole_output(run: int) -> bytes:
    """Read all that was kept of a run's output."""
    data, offset = b"", 0
    while chunk := output.read(run, offset):
        if not chunk.data:
            return data
        data, offset = data + chunk.data, chunk.next
    return data


def until(condition: Any, executor: Executor | None = None) -> None:
    """Wait for a condition, attending the executor meanwhile."""
    given_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < given_up, "what was waited for did not happen"
        if executor is not None:
            executor.attend()
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Tell whether a process lives (a zombie does not)."""
    return _state(Path(f"/proc/{pid}")) not in ("Z", "")


def living(pids: Iterable[int]) -> list[int]:
    """Give those processes that live."""
    return [pid for pid in pids if is_alive(pid)]


def zombies() -> list[str]:
    """Give the zombies of the machine that are our children."""
    processes = [place for place in Path("/proc").iterdir() if place.name.isdigit()]
    ours = f"\nPPid:\t{os.getpid()}\n"
    return [
        place.name
        for place in processes
        if _state(place) == "Z" and ours in _read(place / "status")
    ]


def _state(process: Path) -> str:
    return _read(process / "stat").rpartition(") ")[2][:1]


def _read(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
