"""The command `billmaintain`: runs a job of the article by its name."""

import sys

from billclock.commands.errors import UsageError
from billclock.commands.parser import Parser
from billclock.commands.start import guarded

EXIT_CODES = "exit codes: 0 done, 1 something failed or a limit tripped, 2 wrong usage, 3 held"


def main(argv: list[str] | None = None) -> int:
    """Run one job with `argv` (default: the process's own words); give its exit code."""
    words = sys.argv[1:] if argv is None else argv
    return guarded("billmaintain", lambda: _run(words))


def parser() -> Parser:
    """Give the command's parser."""
    whole = Parser(
        prog="billmaintain",
        description="Run a job. docs/reference/jobs.md lists them.",
        epilog=EXIT_CODES,
    )
    whole.add_argument("--command", required=True, metavar="NAME", help="the job's name")
    whole.add_argument("--date", default="", metavar="YYYY-MM-DD", help="for this day, not today")
    whole.add_argument("--module", metavar="M", help="for one processing module")
    whole.add_argument(
        "--dry-run", action="store_true", help="tell what would change, change nothing"
    )
    whole.add_argument("--confirm", action="store_true", help="let a limit pass that stopped it")
    whole.add_argument("--explain", metavar="OBJECT", help="tell why, for one object")
    whole.add_argument(
        "--recalculate", action="store_true", help="post differences to what was done"
    )
    whole.add_argument("--workers", metavar="N", help="so many processes at once (PostgreSQL)")
    whole.add_argument("--only", metavar="PART", help="a part alone: usage (billdaily)")
    whole.add_argument("--json", action="store_true", help="the report as JSON")
    return whole


def _run(words: list[str]) -> int:
    args = parser().parse_args(words)
    from billclock.commands.job_run import day, run_job

    if args.explain == "":  # a shell's variable that is not set: nobody asked for a run
        raise UsageError("--explain: name an object; without --explain the job runs")
    options = {} if args.module is None else {"module": args.module}
    if args.workers is not None:
        options["workers"] = args.workers
    if args.only is not None:
        options["only"] = args.only
    if args.recalculate:
        options["recalculate"] = "on"
    return run_job(
        "billmaintain",
        args.command,
        on=day(args.date),
        dry_run=args.dry_run,
        confirm=args.confirm,
        explain=args.explain or "",
        as_json=args.json,
        options=options,
    )


if __name__ == "__main__":
    sys.exit(main())
