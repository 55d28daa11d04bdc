"""`billclock serve`: the web server and the scheduler under one supervisor.

The fork server is forked first, then the scheduler, then the web server.
"""

import argparse
import os
import socket
import sys

from billclock.commands.errors import UsageError
from billclock.commands.supervisor import PATIENCE, SCHEDULER, Part, Supervisor


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

    from billclock.commands.databases import held_open

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
    held = held_open()
    uvicorn.Server(config).run(sockets=[server])
    del held


def _drop_to(user: str) -> None:
    import pwd

    found = pwd.getpwnam(user)
    os.initgroups(user, found.pw_gid)
    os.setgid(found.pw_gid)
    os.setuid(found.pw_uid)
    os.umask(0o007)


def run(_args: argparse.Namespace) -> int:
    """Prepare everything, then serve until Ctrl-C."""
    from billclock.commands.loading import django
    from billclock.commands.prepare import prepare

    prepare()
    django()
    from django.conf import settings
    from django.db import connections

    from billclock.accounts.setup import setup_link
    from billclock.commands.scheduler import daemon, fork_server, refuse_company
    from billclock.scheduler import starting

    refuse_company()
    server = listen(settings.BIND, settings.PORT)
    link = setup_link()
    connections.close_all()
    parts = [
        Part("fork server", fork_server),
        Part(SCHEDULER, daemon),
        Part("web server", lambda: web(server)),
    ]
    print(f"Billclock is at {settings.PUBLIC_URL}   (Ctrl-C stops it)", flush=True)
    if link:
        print(f"Make the first user here, once: {link}", flush=True)
    return Supervisor(parts, starting.hang()).run()
