"""`billclock resume`: ends a pause."""

from argparse import Namespace

from billclock.commands.errors import DONE, FAILED
from billclock.commands.loading import django
from billclock.commands.pause import scope, what
from billclock.commands.start import who


def run(args: Namespace) -> int:
    """End the pause of all, of a tag or of an entry; 1 where there was none."""
    django()
    from billclock.scheduler.control import ask

    ended = ask("resume", scope=scope(args), actor=who()).get("ended")
    print(f"{what(args)} {'started again' if ended else 'not paused'}")
    return DONE if ended else FAILED
