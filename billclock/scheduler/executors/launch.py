"""From an order to what a starter is asked: the request, its descriptors, and why it refused."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from billclock.scheduler import output
from billclock.scheduler.executors import confine, proc, shell
from billclock.scheduler.executors.base import Limits, Order, StartError
from billclock.scheduler.executors.messages import Record

_WHY = {
    errno.EAGAIN: "the machine has no room for another process: raise its limit of processes "
    "(ulimit -u, pids.max) or spread the jobs",
    errno.ENOMEM: "the machine has no memory left for another process",
    errno.E2BIG: "its command is too long for a shell: put it into a script",
    errno.ENOENT: "SHELL={shell} does not exist: correct SHELL in the crontab",
    errno.EACCES: "SHELL={shell} may not be executed: correct SHELL in the crontab",
}

_UNMET = {
    confine.FOLDER: "it can't start in {folder} ({errno}): make that folder or correct workdir=",
    confine.NICE: "its nice value can't be set ({errno}): below the usual one only root goes",
    confine.INPUT_OUTPUT: "its ionice class can't be set ({errno}): realtime needs root, and all "
    "need ionice(1)",
    confine.MEMORY: "its memory can't be limited ({errno}): give it more by memory=",
}


def request(order: Order, *, own: bool) -> dict[str, Any]:
    """Write what a spawner is asked for. Raise StartError of what no kernel could start."""
    if b"\0" in order.command:
        raise StartError("its command holds a NUL byte, which no command may: remove it")
    environment = marked(order)
    return {
        "run": order.run,
        "command": order.command,
        "direct": shell.direct(order.command, order.shell, environment, own=own),
        "shell": order.shell,
        "home": order.home,
        "folder": order.folder,
        "environment": environment,
        "limits": limits(order.limits),
    }


def limits(asked: Limits | None) -> dict[str, Any]:
    """Write limits as a request holds them, empty where there are none."""
    if asked is None:
        return {}
    turn = asked.input_output
    plain = None if turn is None else tuple(turn)  # marshal writes no class derived from tuple
    return {"nice": asked.nice, "io": plain, "memory": asked.memory}


def marked(order: Order) -> dict[str, str]:
    """Give the order's environment with the mark by which its processes are found again."""
    for name, value in order.environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise StartError(f"no process can have a variable named {name!r}: correct that line")
    return {**order.environment, proc.MARK: str(order.run)}


def why(record: Record, order: Order) -> StartError:
    """Say why the kernel started nothing, and what to do, from a REFUSED record."""
    number = record.value
    if record.pid < 0:
        told = {"folder": order.folder, "errno": os.strerror(number)}
        return StartError(_UNMET[-record.pid].format(**told))
    text = _WHY.get(number, f"it could not be started: {os.strerror(number)}")
    return StartError(text.format(shell=order.shell))


@contextmanager
def streams(order: Order) -> Iterator[list[int]]:
    """Open the order's input and output. Raise StartError when the output can't be written."""
    try:
        taken = output.create(order.output)
    except OSError as error:
        raise StartError(_no_output(error, order)) from error
    try:
        given = _input(order.stdin)
        try:
            yield [given, taken]
        finally:
            os.close(given)
    finally:
        os.close(taken)


def _no_output(error: OSError, order: Order) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: there is no room for its output in {order.output.parent}"
    return f"its output can't be written to {order.output}: {error.strerror}"


def _input(data: bytes) -> int:
    """Open the input: a file in memory, so that nobody waits for the other to read or write."""
    if not data:
        return os.open(os.devnull, os.O_RDONLY)
    file = os.memfd_create("stdin")
    with os.fdopen(os.dup(file), "wb") as writing:
        writing.write(data)
    os.lseek(file, 0, os.SEEK_SET)
    return file
