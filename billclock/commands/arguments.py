"""The words of every `billclock` command; loads nothing that argparse has not loaded."""

from __future__ import annotations

from billclock.commands.parser import count, number

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
    parser.add_argument(
        "--heartbeat", action="store_true", help="then fetch BILLCLOCK_HEARTBEAT_URL"
    )
    parser.add_argument("--reports", action="store_true", help="write the reports, send nothing")


def prune(parser: argparse.ArgumentParser) -> None:
    """Take nothing."""
    parser.description = "Let runs and outputs go that are older or more than the settings keep."


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
    "shims": ("shims", "make a panel's command paths work", shims),
    "prepare": ("prepare", "make folder, key, databases and scripts", prepare),
    "deliver": ("deliver", "internal: write due reports and send what waits", deliver),
    "prune": ("prune", "internal: let old runs and outputs go", prune),
    "reference": ("reference", "write docs/reference", reference),
}
