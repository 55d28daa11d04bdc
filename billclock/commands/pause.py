"""`billclock pause`: has the daemon start nothing, or nothing of a tag or an entry, for a time."""

from argparse import Namespace

from billclock import clock
from billclock.commands.errors import DONE
from billclock.commands.loading import django
from billclock.commands.next_runs import moment
from billclock.commands.start import who


def run(args: Namespace) -> int:
    """Begin the pause."""
    until = moment(args.until, clock.server_zone(), "--until") if args.until else None
    django()
    from billclock.scheduler.control import ask

    ask("pause", scope=scope(args), until=until and until.isoformat(), actor=who())
    print(f"{what(args)} paused {f'until {until}' if until else 'until billclock resume'}")
    return DONE


def scope(args: Namespace) -> str:
    """Give the name of what is paused, as the daemon has it."""
    from billclock.scheduler.pauses import scope_of

    return scope_of(tag=args.tag or "", entry=args.entry)


def what(args: Namespace) -> str:
    """Give words for what is paused."""
    if args.entry is not None:
        return f"entry {args.entry} is"
    return f"entries with the tag {args.tag} are" if args.tag else "all jobs are"
