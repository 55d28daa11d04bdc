"""Runs a job for the commands that name one: its summary on stdout, what went wrong on stderr."""

import sys
from collections.abc import Mapping
from datetime import date

from billclock.commands.errors import UsageError
from billclock.commands.start import database


def day(text: str) -> date | None:
    """Read a date; None of an empty text. Raise UsageError for what is none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--date: {text!r} is not a date such as 2027-03-28") from None


def run_job(
    program: str,
    name: str,
    *,
    on: date | None,
    dry_run: bool,
    confirm: bool,
    explain: str,
    as_json: bool,
    options: Mapping[str, str],
) -> int:
    """Run a job and give the exit code. Raise UsageError for a job or an option there isn't."""
    database()
    from billclock.jobs.job import OptionError
    from billclock.jobs.registry import UnknownJobError, perform

    explain = explain.encode(errors="surrogateescape").decode(errors="replace")
    try:
        report = perform(
            name, on=on, dry_run=dry_run, confirm=confirm, explain=explain, options=options
        )
    except (UnknownJobError, OptionError) as error:
        raise UsageError(str(error)) from None
    print(report.json() if as_json else report.text(), flush=True)
    if report.busy:
        print(f"{program}: {name}: not started, {report.busy}", file=sys.stderr)
    for failed, reason in report.failed.items():
        about = name if failed == name else f"{name}: {failed}"
        print(f"{program}: {about}: {reason}", file=sys.stderr)
    return int(report.exit_code)
