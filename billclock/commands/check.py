"""`billclock check`: everything worth saying about a crontab, without installing it."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence

from billclock.commands.errors import DONE, FAILED
from billclock.commands.loading import django
from billclock.commands.pointing import clipped, counted, decoded, pointed
from billclock.commands.reading import STDIN, read
from billclock.cron.crontab import Crontab
from billclock.cron.findings import ERROR, Finding


def run(args: Namespace) -> int:
    """Print the findings; end with 1 where a line does not run."""
    crontab = Crontab.parse(read(args.file), system=args.system)
    django()
    from billclock.jobs.checking import findings as found

    findings = found(crontab)
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        source = "stdin" if args.file == STDIN else args.file
        for finding in findings:
            print("\n".join(_told(finding, source, crontab)))
        print(_summary(findings, crontab))
    return FAILED if any(finding.level == ERROR for finding in findings) else DONE


def _told(finding: Finding, source: str, crontab: Crontab) -> list[str]:
    place = f"{source}:{finding.line}:{finding.column}"
    told = [f"{place}: {finding.level}: {finding.message} [{finding.code}]"]
    if 1 <= finding.line <= len(crontab.lines):
        raw = crontab.lines[finding.line - 1].raw
        told += pointed(decoded(raw), len(decoded(raw[: finding.column - 1])) + 1)
    if finding.fix is not None:
        told.append(f"  fix: {clipped(finding.fix)}")
    return told


def _summary(findings: Sequence[Finding], crontab: Crontab) -> str:
    errors = sum(finding.level == ERROR for finding in findings)
    off = sum(not entry.active for entry in crontab.entries)
    held = f"{counted(len(crontab.entries), 'entry')}, {off} of them switched off"
    return f"{held}; {counted(errors, 'error')}, {counted(len(findings) - errors, 'remark')}"
