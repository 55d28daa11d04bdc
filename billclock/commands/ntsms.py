"""The command `ntsms`: sends the text messages that wait."""

import sys

from billclock.commands.parser import Parser
from billclock.commands.start import guarded


def main(argv: list[str] | None = None) -> int:
    """Do one command with `argv` (default: the process's own words); give its exit code."""
    words = sys.argv[1:] if argv is None else argv
    return guarded("ntsms", lambda: _run(words))


def parser() -> Parser:
    """Give the command's parser."""
    whole = Parser(prog="ntsms", description="Send the text messages that wait.")
    whole.add_argument("--command", required=True, choices=["process"], help="process: send them")
    whole.add_argument(
        "--dry-run", action="store_true", help="tell what would be sent, send nothing"
    )
    whole.add_argument("--json", action="store_true", help="the report as JSON")
    return whole


def _run(words: list[str]) -> int:
    args = parser().parse_args(words)
    from billclock.commands.job_run import run_job

    return run_job(
        "ntsms",
        "ntsms",
        on=None,
        dry_run=args.dry_run,
        confirm=False,
        explain="",
        as_json=args.json,
        options={},
    )


if __name__ == "__main__":
    sys.exit(main())
