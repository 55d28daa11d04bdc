"""`billclock reckon`: the daemon's errand that checks the books and keeps figures."""

from argparse import Namespace

from billclock.commands.errors import DONE
from billclock.commands.pointing import counted
from billclock.commands.start import database


def run(_args: Namespace) -> int:
    """Reckon what is due; say nothing but that the books, just checked, do not hold."""
    database()
    from billclock.billing import overview

    if "books" in overview.take_due() and (found := overview.breached()):
        print(f"the books: {counted(len(found), 'fault')}, see Problems or billclock verify")
    return DONE
