"""`billclock stop`: has the daemon end a run."""

from argparse import Namespace

from billclock.commands.errors import DONE
from billclock.commands.loading import django
from billclock.commands.start import who


def run(args: Namespace) -> int:
    """End the run; its processes get their grace."""
    django()
    from billclock.scheduler.control import ask

    ask("stop", run=args.run, actor=who())
    print(f"run {args.run} is being stopped")
    return DONE
