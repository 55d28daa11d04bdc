"""`billclock serve`: the web server and the scheduler under one supervisor.

The supervisor loads Django once and forks: the fork server first, then the scheduler, then the
web server, so that they share what they have loaded. It has no thread and no open database when it
forks. What it does afterwards is wait: for an end that was not asked for (the process is started
again), for orphans of a killed scheduler (their exit codes are kept for the next one), and for
Ctrl-C or TERM (web, scheduler and fork server are ended in this order).
"""

import argparse
import ctypes
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from billclock.commands.errors import CommandError, UsageError

SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 10.0  # seconds the web server and the fork server get to end
SOON = 5.0  # seconds; a process that ends within them waits longer before it is started again
LONGEST = 30.0


@dataclass
class Part:
    """One of the supervised processes."""

    name: str
    main: Callable[[], None]
    pid: int = 0
    began: float = 0.0
    wait: float = 0.0


class Supervisor:
    """Starts the parts in order, keeps them running, and ends them in the opposite order."""

    def __init__(self, parts: list[Part]) -> None:
        """Take the parts; nothing is started yet."""
        self.parts = parts
        self.again: list[tuple[float, Part]] = []

    def run(self) -> int:
        """Work until a signal says to stop; give the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        gc.freeze()
        for part in self.parts:
            self._start(part)
        while True:
            told = signal.sigtimedwait(SIGNALS, self._rest())
            if told is not None and told.si_signo != signal.SIGCHLD:
                break
            self._reap()
            self._start_again()
        self._end()
        return 0

    def _start(self, part: Part) -> None:
        part.began = time.monotonic()
        part.pid = os.fork()
        if part.pid == 0:
            become(part.main)

    def _rest(self) -> float:
        due = min((when for when, _ in self.again), default=time.monotonic() + 3600)
        return max(0.0, due - time.monotonic())

    def _reap(self) -> None:
        while (ended := _ended()) is not None:
            pid, status = ended
            for part in self.parts:
                if part.pid == pid:
                    self._lost(part, status)

    def _lost(self, part: Part, status: int) -> None:
        part.pid = 0
        lived = time.monotonic() - part.began
        part.wait = min(LONGEST, max(1.0, part.wait * 2)) if lived < SOON else 0.5
        code = os.waitstatus_to_exitcode(status)
        print(f"billclock: the {part.name} ended ({code}), starting it again", file=sys.stderr)
        self.again.append((time.monotonic() + part.wait, part))

    def _start_again(self) -> None:
        now = time.monotonic()
        for when, part in list(self.again):
            if when <= now:
                self.again.remove((when, part))
                self._start(part)

    def _end(self) -> None:
        """End the parts, the last begun first; a second signal ends what lingers at once."""
        for part in reversed(self.parts):
            if part.pid:
                os.kill(part.pid, signal.SIGTERM)
                self._await(part)

    def _await(self, part: Part) -> None:
        limit = None if part.name == "scheduler" else time.monotonic() + PATIENCE
        while part.pid:
            left = 3600.0 if limit is None else limit - time.monotonic()
            told = signal.sigtimedwait(SIGNALS, max(0.0, left))
            if told is None or told.si_signo != signal.SIGCHLD:
                os.kill(part.pid, signal.SIGKILL)
            while (ended := _ended()) is not None:
                if ended[0] == part.pid:
                    part.pid = 0


def _ended() -> tuple[int, int] | None:
    """Reap one child and note how it ended; None when no child has."""
    from billclock.scheduler.executors import exits

    try:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    if pid == 0:
        return None
    exits.note(pid, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
    return pid, status


def become(main: Callable[[], None]) -> NoReturn:
    """Turn a fresh child into one of the parts; it ends when the one that forked it does."""
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        main()
        code = 0
    except SystemExit as wish:
        code = wish.code if isinstance(wish.code, int) else 1
    except CommandError as refusal:
        print(f"billclock: {refusal}", file=sys.stderr)
        code = refusal.code
    except BaseException as error:  # noqa: BLE001 - the last word of a process that ends here
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def listen(host: str, port: int) -> socket.socket:
    """Open the web server's socket. Raise UsageError when that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except OverflowError:
        raise UsageError(f"{port} is no port, they end at 65535: change BILLCLOCK_PORT") from None
    except OSError as error:
        server.close()
        raise UsageError(_cannot_listen(host, port, error)) from None
    server.listen(1024)
    return server


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    import errno

    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program: stop it, "
            f"or choose another port with BILLCLOCK_PORT={port + 1} ./run"
        )
    return f"can't listen on {host}:{port}: {error.strerror}; see BILLCLOCK_BIND and BILLCLOCK_PORT"


def web(server: socket.socket) -> None:
    """Serve the web on an open socket until told to stop, as the web user where one is set."""
    import uvicorn
    from django.conf import settings

    config = uvicorn.Config(
        "billclock.asgi:application", lifespan="off", log_level="warning", access_log=False,
        timeout_graceful_shutdown=int(PATIENCE) - 2, proxy_headers=False, server_header=False,
    )  # fmt: skip
    config.load()  # now, since the web user need not be able to read our libraries
    if settings.WEB_USER and os.geteuid() == 0:
        _drop_to(settings.WEB_USER)
    elif os.geteuid() == 0:
        print(
            "billclock: the web server runs as root; an installed service sets BILLCLOCK_WEB_USER",
            file=sys.stderr,
        )
    uvicorn.Server(config).run(sockets=[server])


def _drop_to(user: str) -> None:
    import pwd

    found = pwd.getpwnam(user)
    os.initgroups(user, found.pw_gid)
    os.setgid(found.pw_gid)
    os.setuid(found.pw_uid)
    os.umask(0o007)


def run(_args: argparse.Namespace) -> int:
    """Prepare everything, then serve until Ctrl-C."""
    from billclock.commands.prepare import prepare
    from billclock.commands.start import django

    prepare()
    django()
    from django.conf import settings
    from django.db import connections

    from billclock.accounts.setup import setup_link
    from billclock.commands.scheduler import daemon, fork_server, refuse_company

    refuse_company()
    server = listen(settings.BIND, settings.PORT)
    link = setup_link()
    connections.close_all()
    parts = [
        Part("fork server", fork_server),
        Part("scheduler", daemon),
        Part("web server", lambda: web(server)),
    ]
    print(f"Billclock is at {settings.PUBLIC_URL}   (Ctrl-C stops it)", flush=True)
    if link:
        print(f"Make the first user here, once: {link}", flush=True)
    return Supervisor(parts).run()
