"""The daemon's ear: a Unix socket that takes one JSON request a connection and answers it.

A request is one line of JSON, an object with the key `do`; the answer is one line of JSON with
`ok`, and `error` where it is false. Only the daemon's own user and root are heard.
"""

import json
import os
import selectors
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

MOST = 1 << 20  # bytes of one request
MOST_CLIENTS = 64

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]


class NotRunningError(Exception):
    """No daemon answers."""

    def __init__(self) -> None:
        super().__init__("the scheduler is not running: start it with ./run or billclock scheduler")


class RefusedError(Exception):
    """The daemon understood and said no; the text is its reason."""


def ask(do: str, *, patience: float = 10.0, **details: Any) -> dict[str, Any]:
    """Send a request to the daemon of BILLCLOCK_HOME and give its answer.

    Raise NotRunningError when none listens, RefusedError when it refuses.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(patience)
        try:
            peer.connect(str(settings.CONTROL_SOCKET))
            peer.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            answer = json.loads(_line(peer) or "{}")
        except (OSError, ValueError):
            raise NotRunningError from None
    if not answer.get("ok"):
        raise RefusedError(answer.get("error", "the scheduler gave no answer"))
    return dict(answer)


def _line(peer: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        piece = peer.recv(65536)
        if not piece:
            break
        data += piece
    return data


class Control:
    """The listening side, part of the daemon's loop: it never waits for a client."""

    def __init__(self, selector: selectors.BaseSelector, handle: Handler) -> None:
        """Listen on settings.CONTROL_SOCKET; a socket left by a dead daemon is taken over."""
        self._selector = selector
        self._handle = handle
        self._pending: dict[socket.socket, bytes] = {}
        self.path = Path(settings.CONTROL_SOCKET)
        self.path.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        before = os.umask(0o177)
        try:
            self._server.bind(str(self.path))
        finally:
            os.umask(before)
        self._server.listen(MOST_CLIENTS)
        selector.register(self._server, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        for peer in list(self._pending):
            self._drop(peer)
        self._selector.unregister(self._server)
        self._server.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            peer, _ = self._server.accept()
        except OSError:
            return
        peer.setblocking(False)
        if len(self._pending) >= MOST_CLIENTS or not _trusted(peer):
            peer.close()
            return
        self._pending[peer] = b""
        self._selector.register(peer, selectors.EVENT_READ, lambda: self._read(peer))

    def _read(self, peer: socket.socket) -> None:
        try:
            piece = peer.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        data = self._pending[peer] + piece
        self._pending[peer] = data
        if data.endswith(b"\n"):
            self._answer(peer, data)
        elif not piece or len(data) > MOST:
            self._drop(peer)

    def _answer(self, peer: socket.socket, data: bytes) -> None:
        request = _object(data)
        answer: dict[str, Any] = {"ok": False, "error": "a request is one object in JSON"}
        if request is not None:
            answer = self._handle(request)
        with suppress(OSError):  # a client that has gone: what it asked for is done all the same
            peer.send(json.dumps(answer).encode() + b"\n")
        self._drop(peer)

    def _drop(self, peer: socket.socket) -> None:
        del self._pending[peer]
        self._selector.unregister(peer)
        peer.close()


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        request = json.loads(data)
    except ValueError:
        return None
    return request if isinstance(request, dict) else None


def _trusted(peer: socket.socket) -> bool:
    """Tell whether the peer's process runs as our user or as root (unix(7), SO_PEERCRED)."""
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return uid in (0, os.geteuid())
