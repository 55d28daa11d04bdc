"""The daemon's ear: a Unix socket that takes one JSON request a connection and answers it.

A request is one line of JSON, an object with the key `do`; the answer is one line of JSON with
`ok`, and `error` where it is false. Only the daemon's own user, root and the web user are heard.
"""

import json
import os
import pwd
import selectors
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from billclock.scheduler.executors.sockets import short

MOST = 64 << 20  # bytes of one request: a table of 100,000 entries has some 10 MiB
MOST_CLIENTS = 64

Handler = Callable[[Mapping[str, Any]], dict[str, Any]]


class NotRunningError(Exception):
    """No daemon answers."""

    def __init__(self) -> None:
        super().__init__("the scheduler is not running: start it with ./run or billclock scheduler")


class RefusedError(Exception):
    """The daemon understood and said no; the text is its reason, `details` what came with it."""

    def __init__(self, reason: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.details = details or {}


def ask(do: str, *, patience: float = 10.0, **details: Any) -> dict[str, Any]:
    """Send a request to the daemon of BILLCLOCK_HOME and give its answer.

    Raise NotRunningError when none listens, RefusedError when it refuses.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(patience)
        try:
            with short(Path(settings.CONTROL_SOCKET)) as name:
                peer.connect(name)
            peer.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
            answer = json.loads(_line(peer) or "{}")
        except (OSError, ValueError):
            raise NotRunningError from None
    if not answer.get("ok"):
        reason = answer.get("error", "the scheduler gave no answer")
        raise RefusedError(reason, answer.get("details"))
    return dict(answer)


def _line(peer: socket.socket) -> bytes:
    data = bytearray()
    while not data.endswith(b"\n"):
        piece = peer.recv(1 << 20)
        if not piece:
            break
        data += piece
    return bytes(data)


class Control:
    """The listening side, part of the daemon's loop: it never waits for a client."""

    def __init__(self, selector: selectors.BaseSelector, handle: Handler) -> None:
        """Listen on settings.CONTROL_SOCKET; a socket left by a dead daemon is taken over."""
        self._selector = selector
        self._handle = handle
        self._asking: dict[socket.socket, bytearray] = {}
        self.path = Path(settings.CONTROL_SOCKET)
        self._server = _listen(self.path)
        selector.register(self._server, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        for peer in list(self._asking):
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
        if len(self._asking) >= MOST_CLIENTS or not _trusted(peer):
            peer.close()
            return
        self._asking[peer] = bytearray()
        self._selector.register(peer, selectors.EVENT_READ, lambda: self._read(peer))

    def _read(self, peer: socket.socket) -> None:
        try:
            piece = peer.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        data = self._asking[peer]
        data += piece
        if data.endswith(b"\n"):
            self._answer(peer, bytes(data))
        elif not piece or len(data) > MOST:
            self._drop(peer)

    def _answer(self, peer: socket.socket, data: bytes) -> None:
        request = _object(data)
        answer: dict[str, Any] = {"ok": False, "error": "a request is one object in JSON"}
        if request is not None:
            answer = self._handle(request)
        left = bytearray(json.dumps(answer).encode() + b"\n")
        self._selector.modify(peer, selectors.EVENT_WRITE, lambda: self._write(peer, left))
        self._write(peer, left)

    def _write(self, peer: socket.socket, left: bytearray) -> None:
        try:
            del left[: peer.send(left)]
        except BlockingIOError:
            return
        except OSError:  # a client that has gone: what it asked for is done all the same
            left.clear()
        if not left:
            self._drop(peer)

    def _drop(self, peer: socket.socket) -> None:
        del self._asking[peer]
        self._selector.unregister(peer)
        peer.close()


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        with short(path) as name:
            server.bind(name)
    finally:
        os.umask(before)
    if settings.WEB_USER:
        os.chown(path, -1, pwd.getpwnam(settings.WEB_USER).pw_gid)
        path.chmod(0o660)
    server.listen(MOST_CLIENTS)
    return server


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        request = json.loads(data)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        return None
    return request if isinstance(request, dict) else None


def _trusted(peer: socket.socket) -> bool:
    """Tell whether the peer runs as our user, root or the web user (unix(7), SO_PEERCRED)."""
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    web = {pwd.getpwnam(settings.WEB_USER).pw_uid} if settings.WEB_USER else set()
    return uid in {0, os.geteuid()} | web
