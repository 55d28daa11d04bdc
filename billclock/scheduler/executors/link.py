"""The daemon's end of the line to a starter."""

import os
import select
import signal
import socket
from collections import deque
from contextlib import suppress
from typing import Any

from billclock import clock
from billclock.scheduler.executors import messages
from billclock.scheduler.executors.base import StartError
from billclock.scheduler.executors.messages import Record

_PATIENCE = 10.0
_NUDGE_MS = 50
_BUFFER = 4 * 1024 * 1024
_SO_SNDBUFFORCE = 32  # the socket module does not name it


class GoneError(Exception):
    """The starter is no more, and nothing was started."""


class Link:
    """Asks a starter for processes and hears of their endings."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        """`pid` is the starter's own."""
        self.connection = connection
        self.pid = pid
        self.alive = True
        self._heard: deque[Record] = deque()
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        with suppress(OSError):  # ours only as root; the common size does for common requests
            connection.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)

    @classmethod
    def greeted(cls, connection: socket.socket) -> tuple["Link", list[Record]]:
        """Take up a line to a starter that has been at work; give also what still runs there.

        Raise OSError when it does not greet.
        """
        link = cls(connection, 0)
        going: list[Record] = []
        awaited = 1
        while awaited:
            link._poll.poll(_PATIENCE * 1000)
            records = link._receive()
            if not records:
                link.close()
                raise ConnectionError("the starter does not greet")
            for record in records:
                awaited -= 1
                if record.kind == messages.HELLO:
                    link.pid, awaited = record.pid, record.value
                elif record.kind == messages.STARTED:
                    going.append(record)
                else:
                    link._heard.append(record)
        return link, going

    def fileno(self) -> int:
        """Give the descriptor that becomes readable when `endings` has something to give."""
        return self.connection.fileno()

    def start(self, fields: dict[str, Any], descriptors: list[int]) -> Record:
        """Have a process started; give the STARTED record, or the REFUSED one with its errno.

        Raise GoneError when there is no starter to ask, so that another way may be tried, and
        StartError when it was asked and gave no answer: then no other way may be tried.
        """
        try:
            socket.send_fds(self.connection, [messages.request(fields)], descriptors)
        except OSError as error:
            if isinstance(error, BrokenPipeError | ConnectionError):
                self.close()
                raise GoneError from error
            raise StartError(f"its command and variables are too long to start: {error}") from error
        answer = self._answer(fields["run"])
        if answer is None:
            self.close()
            raise StartError(
                "the process that starts commands died or hung while it was asked; "
                "it is replaced at the next start"
            )
        return answer

    def _answer(self, run: int) -> Record | None:
        """Wait for the word on `run`; a starter that its user has stopped is set going again."""
        given_up = clock.since_boot() + _PATIENCE
        while self.alive and clock.since_boot() < given_up:
            if not self._poll.poll(_NUDGE_MS):
                os.kill(self.pid, signal.SIGCONT)
            for record in self._receive():
                if record.kind != messages.ENDED and record.run == run:
                    return record
                self._heard.append(record)
        return None

    def _receive(self) -> list[Record]:
        """Read one message, if there is one."""
        try:
            message = self.connection.recv(messages.ROOM, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionError:
            message = b""
        if not message:
            self.close()
        return messages.unpack(message)

    def endings(self) -> list[Record]:
        """Give, without waiting, what ended since the last call."""
        while self.alive and (records := self._receive()):
            self._heard += records
        heard = [record for record in self._heard if record.kind == messages.ENDED]
        self._heard.clear()
        return heard

    def close(self) -> None:
        """Hang up."""
        self.alive = False
        self.connection.close()
