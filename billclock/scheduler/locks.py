"""One editor at a time for each table, whichever process or thread it is in."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from billclock.scheduler.errors import Busy, Failed

_STEP = 0.01


@contextmanager
def locked(folder: Path, name: str, patience: float = 10.0) -> Iterator[None]:
    """Hold the lock of a table; Busy where another holds it for more than `patience` seconds.

    The lock's file lies outside the spool and is never removed; the kernel frees the lock when
    its holder ends, however it ends.
    """
    path = folder / quote(name, safe="")
    try:
        fd = _opened(path)
    except OSError as error:
        raise Failed.from_system(error, path, "lock") from error
    try:
        _wait(fd, name, patience)
        yield
    finally:
        os.close(fd)


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _wait(fd: int, name: str, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Busy(name, os.pread(fd, 10, 0).decode().strip(), patience) from None
            time.sleep(_STEP)
        else:
            # For the message of those who wait in vain; on a full disk they do without.
            with suppress(OSError):
                os.pwrite(fd, f"{os.getpid():<10}".encode(), 0)
            return
