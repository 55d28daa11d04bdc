"""`billclock run-now`: has the daemon start an entry, and follows the run to its end."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING

from billclock.commands.errors import DONE, FAILED, INTERRUPTED, CommandError, HeldError
from billclock.commands.start import database, who

if TYPE_CHECKING:
    from billclock.scheduler.models import Run

OFTEN = 0.05  # seconds between two looks at a run that has just begun
SELDOM = 0.5  # and at one that takes its time
SIGNALLED = 128  # what a shell adds to a signal's number


def run(args: Namespace) -> int:
    """Start the entry now; end as its command does."""
    database()
    number = _started(args.entry)
    print(f"billclock run-now: this is run {number}", file=sys.stderr)
    try:
        row = _follow(number)
    except KeyboardInterrupt:
        mend = f"billclock stop {number} ends it"
        print(f"billclock run-now: run {number} goes on; {mend}", file=sys.stderr)
        return INTERRUPTED
    code = _code(row)
    if code != DONE:
        reason = f": {row.reason}" if row.reason else ""
        told = f"run {number} {row.outcome}{reason}"
        print(f"billclock run-now: {told}", file=sys.stderr)
    return code


def _started(entry: int) -> int:
    """Give the number of the new run. Raise HeldError where the entry runs already."""
    from billclock.scheduler.control import RefusedError, ask
    from billclock.scheduler.models import Run

    try:
        return int(ask("run-now", entry=entry, actor=who())["run"])
    except RefusedError as refusal:
        if Run.objects.filter(entry=entry, outcome="", started__isnull=False).exists():
            raise HeldError(str(refusal)) from None
        raise CommandError(str(refusal)) from None


def _follow(number: int) -> Run:
    """Copy the run's output to standard output as it grows; give the run when it is over."""
    from billclock.scheduler.models import Run

    offset, wait = 0, OFTEN
    while True:
        # asked before reading: what was printed by the end is then read
        row = Run.objects.get(pk=number)
        read = _copy(number, offset)
        if row.outcome and read == offset:
            return row
        wait = OFTEN if read != offset else min(wait * 1.2, SELDOM)
        offset = read
        time.sleep(0 if row.outcome else wait)


def _copy(number: int, offset: int) -> int:
    """Print what a run has printed since `offset`; give the offset to go on from."""
    from billclock.scheduler import output

    while (chunk := output.read(number, offset)).data:
        if chunk.left_out:
            sys.stdout.buffer.write(b"\n[%d bytes were left out here]\n" % chunk.left_out)
        sys.stdout.buffer.write(chunk.data)
        offset = chunk.next
    sys.stdout.flush()
    return offset


def _code(row: Run) -> int:
    if row.exit_code is not None:
        return row.exit_code
    if row.signal:
        return SIGNALLED + row.signal
    return FAILED
