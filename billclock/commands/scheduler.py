"""`billclock scheduler`: the daemon alone, and the parts of it that `billclock serve` forks."""

import argparse
import os
import signal

from billclock.commands.errors import CommandError, HeldError, UsageError
from billclock.commands.supervisor import become


def run(_args: argparse.Namespace) -> int:
    """Prepare everything, then run the jobs until Ctrl-C or TERM."""
    from billclock.commands.start import database

    database()
    from django.db import connections

    refuse_company()
    connections.close_all()
    helper = os.fork()
    if helper == 0:
        become(fork_server)
    try:
        daemon()
    finally:
        os.kill(helper, signal.SIGTERM)
    return 0


def refuse_company() -> None:
    """Raise where another cron runs the same tables, or another scheduler works in this folder.

    Raise, too, where nothing can be written there.
    """
    from django.conf import settings

    from billclock.scheduler.daemon import HeldError as LedError
    from billclock.scheduler.leadership import HomeLock
    from billclock.scheduler.takeover import other_cron

    rival = other_cron(settings.SPOOL) if settings.RUNS else None
    if rival is not None:
        raise CommandError(str(rival))
    lead = HomeLock()
    try:
        leading = lead.acquire()
    except OSError as error:
        mend = f"see ls -ld {settings.HOME}, or name another folder with BILLCLOCK_HOME"
        raise UsageError(f"can't write {error.filename}, {error.strerror}: {mend}") from None
    if not leading:
        raise HeldError(str(LedError()))
    lead.release()


def fork_server() -> None:
    """Run our own commands for the daemon, each in a child that has everything loaded."""
    from billclock.scheduler.executors import forkserver

    forkserver.serve()


def daemon() -> None:
    """Run the jobs until a signal says to stop; raise CommandError when that can't be."""
    from billclock.scheduler.daemon import Daemon
    from billclock.scheduler.daemon import HeldError as LedError
    from billclock.scheduler.errands import Errands
    from billclock.scheduler.executors.process import ProcessExecutor
    from billclock.scheduler.executors.warm import WarmExecutor

    refuse_company()
    executor = WarmExecutor(ProcessExecutor())
    try:
        Daemon(executor, errands=Errands(executor)).run()
    except LedError as error:
        raise HeldError(str(error)) from None
