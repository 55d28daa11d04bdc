"""`billclock deliver`: the daemon's errand that writes due reports and empties the outbox."""

import sys
from argparse import Namespace
from http.client import HTTPException
from urllib.request import Request, urlopen

from billclock import __version__
from billclock.commands.errors import DONE, FAILED
from billclock.commands.pointing import counted
from billclock.commands.start import database

PATIENCE = 10.0  # seconds for the heartbeat's other side


def run(args: Namespace) -> int:
    """Write and send, with --reports only write; with --heartbeat first give a sign of life."""
    database()
    from django.conf import settings

    from billclock.outbox.delivery import deliver
    from billclock.scheduler.report import write_due

    # first: what hangs below would keep it from being heard
    well = not (args.heartbeat and settings.HEARTBEAT_URL) or _beat(settings.HEARTBEAT_URL)
    # each round takes a limited number of runs
    while write_due():
        pass
    if args.reports:
        return DONE if well else FAILED
    result = deliver()
    for problem in result.problems:
        print(f"billclock deliver: {problem}", file=sys.stderr)
    if result.sent or result.failed:
        print(f"{counted(result.sent, 'message')} sent, {result.failed} given up")
    return DONE if well and not result.failed and not result.problems else FAILED


def _beat(address: str) -> bool:
    """Fetch an address; False, said on standard error, where the other side does not take it."""
    agent = {"User-Agent": f"Billclock/{__version__}"}
    try:
        request = Request(address, headers=agent)  # noqa: S310 - the administrator's own address
        with urlopen(request, timeout=PATIENCE):  # noqa: S310
            return True
    except (OSError, HTTPException, ValueError) as error:
        told = f"BILLCLOCK_HEARTBEAT_URL={address} was not reached: {error}"
        print(f"billclock deliver: {told}", file=sys.stderr)
        return False
