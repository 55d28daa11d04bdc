"""`billclock follow-clock`: lets entries run that wait for a clock that was set back."""

from argparse import Namespace

from billclock.commands.errors import DONE
from billclock.commands.loading import django
from billclock.commands.pointing import counted
from billclock.commands.start import who


def run(_args: Namespace) -> int:
    """Let what waits follow the clock as it stands, and write it down."""
    django()
    from billclock.accounts import audit
    from billclock.scheduler.control import ask

    count = len(ask("follow-clock", actor=who())["entries"])
    audit.note(who(), "clock.follow", counted(count, "job"))
    verb = "follows" if count == 1 else "follow"
    print(f"{counted(count, 'entry')} {verb} the clock as it stands")
    return DONE
