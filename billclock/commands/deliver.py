"""`billclock deliver`: the daemon's errand that writes due reports and empties the outbox."""

import sys
from argparse import Namespace
from base64 import b64encode
from http.client import HTTPException
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from billclock import __version__
from billclock.commands.errors import DONE, FAILED
from billclock.commands.pointing import counted
from billclock.commands.start import database
from billclock.cron.hooks import shown

PATIENCE = 10.0  # seconds for the heartbeat's other side


def run(args: Namespace) -> int:
    """Write and send, with --reports no mail; with --heartbeat first give a sign of life."""
    database()
    from billclock.outbox.delivery import deliver
    from billclock.scheduler import chosen, heartbeat, hooks
    from billclock.scheduler.report import write_due

    address = chosen.in_force().heartbeat_url if args.heartbeat else ""
    # first: what hangs below would keep it from being heard
    fault = _beat(address) if address else ""
    if address:
        heartbeat.note(address, fault)
    well = not fault
    # each round takes a limited number of runs
    while write_due():
        pass
    while hooks.write_due():
        pass
    result = deliver(only=("webhook",) if args.reports else None)
    for problem in result.problems:
        print(f"billclock deliver: {problem}", file=sys.stderr)
    if result.sent or result.failed:
        print(f"{counted(result.sent, 'message')} sent, {result.failed} given up")
    return DONE if well and not result.failed and not result.problems else FAILED


def _beat(address: str) -> str:
    """Fetch an address; give why the other side did not take it, said on standard error too."""
    try:
        with urlopen(_request(address), timeout=PATIENCE):  # noqa: S310 - the administrator's own
            return ""
    except (OSError, HTTPException, ValueError) as error:
        told = f"the heartbeat address {shown(address)} was not reached: {error}"
        print(f"billclock deliver: {told}", file=sys.stderr)
        return str(error) or type(error).__name__


def _request(address: str) -> Request:
    """Ask as the user whom an address names: urllib takes him for a part of the host's name.

    It would ask name servers for that, and tell the password in its error.
    """
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    headers = {"User-Agent": f"Billclock/{__version__}"}
    if at:
        headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    plain = urlunsplit(parts._replace(netloc=host))
    return Request(plain, headers=headers)  # noqa: S310 - the administrator's own address
