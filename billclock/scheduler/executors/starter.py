"""A single-threaded process that starts others for the daemon, reaps them and reports.

Two programs are made of it: the spawner, which executes commands, and the fork server, which runs
our own in a child. It imports little, so that it stays small and what it starts begins quickly.
"""

import os
import resource  # noqa: F401 - wait4 would import it later, when we may no longer read it
import select
import signal
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from billclock.scheduler.executors import messages, proc
from billclock.scheduler.executors.messages import Record

Start = Callable[[dict[str, Any], list[int]], int]

_LARGEST_REQUEST = 4 * 1024 * 1024
_DESCRIPTORS = 3
_DESCRIPTOR = struct.Struct("i")
_UNTOLD = 100_000
_REPEATED = 1_000


class Starter:
    """Serves one daemon at a time; what ends while there is none is told to the next."""

    def __init__(
        self,
        start: Start,
        *,
        connection: socket.socket | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        """`start` turns a request and its descriptors into a process's id.

        They are its input, its output and, for a run that has one, the door of its control group.
        """
        self._start = start
        self._connection = connection
        self._listener = listener
        self._going: dict[int, Record] = {}
        self._untold: deque[Record] = deque(maxlen=_UNTOLD)
        self._told: deque[Record] = deque(maxlen=_REPEATED)
        self._woken = -1
        self._buffer = bytearray(_LARGEST_REQUEST)

    def serve(self) -> None:
        """Work until the daemon hangs up or, with a listener, until a signal ends the process."""
        self._woken, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while self._connection or self._listener:
            sources = [self._woken, self._connection, self._listener]
            readable = select.select([source for source in sources if source], [], [])[0]
            if self._connection in readable:
                self._hear()
            if self._listener in readable:
                self._accept()
            if self._woken in readable:
                os.read(self._woken, 65536)
            self._reap()
            self._tell()

    def _accept(self) -> None:
        assert self._listener is not None  # noqa: S101 - it has just become readable
        connection, _ = self._listener.accept()
        if self._connection:
            self._connection.close()
        self._connection = connection
        self._untold.extendleft(reversed(self._told))
        self._told.clear()
        news = len(self._going) + len(self._untold)
        self._say(Record(messages.HELLO, 0, os.getpid(), news), *self._going.values())

    def _hear(self) -> None:
        assert self._connection is not None  # noqa: S101 - it has just become readable
        room = socket.CMSG_LEN(_DESCRIPTORS * _DESCRIPTOR.size)
        try:
            size, ancillary, _, _ = self._connection.recvmsg_into([self._buffer], room)
        except OSError:
            size, ancillary = 0, []
        if not size:
            self._hang_up()
            return
        descriptors = [
            number for _, _, data in ancillary for (number,) in _DESCRIPTOR.iter_unpack(data)
        ]
        fields = messages.requested(self._buffer)
        try:
            pid = self._start(fields, descriptors)
        except OSError as error:
            self._say(messages.refused(fields["run"], error))
        else:
            record = Record(messages.STARTED, fields["run"], pid, proc.started(pid) or 0)
            self._going[pid] = record
            self._say(record)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _say(self, *records: Record) -> bool:
        """Send records; False when nobody is there to hear all of them."""
        for first in range(0, len(records), messages.BATCH):
            if self._connection is None:
                return False
            try:
                self._connection.send(messages.pack(*records[first : first + messages.BATCH]))
            except OSError:
                self._hang_up()
        return self._connection is not None

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            began = self._going.pop(pid, None)
            if began is not None:
                cpu = usage.ru_utime + usage.ru_stime
                ended = Record(messages.ENDED, began.run, pid, status, cpu, usage.ru_maxrss)
                self._untold.append(ended)

    def _tell(self) -> None:
        while self._untold:
            some = [self._untold[n] for n in range(min(messages.BATCH, len(self._untold)))]
            if not self._say(*some):
                return
            for record in some:
                self._told.append(record)
                self._untold.popleft()
