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
from billclock.scheduler.executors.base import StartError
from billclock.scheduler.executors.link import GoneError, Link
from billclock.scheduler.executors.messages import Record

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from billclock.scheduler.executors.spawner import main; main()"
)
_UNUSED_AFTER = 60.0


@dataclass(slots=True)
class _Spawner:
    link: Link
    used: float
    going: int = 0


class Spawners:
    """Starts spawners when they are first needed and sends away those long unused."""

    def __init__(self, poll: select.epoll) -> None:
        """`poll` gets the descriptors that tell of endings. Our own user's begins at once."""
        self._poll = poll
        self._spawners: dict[str | None, _Spawner] = {}
        self._of(None)

    def start(self, user: str | None, fields: dict[str, Any], descriptors: list[int]) -> Record:
        """Have a command executed as `user` (None: ourselves). Raise StartError."""
        for _ in range(2):  # a spawner that died since it was last used is replaced once
            spawner = self._of(user)
            try:
                record = spawner.link.start(fields, descriptors)
            except GoneError:
                continue
            spawner.used = clock.since_boot()
            spawner.going += record.pid > 0
            return record
        raise StartError(f"no process could be started for user {user}: see the daemon's log")

    def endings(self) -> tuple[list[Record], bool]:
        """Give what ended, and whether a spawner died, so that what it ran must be looked for."""
        ended: list[Record] = []
        died = False
        for user, spawner in list(self._spawners.items()):
            records = spawner.link.endings()
            spawner.going -= len(records)
            ended += records
            if not spawner.link.alive:
                died = True
                del self._spawners[user]
        return ended, died

    def send_away_unused(self) -> None:
        """End the spawners of other users that have had nothing to do for a while.

        The next one learns anew which groups its user is in.
        """
        now = clock.since_boot()
        for user, spawner in list(self._spawners.items()):
            if user and not spawner.going and now - spawner.used > _UNUSED_AFTER:
                spawner.link.close()
                del self._spawners[user]

    def close(self) -> None:
        """Hang up on all: they end, what they started goes on."""
        for spawner in self._spawners.values():
            spawner.link.close()
        self._spawners.clear()

    def _of(self, user: str | None) -> _Spawner:
        spawner = self._spawners.get(user)
        if spawner is None or not spawner.link.alive:
            link = _begin(user)
            self._poll.register(link, select.EPOLLIN)
            spawner = self._spawners[user] = _Spawner(link, clock.since_boot())
        return spawner


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
