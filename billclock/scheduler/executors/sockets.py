"""Unix sockets by paths of any length; the fork server's, for processes of our own user only."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def short(place: Path) -> Iterator[str]:
    """Give another name of a socket's path: its own may be longer than the kernel takes."""
    folder = os.open(place.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{place.name}"
    finally:
        os.close(folder)


def listen(place: Path) -> socket.socket:
    """Open the socket for daemons of our own user only."""
    place.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    before = os.umask(0o177)
    try:
        with short(place) as name:
            listener.bind(name)
    finally:
        os.umask(before)
    listener.listen()
    return listener


def connect(place: Path) -> socket.socket:
    """Call the server at `place`. Raise OSError when there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with short(place) as name:
            connection.connect(name)
    except OSError:
        connection.close()
        raise
    return connection
