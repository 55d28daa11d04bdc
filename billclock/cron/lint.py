"""Lint: everything worth saying about a crontab, each finding with its place and, often, a fix."""

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo

from .chains import check_chains
from .crontab import Crontab
from .findings import ERROR, NOTE, WARNING, Finding, subjects
from .lint_command import check_command, check_program, check_runner
from .lint_schedule import check_clock_change, check_schedule
from .lint_table import check_duplicates, check_jobs, check_load
from .lint_text import check_text

__all__ = ["ERROR", "NOTE", "WARNING", "Finding", "fixed", "lint"]


def lint(
    crontab: Crontab,
    at: datetime | None = None,
    zone: tzinfo | str | None = None,
    program: Callable[[str], bool] | None = None,
    jobs: Iterable[str] | None = None,
    user: Callable[[str], str] | None = None,
) -> list[Finding]:
    """Check a crontab and give the findings in the order of its lines.

    What must be known of the world comes as arguments, and a check that lacks its own is left out:
    `at` (now, naive in `zone` or aware) and `zone` (of entries that name none) for clock changes,
    `program` (whether a full path can be run), `jobs` (the commands of the billing set), `user`
    (why none of the table's entries may run as a user; empty where they may).
    """
    active = list(subjects(crontab))
    findings = list(check_text(crontab))
    for subject in active:
        findings.extend(check_schedule(subject))
        findings.extend(check_command(subject))
        if at is not None:
            findings.extend(check_clock_change(subject, at, zone))
        if program is not None:
            findings.extend(check_program(subject, program))
        if user is not None:
            findings.extend(check_runner(subject, crontab.lines[subject.entry.line - 2].raw, user))
    findings.extend(check_duplicates(active))
    findings.extend(check_chains(crontab, active))
    findings.extend(check_load(active))
    if jobs is not None:
        commands = [(entry.line, entry.command) for entry in crontab.entries]
        findings.extend(check_jobs(commands, active, jobs))
    return sorted(findings, key=lambda finding: (finding.line, finding.column))


def fixed(crontab: Crontab, finding: Finding) -> Crontab:
    """Give a crontab with a finding's fix applied; the same one where there is none.

    A fix is a line; the mends of `no_final_newline` and `crlf` are for the whole file.
    """
    data = bytes(crontab)
    if finding.code == "no_final_newline":
        data += b"\n"
    elif finding.code == "crlf":
        data = b"\n".join(line.rstrip(b"\r") for line in data.split(b"\n"))
    elif finding.fix is not None:
        lines = data.split(b"\n")
        lines[finding.line - 1] = finding.fix.encode("utf-8", "surrogateescape")
        data = b"\n".join(lines)
    return Crontab.parse(data, crontab.system)
