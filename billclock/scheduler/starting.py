"""The bell by which a web process asks the supervisor of `./run` to start the scheduler at once.

The web server may be another user, who can signal nobody, and a scheduler that is down has no
socket to be asked by. So the supervisor makes a pipe before it forks, and has itself sent SIGIO
(fcntl(2), O_ASYNC) when its other end is written to.
"""

import fcntl
import os

_pipe: list[int] = []


def hang() -> int:
    """Hang the bell: SIGIO comes to this process for each ring; give the end to clear by `heard`.

    To be called once, before the web server is forked.
    """
    hear, ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.fcntl(hear, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(hear, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    _pipe[:] = hear, ring
    return hear


def hangs() -> bool:
    """Tell whether there is a supervisor to ask."""
    return bool(_pipe)


def ring() -> bool:
    """Ask for a scheduler; False where nobody hears it."""
    if not hangs():
        return False
    try:
        os.write(_pipe[1], b".")
    except BlockingIOError:  # it was rung 65,536 times and nobody came
        return False
    return True


def heard(bell: int) -> bool:
    """Tell whether it was rung since the last look."""
    try:
        return bool(os.read(bell, 1 << 16))
    except BlockingIOError:
        return False
