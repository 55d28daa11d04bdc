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

    A home that can't be entered gives way to /, since cron runs such jobs (those of nobody, say)
    too. PWD is what the shell would have set.
    """
    try:
        os.chdir(fields["home"])
    except OSError:
        os.chdir("/")
    environment = fields["environment"]
    if fields["direct"]:
        path, arguments = fields["direct"]
        try:
            environment["PWD"] = os.getcwd()  # noqa: PTH109 - pathlib is dear to a starter
            return _execute(path, arguments, environment, descriptors)
        except OSError:  # what is wrong with the file, the shell says in its own words
            pass
    shell = fields["shell"]
    return _execute(shell, [shell, "-c", fields["command"]], environment, descriptors)


def _execute(
    path: str, arguments: list[str | bytes], environment: dict[str, str], descriptors: list[int]
) -> int:
    given, taken = descriptors
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
