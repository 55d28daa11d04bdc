"""A job's lock, so that one run at a time does the same work.

It is a flock(2) on a file: the kernel lets go of it however the run ends, kill -9 included, and
it needs no database transaction that would have to stay open while the job waits for others.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


class HeldError(Exception):
    """Another run holds the same job and scope; the text says which."""


@contextmanager
def held(folder: Path, job: str, scope: str) -> Iterator[None]:
    """Hold a job's scope inside the block, or raise HeldError at once."""
    folder.mkdir(parents=True, exist_ok=True)
    name = quote(f"{job} {scope}".strip(), safe=" ")
    handle = os.open(folder / f"job {name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode() or "just starting"
            raise HeldError(f"another run of it holds {scope or 'it'} (process {holder})") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
