"""`billclock verify`: whether the books hold what they must, and their hash."""

import json
from argparse import Namespace

from billclock.commands.errors import DONE, FAILED
from billclock.commands.pointing import counted
from billclock.commands.start import database


def run(args: Namespace) -> int:
    """Bring the databases up to date, then check."""
    database()
    return told(args)


def told(args: Namespace) -> int:
    """Print every breach, and keep them for the Problems page; give 1 where there is one."""
    from billclock.billing import fingerprint, overview, reckonings

    kept = reckonings.take("books", overview.check).values
    found = kept["breaches"]
    if args.json:
        print(json.dumps({"breaches": found, "hash": fingerprint.take()}, indent=1))
        return FAILED if found else DONE
    for breach in found:
        print(f"{breach['invariant']}: {breach['what']}")
    checked = counted(kept["checked"], "invariant")
    print(f"{checked} checked, {len(found)} breached")
    return FAILED if found else DONE
