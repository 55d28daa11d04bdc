"""Our children: those we spawn, and all orphans below us, which come to us to be reaped."""

import ctypes
import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

_PR_SET_CHILD_SUBREAPER = 36


@cache
def bell() -> int:
    """Become the heir of all processes below us; give a descriptor that is readable when one ends.

    Whoever has an executor has no other children, and calls this in the main thread. A signal
    that comes in the instant before a sleep rings late, unless the sleeper has set the signal
    module's wake-up descriptor, as the loop has.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(*_: object) -> None:
        with suppress(BlockingIOError):
            os.write(writing, b"!")

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, ring)
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # a lease broken as we look: output.is_held
    return reading


def reap() -> Iterator[tuple[int, int, float, int | None]]:
    """Reap all that ended: process, wait status, CPU seconds, peak KiB.

    The peak is None where the kernel's figure may be our own size, from before the child became
    another program.
    """
    with suppress(BlockingIOError):
        os.read(bell(), 65536)
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        memory = usage.ru_maxrss if usage.ru_maxrss > own else None
        yield pid, status, usage.ru_utime + usage.ru_stime, memory
