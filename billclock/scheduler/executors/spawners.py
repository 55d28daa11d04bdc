"""The spawners of a daemon: one small process for each user whose commands it runs."""

import os
import pwd
import select
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billclock import clock
from billclock.scheduler.executors import messages, proc, spawner
from billclock.scheduler.executors.base import StartError
from billclock.scheduler.executors.link import GoneError, Link
from billclock.scheduler.executors.messages import Record

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from billclock.scheduler.executors.spawner import main; main()"
)
_UNUSED_AFTER = 60.0
_HURRY = 0.02


@dataclass(slots=True)
class _Hired:
    link: Link
    used: float
    going: int = 0


class Spawners:
    """Starts spawners when they are first needed and sends away those long unused."""

    def __init__(self, poll: select.epoll) -> None:
        """`poll` gets the descriptors that tell of endings. Our own user's begins at once."""
        self._poll = poll
        self._hired: dict[str | None, _Hired] = {}
        self._last_start = 0.0
        self._of(None)

    def start(self, user: str | None, fields: dict[str, Any], descriptors: list[int]) -> Record:
        """Have a command executed as `user` (None: ourselves). Raise StartError.

        In a burst our own user's commands are spawned directly: of many starts each would wait
        for a spawner to be woken, which on a busy machine takes longer than the start. The price
        is the peak memory of what is smaller than ourselves: the kernel counts ours in.
        """
        now = clock.since_boot()
        hurried = user is None and now - self._last_start < _HURRY
        self._last_start = now
        if hurried and not fields["limits"]:  # with limits it is forked, which only the small can
            return _directly(fields, descriptors)
        return self._hire(user, fields, descriptors)

    def _hire(self, user: str | None, fields: dict[str, Any], descriptors: list[int]) -> Record:
        for _ in range(2):  # a spawner that died since it was last used is replaced once
            hired = self._of(user)
            try:
                record = hired.link.start(fields, descriptors)
            except GoneError:
                continue
            hired.used = clock.since_boot()
            hired.going += record.pid > 0
            return record
        raise StartError(f"no process could be started for user {user}: see the daemon's log")

    def endings(self) -> tuple[list[Record], bool]:
        """Give what ended, and whether a spawner died, so that what it ran must be looked for."""
        ended: list[Record] = []
        died = False
        for user, hired in list(self._hired.items()):
            records = hired.link.endings()
            hired.going -= len(records)
            ended += records
            if not hired.link.alive:
                died = True
                del self._hired[user]
        return ended, died

    def send_away_unused(self) -> None:
        """End the spawners of other users that have had nothing to do for a while.

        The next one learns anew which groups its user is in.
        """
        now = clock.since_boot()
        for user, hired in list(self._hired.items()):
            if user and not hired.going and now - hired.used > _UNUSED_AFTER:
                hired.link.close()
                del self._hired[user]

    def close(self) -> None:
        """Hang up on all: they end, what they started goes on."""
        for hired in self._hired.values():
            hired.link.close()
        self._hired.clear()

    def _of(self, user: str | None) -> _Hired:
        hired = self._hired.get(user)
        if hired is None or not hired.link.alive:
            link = _begin(user)
            self._poll.register(link, select.EPOLLIN)
            hired = self._hired[user] = _Hired(link, clock.since_boot())
        return hired


def other(user: str | None) -> str | None:
    """Give `user` if that is not ourselves. Raise StartError when we can't become that user."""
    own = os.geteuid()
    if user is None:
        return None
    try:
        number = pwd.getpwnam(user).pw_uid
    except KeyError:
        raise StartError(f"this machine has no user {user}: add it, or remove its jobs") from None
    if number == own:
        return None
    if own != 0:
        raise StartError(f"only root may run jobs as {user}: start Billclock as root")
    return user


def _begin(user: str | None) -> Link:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arguments = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_ROOT)]
    try:
        pid = os.posix_spawn(
            sys.executable,
            arguments if user is None else [*arguments, user],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0)],
            setpgroup=0,  # the keyboard's Ctrl-C is for us; a session of its own starts later
            setsigmask=(),
            setsigdef=(signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD),
        )
    except OSError as error:
        ours.close()
        raise StartError(f"no process could be started: {error.strerror}") from error
    finally:
        theirs.close()
    return Link(ours, pid)


def _directly(fields: dict[str, Any], descriptors: list[int]) -> Record:
    """Spawn from this process, whose own working directory comes back afterwards."""
    here = os.open(".", os.O_PATH)
    try:
        pid = spawner.spawn(fields, descriptors)
    except OSError as error:
        return messages.refused(fields["run"], error)
    finally:
        os.fchdir(here)
        os.close(here)
    return Record(messages.STARTED, fields["run"], pid, proc.started(pid) or 0)
