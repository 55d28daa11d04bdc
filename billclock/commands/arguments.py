"""The words of every `billclock` command; loads nothing that argparse has not loaded."""

from __future__ import annotations

from billclock.commands.parser import count, day, days, many, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Arguments = Callable[[argparse.ArgumentParser], None]


def crontab(parser: argparse.ArgumentParser) -> None:
    """Take one of the ways to treat a table."""
    parser.description = (
        "Show, edit, replace or remove a user's crontab, as crontab(1) does, on Billclock's tables."
    )
    _user(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("-l", dest="list", action="store_true", help="print the table")
    what.add_argument(
        "-e", dest="edit", action="store_true", help="edit it with $VISUAL or $EDITOR"
    )
    what.add_argument("-r", dest="remove", action="store_true", help="remove it (a version stays)")
    what.add_argument("--default", action="store_true", help="print the billing jobs' own table")
    what.add_argument("file", nargs="?", metavar="FILE", help="install this text; -: from stdin")
    parser.add_argument("-i", dest="ask", action="store_true", help="with -r: ask first")


def next_runs(parser: argparse.ArgumentParser) -> None:
    """Take an expression."""
    parser.description = "Say an expression in words, and when it runs next."
    parser.add_argument("expression", metavar="EXPR", help="five fields in quotes, or @daily …")
    parser.add_argument("--from", dest="start", metavar="ISO", help="after this moment, not now")
    parser.add_argument("--zone", metavar="Z", help="in this zone, such as Europe/Berlin")
    parser.add_argument("-n", dest="count", type=count, default=5, metavar="N", help="so many (5)")
    _json(parser)


def check(parser: argparse.ArgumentParser) -> None:
    """Take a crontab to look at."""
    parser.description = "Tell what is wrong or doubtful in a crontab. Ends with 1 on errors."
    parser.add_argument("file", metavar="FILE", help="a crontab; -: standard input")
    parser.add_argument("--system", action="store_true", help="it has a user column (/etc/cron.d)")
    _json(parser)


def importing(parser: argparse.ArgumentParser) -> None:
    """Take a foreign crontab, or a document with crontab lines in it."""
    parser.description = (
        "Take the entries of a foreign crontab, or of a document that has crontab lines in it, "
        "into a table; tell what became of each line. What the table has already stays as it is."
    )
    parser.add_argument("file", metavar="FILE", help="any text; -: standard input")
    parser.add_argument("--fix", action="store_true", help="take repaired lines too")
    _user(parser)


def runs(parser: argparse.ArgumentParser) -> None:
    """Take what narrows the history."""
    parser.description = "Show the latest runs, the newest first."
    parser.add_argument("--entry", type=number, metavar="K", help="of this entry")
    parser.add_argument("--outcome", metavar="WORD", help="with this outcome: succeeded, failed …")
    parser.add_argument(
        "-n", dest="count", type=count, default=20, metavar="N", help="so many (20)"
    )
    _json(parser)


def run_now(parser: argparse.ArgumentParser) -> None:
    """Take an entry."""
    parser.description = (
        "Start an entry now, show its output while it runs, and end with its exit code. "
        "Ends with 3 when the entry runs already. Ctrl-C leaves the run going on."
    )
    parser.add_argument("entry", type=number, metavar="K", help="the entry's key (billclock runs)")


def stop(parser: argparse.ArgumentParser) -> None:
    """Take a run."""
    parser.description = "End a run: TERM to its processes, and KILL after its grace."
    parser.add_argument("run", type=number, metavar="RUN", help="the run's number (billclock runs)")


def pause(parser: argparse.ArgumentParser) -> None:
    """Take what to hold back, and until when."""
    parser.description = "Start nothing, or nothing of a tag or an entry, until `billclock resume`."
    _scope(parser)
    parser.add_argument("--until", metavar="ISO", help="and go on by itself at this moment")


def resume(parser: argparse.ArgumentParser) -> None:
    """Take what to let go on."""
    parser.description = "End a pause: of everything, of a tag or of an entry."
    _scope(parser)


def follow_clock(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = (
        "After the clock was set back on purpose: let the entries run now whose moments have "
        "outcomes already, from before. Without it they wait until the clock is where it was."
    )


def user(parser: argparse.ArgumentParser) -> None:
    """Take a user, and how to help him."""
    parser.description = (
        "List who may sign in to the web, or let somebody in again who can't any more. "
        "It asks for no password: whoever may write Billclock's databases may do it."
    )
    parser.add_argument("email", nargs="?", metavar="EMAIL", help="only this user")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--link", action="store_true", help="print a link to choose a password by")
    what.add_argument(
        "--forget-factors", action="store_true", help="take app, passkeys and recovery codes away"
    )
    what.add_argument(
        "--setup", action="store_true", help="print a link that makes the first root user"
    )


def shims(parser: argparse.ArgumentParser) -> None:
    """Take the folder of a panel."""
    parser.description = (
        "Link DIR/sbin/mgrctl, DIR/sbin/billmaintain and DIR/notify/ntsms to Billclock's commands, "
        "so that crontab lines with these paths work under any cron."
    )
    parser.add_argument("folder", metavar="DIR", help="such as /usr/local/mgr5")


def prepare(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = "Make the folder, the key, the databases and the command scripts."


def deliver(parser: argparse.ArgumentParser) -> None:
    """Take whether to give a sign of life."""
    parser.description = "Write the reports that are due, and send what waits in the outbox."
    parser.add_argument("--heartbeat", action="store_true", help="then fetch the heartbeat address")
    parser.add_argument("--reports", action="store_true", help="write the reports, send nothing")


def prune(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = "Let runs and outputs go that are older or more than the settings keep."


def reckon(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = (
        "Check the books if that was not done since 04:00, and keep the overview's figures: what "
        "daily billing would do next, whose money ends soon, what came in and is owed."
    )


def reference(parser: argparse.ArgumentParser) -> None:
    """Take whether to write or to compare."""
    parser.description = "Write docs/reference from the commands, the settings and the jobs."
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if stale")


def serve(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = "Start the web server and the scheduler, and keep them running."


def scheduler(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = "Start the scheduler alone."


def _user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-u", dest="user", metavar="USER", help="whose table; only root may choose")


def _scope(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--entry", type=number, metavar="K", help="only this entry")
    which.add_argument("--tag", metavar="WORD", help="only entries with this tag")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON")


# The command's word: its module in billclock.commands, one line of help, its arguments.
def demo(parser: argparse.ArgumentParser) -> None:
    """Take a size and a span of time."""
    parser.description = (
        "Found a hosting company that does not exist, in a folder of its own (BILLCLOCK_HOME), "
        "and let time pass there: the table's jobs run at their moments on a clock that is set, "
        "its clients pay or forget to, gateways fail now and then. Nothing leaves the machine."
    )
    parser.add_argument("--services", type=many, metavar="N", help="so many services (200)")
    parser.add_argument(
        "--days", type=days, default=60, metavar="D", help="founded so long ago (60d)"
    )
    parser.add_argument("--advance", type=days, metavar="D", help="let so many days pass: 31d")
    parser.add_argument(
        "--until", type=day, metavar="DATE", help="let time pass until a day begins"
    )
    _json(parser)


def verify(parser: argparse.ArgumentParser) -> None:
    """Take whether to hash."""
    parser.description = (
        "Check all that must hold of the books: balances, periods, charges, payments, seals. "
        "Ends with 1 where something does not. With --json it also gives a hash of the books that "
        "is equal for equal books, whatever their keys and order."
    )
    _json(parser)


def statement(parser: argparse.ArgumentParser) -> None:
    """Take a payment method and a file."""
    parser.description = (
        "Import a bank's statement (camt.053, or CSV by the method's layout): entries are kept "
        "once, credited where they name what they pay, and left to a person where they do not. "
        "Ends with 1 where a part cannot be read; a file that is no statement changes nothing."
    )
    parser.add_argument("method", metavar="METHOD", help="the payment method's code")
    parser.add_argument("file", metavar="FILE", help="the statement; -: standard input")
    _json(parser)


COMMANDS: dict[str, tuple[str, str, Arguments]] = {
    "serve": ("serve", "start the web server and the scheduler", serve),
    "scheduler": ("scheduler", "start the scheduler alone", scheduler),
    "crontab": ("crontab", "show, edit, replace or remove a crontab", crontab),
    "next": ("next_runs", "say an expression in words and when it runs next", next_runs),
    "check": ("check", "tell what is wrong or doubtful in a crontab", check),
    "import": ("importing", "take the entries of a foreign crontab or document", importing),
    "runs": ("runs", "show the latest runs", runs),
    "run-now": ("run_now", "start an entry now and follow it", run_now),
    "stop": ("stop", "end a run", stop),
    "pause": ("pause", "start nothing for a time", pause),
    "resume": ("resume", "end a pause", resume),
    "follow-clock": ("follow_clock", "let entries follow a clock set back", follow_clock),
    "user": ("user", "list who may sign in, let somebody in again", user),
    "shims": ("shims", "make a panel's command paths work", shims),
    "demo": ("demo", "found a company that does not exist; let time pass", demo),
    "verify": ("verify", "check the books", verify),
    "statement": ("statement", "import a bank's statement", statement),
    "prepare": ("prepare", "make folder, key, databases and scripts", prepare),
    "deliver": ("deliver", "internal: write due reports and send what waits", deliver),
    "prune": ("prune", "internal: let old runs and outputs go", prune),
    "reckon": ("reckon", "internal: check the books, keep the overview's figures", reckon),
    "reference": ("reference", "write docs/reference", reference),
}
