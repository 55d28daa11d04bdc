"""`billclock scheduler`: the daemon alone, and the parts of it that `billclock serve` forks."""

import argparse
import os
import signal
import sys


def run(_args: argparse.Namespace) -> int:
    """Prepare everything, then run the jobs until Ctrl-C or TERM."""
    from billclock.commands.start import database

    database()
    from django.db import connections

    connections.close_all()
    helper = os.fork()
    if helper == 0:
        os.setsid()
        fork_server()
        os._exit(0)
    try:
        daemon()
    finally:
        os.kill(helper, signal.SIGTERM)
    return 0


def fork_server() -> None:
    """Run our own commands for the daemon, each in a child that has everything loaded."""
    from billclock.scheduler.executors import forkserver

    forkserver.serve()


def daemon() -> None:
    """Run the jobs until a signal says to stop; exit 1 with a sentence when that can't be."""
    from django.conf import settings

    from billclock.scheduler.daemon import Daemon, HeldError
    from billclock.scheduler.errands import Errands
    from billclock.scheduler.executors.process import ProcessExecutor
    from billclock.scheduler.executors.warm import WarmExecutor
    from billclock.scheduler.takeover import other_cron

    rival = other_cron(settings.SPOOL) if settings.RUNS else None
    if rival is not None:
        sys.exit(f"billclock: {rival}")
    executor = WarmExecutor(ProcessExecutor())
    try:
        Daemon(executor, errands=Errands(executor)).run()
    except HeldError as error:
        sys.exit(f"billclock: {error}")
