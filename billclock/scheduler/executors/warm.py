"""Runs our own commands in children of the fork server, and everything else the ordinary way."""

import itertools
import os
import select
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from billclock import clock
from billclock.scheduler.executors import launch, messages, ours, proc, sockets
from billclock.scheduler.executors.base import Ending, Launch, Order
from billclock.scheduler.executors.link import GoneError, Link
from billclock.scheduler.executors.messages import Record
from billclock.scheduler.executors.process import ProcessExecutor
from billclock.scheduler.executors.watch import Leaving

_CALL_AGAIN = 1.0


class WarmExecutor:
    """Wraps a ProcessExecutor, which watches over all runs, however they began."""

    def __init__(self, process: ProcessExecutor, place: Path | None = None) -> None:
        """`place` is the fork server's socket; the settings' unless given."""
        self._process = process
        self._place = place or settings.FORK_SERVER_SOCKET
        self._link: Link | None = None
        self._called = -_CALL_AGAIN
        self._going: dict[int, Record] = {}
        self._ended: dict[int, Record] = {}
        self._internal: dict[tuple[str, ...], Record] = {}
        self._internal_runs = itertools.count(-1, -1)
        self._call()

    def submit(self, order: Order) -> Launch:
        """Start the order, warm where that can be. Raise StartError as the ordinary way does."""
        arguments = ours.arguments(order)
        if arguments is not None and self._call() is not None:
            launched = self._submit_warm(order, arguments)
            if launched is not None:
                return launched
        return self._process.submit(ours.ordinary(order))

    def _submit_warm(self, order: Order, arguments: list[str]) -> Launch | None:
        dotted = settings.WARM_COMMANDS[Path(arguments[0]).name]
        fields = self._fields(order.run, dotted, arguments, launch.marked(order), order.home)
        at = clock.now()
        with launch.streams(order) as descriptors:
            record = self._start(fields, descriptors)
        if record is None:
            return None
        self._going[order.run] = record
        self._process.watch.add(order, record.pid, record.value)
        return Launch(order.run, record.pid, record.value, at)

    def internal(self, arguments: Sequence[str]) -> bool:
        """Run one of our internal commands, `billclock ARGUMENT…`, unless it is still running.

        It is no run: nobody waits for it, and its output goes to our log.
        """
        key = tuple(arguments)
        last = self._internal.get(key)
        if last is not None and proc.is_alive(last.pid, last.value):
            return False
        run = next(self._internal_runs)
        words = ["billclock", *arguments]
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            dotted = settings.INTERNAL_COMMAND
            fields = self._fields(run, dotted, words, dict(os.environ), "/")
            record = self._start(fields, [null, 2]) if self._call() else None
            if record is None:
                command = ours.fresh("billclock", dotted, words[1:])
                record = self._process.start_unwatched(run, command, [null, 2])
        finally:
            os.close(null)
        self._internal[key] = record
        return True

    @staticmethod
    def _fields(
        run: int, dotted: str, arguments: list[str], environment: dict[str, str], home: str
    ) -> dict[str, Any]:
        return {
            "run": run,
            "main": dotted,
            "arguments": arguments,
            "environment": environment,
            "home": home,
        }

    def _start(self, fields: dict[str, Any], descriptors: list[int]) -> Record | None:
        """Ask the fork server; None when nothing was started and another way may be taken."""
        assert self._link is not None  # noqa: S101 - callers call first
        try:
            record = self._link.start(fields, descriptors)
        except GoneError:
            self._lose()
            return None
        return record if record.kind == messages.STARTED else None

    def _call(self) -> Link | None:
        """Give the line to the fork server, calling it where there is none yet."""
        now = clock.since_boot()
        if self._link is None and now - self._called >= _CALL_AGAIN:
            self._called = now
            with suppress(OSError):
                connection = sockets.connect(self._place)
                self._link, going = Link.greeted(connection)
                self._process.poll.register(self._link, select.EPOLLIN)
                self._going |= {record.run: record for record in going}
        return self._link

    def _lose(self) -> None:
        """The fork server is gone: its children go on, and others will reap them."""
        self._link = None
        for record in self._going.values():
            if not self._process.adopted.follow(record.run, record.pid, record.value):
                reason = "the fork server died"
                self._process.watch.left(record.run, Leaving(reason=reason))
        self._going.clear()

    def stop(self, run: int) -> bool:
        """Ask the run's whole process tree to end: TERM, its grace, KILL. False: not here."""
        return self._process.stop(run)

    def adopt(self, order: Order, pid: int | None, pid_started: int | None) -> bool:
        """Take over a run of a daemon that died; the fork server knows its own, and their codes."""
        self._hear()
        known = self._going.get(order.run) or self._ended.get(order.run)
        if known is None:
            return self._process.adopt(order, pid, pid_started)
        began = known.value if known.kind == messages.STARTED else pid_started
        self._process.watch.add(order, known.pid, began or 0)
        ended = self._ended.pop(order.run, None)
        if ended is not None:
            self._process.watch.left(order.run, _leaving(ended))
        return True

    def attend(self) -> list[Ending]:
        """Do what is due and give the runs that ended since."""
        self._hear()
        return self._process.attend()

    def _hear(self) -> None:
        if self._link is None:
            return
        for record in self._link.endings():
            self._going.pop(record.run, None)
            if self._process.watch.knows(record.run):
                self._process.watch.left(record.run, _leaving(record))
            elif record.run > 0:
                self._ended[record.run] = record
        if not self._link.alive:
            self._lose()

    def due_in(self) -> float | None:
        """Give the seconds after which `attend` wants to be called though nothing woke us."""
        return self._process.due_in()

    def wakers(self) -> Iterable[int]:
        """Give the descriptors that become readable when `attend` has something to do."""
        return self._process.wakers()

    def close(self) -> None:
        """Hang up; what was started goes on."""
        if self._link is not None:
            self._link.close()
            self._link = None
        self._process.close()


def _leaving(record: Record) -> Leaving:
    return Leaving(record.value, record.cpu, record.memory)
