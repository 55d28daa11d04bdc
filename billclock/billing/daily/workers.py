"""Processes that bill ranges of one date side by side, on PostgreSQL; the parent deals them out.

A range is given to one worker only, and whether it is done is in the books (JobChunk): a worker
that is killed takes nothing with it. A worker ends when its parent does, after its range.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from django.db import OperationalError, connection, connections

from billclock.billing import engine
from billclock.billing.batches import Figures
from billclock.billing.daily.due import Scope

Work = Callable[[Scope], Figures]
Heard = Callable[[float], None]
"""Takes in how many seconds a range took."""

FORK = multiprocessing.get_context("fork")

USUAL = 2
"""Workers on PostgreSQL where nothing was said: the last part of a range goes one by one anyway."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Worker:
    """A process, and our end of the pipe to it."""

    process: ForkProcess
    link: Connection


def usual_count() -> int:
    """Give how many workers serve: one on SQLite, which has one writer, or on one processor.

    One too within a transaction, of which other processes see nothing.
    """
    if not engine.on_postgresql() or connection.in_atomic_block:
        return 1
    return min(USUAL, len(os.sched_getaffinity(0)))


def share(
    scopes: Callable[[], Iterator[Scope]],
    work: Work,
    count: int,
    begin: Callable[[], None],
    heard: Heard,
) -> int:
    """Let `count` workers bill all scopes; give how many workers were lost.

    `begin` is called once in each, for what its connection needs; `heard` here, after each range.
    Raises OperationalError where a worker says that its database is in trouble.
    """
    workers = _started(count, work, begin)
    try:
        return _dealt(scopes(), workers, heard)
    finally:
        for worker in workers:
            worker.link.close()
        for worker in workers:
            worker.process.join()


def _started(count: int, work: Work, begin: Callable[[], None]) -> list[Worker]:
    """Fork the workers; no connection to the database may be open across that."""
    _let_go()
    workers: list[Worker] = []
    for _ in range(count):
        ours, theirs = FORK.Pipe()
        far = [ours, *(worker.link for worker in workers)]
        process = FORK.Process(target=_serve, args=(theirs, far, work, begin), daemon=True)
        process.start()
        theirs.close()
        workers.append(Worker(process, ours))
    return workers


def _dealt(scopes: Iterator[Scope], workers: list[Worker], heard: Heard) -> int:
    lost = 0
    free, busy = [worker.link for worker in workers], set[Connection]()
    while True:
        while free and (scope := next(scopes, None)):
            link = free.pop()
            try:
                link.send(scope)
                busy.add(link)
            except OSError:
                lost += 1
        if not busy:
            return lost
        ready = wait(list(busy))
        for link in [link for link in busy if link in ready]:
            busy.discard(link)
            try:
                said, seconds = link.recv()
            except (EOFError, ConnectionResetError):
                lost += 1
                continue
            if said:
                raise OperationalError(said)
            heard(seconds)
            free.append(link)


def _serve(link: Connection, far: list[Connection], work: Work, begin: Callable[[], None]) -> None:
    """Bill what comes through the pipe until the parent closes it, or is gone."""
    for end in far:  # else the pipes would stay open without the parent
        end.close()
    try:
        begin()
        while True:
            scope = link.recv()
            began = time.perf_counter()
            work(scope)
            link.send(("", time.perf_counter() - began))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except Exception as error:
        log.warning("a worker ends", exc_info=error)
        link.send((f"{type(error).__name__}: {error}", 0.0))
    finally:
        _let_go()


def _let_go() -> None:
    """Close the connections to the databases, those in a pool too: none may be shared by a fork."""
    connections.close_all()
    for one in connections.all(initialized_only=True):
        getattr(one, "close_pool", bool)()
