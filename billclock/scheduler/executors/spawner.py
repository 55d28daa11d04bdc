"""The program that executes one user's commands: a small process, so that each start is quick.

A process of our own size would be copied for every switch of user (vfork must be given up); this
one becomes the user once, when it begins, and then spawns without copying anything. It is started
by file name in an interpreter without site packages, as root, and drops its rights before the
first request.
"""

import os
import pwd
import signal
import socket
import sys
from typing import Any

from billclock.scheduler.executors import confine
from billclock.scheduler.executors.confine import UnmetError
from billclock.scheduler.executors.starter import Starter

_ALL = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def main() -> None:
    """Become the user named by the first argument (none: stay who we are) and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(sys.argv) > 1:
        _become(pwd.getpwnam(sys.argv[1]))
    Starter(spawn, connection=socket.socket(fileno=0)).serve()


def _become(user: pwd.struct_passwd) -> None:
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def spawn(fields: dict[str, Any], descriptors: list[int]) -> int:
    """Execute a request's command: directly where that was found to be the same, else by its shell.

    PWD is what the shell would have set. Raise UnmetError of what was asked and can't be.
    """
    enter(fields["folder"], fields["home"])
    environment, limits = fields["environment"], fields["limits"]
    if fields["direct"]:
        path, arguments = fields["direct"]
        try:
            environment["PWD"] = os.getcwd()  # noqa: PTH109 - pathlib is dear to a starter
            return _start(path, arguments, environment, descriptors, limits)
        except UnmetError:
            raise
        except OSError:  # what is wrong with the file, the shell says in its own words
            pass
    shell = fields["shell"]
    return _start(shell, [shell, "-c", fields["command"]], environment, descriptors, limits)


def enter(folder: str, home: str) -> None:
    """Go to where a command is to begin: its folder, and nowhere else, or else its home.

    A home that can't be entered gives way to /, since cron runs such jobs (those of nobody, say)
    too.
    """
    try:
        os.chdir(folder or home)
    except OSError as error:
        if folder:
            raise UnmetError(confine.FOLDER, error.errno or 0) from None
        os.chdir("/")


def _start(
    path: str,
    arguments: list[str | bytes],
    environment: dict[str, str],
    descriptors: list[int],
    limits: dict[str, Any],
) -> int:
    given, taken, *door = descriptors
    if not limits:
        return _spawn(path, arguments, environment, given, taken)

    def become() -> None:
        os.setsid()
        for wanted, number in ((given, 0), (taken, 1), (taken, 2)):
            os.dup2(wanted, number)
        os.execve(path, arguments, environment)  # noqa: S606

    return confine.fork(limits, door[0] if door else None, become)


def _spawn(
    path: str, arguments: list[str | bytes], environment: dict[str, str], given: int, taken: int
) -> int:
    return os.posix_spawn(
        path,
        arguments,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, given, 0),
            (os.POSIX_SPAWN_DUP2, taken, 1),
            (os.POSIX_SPAWN_DUP2, taken, 2),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=_ALL,
    )


if __name__ == "__main__":
    main()
