"""`billclock prune`: the daemon's errand that lets old runs, outputs and readings go."""

from argparse import Namespace

from billclock.commands.errors import DONE
from billclock.commands.pointing import counted
from billclock.commands.start import database

MIB = 1024 * 1024


def run(_args: Namespace) -> int:
    """Prune for a limited time; the next call goes on where this one stopped."""
    database()
    from billclock.billing import readings
    from billclock.scheduler.retention import prune

    gone = prune()
    if read := readings.prune():
        print(f"{counted(read, 'reading')} of use went")
    if gone.runs or gone.slots or gone.freed:
        rest = "" if gone.finished else "; more is left for the next time"
        print(
            f"{counted(gone.runs, 'run')} and {counted(gone.slots, 'slot')} went, "
            f"{gone.freed / MIB:.1f} MiB came free{rest}"
        )
    return DONE
