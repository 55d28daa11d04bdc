"""Which scheduler claims: one a home folder here, by a lock that dies with its holder.

Correctness rests on the slots' unique rows; leadership only spares several schedulers the work of
losing every claim. A database server will offer its own lock behind the same two methods.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from django.conf import settings


class Leadership(Protocol):
    """The right to claim, while it lasts."""

    def acquire(self) -> bool:
        """Take the lead; False when another scheduler has it."""

    def release(self) -> None:
        """Give it back."""


class HomeLock:
    """Leadership by flock(2) on a file in BILLCLOCK_HOME: the kernel frees it at any death."""

    def __init__(self) -> None:
        """Begin without the lead."""
        self.path = Path(settings.HOME) / "daemon.lock"
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lead; False when another daemon of this folder has it."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        return True

    def release(self) -> None:
        """Give it back; without the lead nothing happens."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
