"""What a report says: cron's subject and headers, the facts of the run, what it printed."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from signal import Signals

from django.conf import settings

from billclock.outbox.channels import Letter
from billclock.scheduler import output
from billclock.scheduler.addressing import Addressing, one_line
from billclock.scheduler.models import Outcome, Run

HEAD = 16 * 1024
TAIL = 48 * 1024
"""Bytes of the output's beginning and end in a mail."""

AUTOMATIC = (("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"))
COMMAND = 300
VALUE = 300
VARIABLES = 100
NOT_FOUND = 127

_SECRET = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CRED|AUTH|PRIVATE|COOKIE|DSN", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^/@\s:]*:)[^/@\s]+@")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "�")
_CONTROL |= {ord("\t"): "\t", ord("\n"): "\n"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a report stands among others, moments in `zone`.

    It tells that a failure is over (`recovered`), of `untold` failures since a moment whose
    reports were withheld, and that it is the last one before a digest (`until`).
    """

    zone: tzinfo
    recovered: bool = False
    untold: int = 0
    since: datetime | None = None
    until: datetime | None = None


def subject(owner: str, host: str, command: str, ending: str) -> str:
    """Write a subject as cron does, with how it ended where that is not plainly well."""
    command = one_line(command)
    if len(command) > COMMAND:
        command = command[:COMMAND] + "..."
    return f"Cron <{owner}@{host}> {command}" + (f" ({ending})" if ending else "")


def headers(to: Addressing) -> tuple[tuple[str, str], ...]:
    """Write the headers of cron's mails; variables that look secret are masked."""
    shown = list(to.variables.items())[:VARIABLES]
    return (
        *AUTOMATIC,
        *(("X-Cron-Env", f"<{one_line(f'{n}={masked(n, v)}')[:VALUE]}>") for n, v in shown),
    )


def masked(name: str, value: str) -> str:
    """Give a variable's value, or stars where the name or a password in an address is secret."""
    if _SECRET.search(name):
        return "***"
    return _USERINFO.sub(r"\1***@", value)


def ending(outcome: str, exit_code: int | None, signal: int | None) -> str:
    """Say how a run ended in a few words: "failed, exit code 3"."""
    if outcome == Outcome.FAILED and signal is not None:
        return f"failed, {_signal(signal)}"
    if outcome == Outcome.FAILED and exit_code is not None:
        return f"failed, exit code {exit_code}"
    return outcome


def write(run: Run, to: Addressing, standing: Standing, *, at: datetime) -> Letter:
    """Write the report of a run for the outbox."""
    how = "works again" if standing.recovered else "" if _well(run) else _ending(run)
    facts = "\n".join(_facts(run, standing))
    body = _body(facts, excerpt(run, to.charset), to.subtype)
    return Letter(
        channel="mail",
        dedupe_key=f"report:run:{run.id}",
        recipients=to.recipients,
        at=at,
        sender=to.sender,
        subject=subject(to.owner, run.host, run.entry.command, how),
        body=body,
        headers=headers(to),
        payload={"subtype": to.subtype, "charset": _fitting(body, to.charset)},
    )


def excerpt(run: Run, charset: str) -> str:
    """Give what the run printed, its middle left out where it is long, as clean text."""
    try:
        return _excerpt(run, charset)
    except OSError as error:
        return f"The output can't be read: {error}\n"


def _excerpt(run: Run, charset: str) -> str:
    size = output.size(run.id)
    if not size:
        return "The output is no longer kept.\n" if run.output_size else ""
    if size <= HEAD + TAIL:
        return clean(_read(run.id, 0, size), charset)
    left_out = f"\n[{size - HEAD - TAIL:,} bytes left out here: see the run's page]\n\n"
    head, tail = _read(run.id, 0, HEAD), _read(run.id, size - TAIL, TAIL)
    return clean(head, charset) + left_out + clean(tail, charset)


def clean(data: bytes, charset: str) -> str:
    """Make text of anything: no terminal's escapes, no control characters, no undecodable byte."""
    text = data.decode(charset, "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE.sub("", text).translate(_CONTROL)


def _facts(run: Run, standing: Standing) -> Iterator[str]:
    """Give the lines above the output; short ones, for a phone."""
    zone = standing.zone
    yield _first_line(run, recovered=standing.recovered)
    if run.exit_code == NOT_FOUND:
        yield "127 means that a program was not found: is it in the PATH of the crontab?"
    if standing.untold and standing.since:
        failures = "failure" if standing.untold == 1 else "failures"
        yield f"Not mailed: {standing.untold:,} {failures} since {when(standing.since, zone)}."
    if standing.until:
        yield f"No more single reports before {when(standing.until, zone)}: then one list."
    yield ""
    yield from (one_line(text) for text in (run.entry.description, run.entry.command) if text)
    yield ""
    moments = (("Planned", run.planned), ("Started", run.started), ("Ended", run.finished))
    for name, moment in moments:
        if moment:
            late = _late(run) if name == "Started" else ""
            yield f"{name}: {when(moment, zone)}{late}"
    if run.attempt > 1:
        yield f"Attempt: {run.attempt}"
    yield f"Host: {run.host}"
    yield f"More: {page()}/{run.id}"


def _first_line(run: Run, *, recovered: bool) -> str:
    took = ""
    if run.started and run.finished:
        took = f" after {duration((run.finished - run.started).total_seconds())}"
    if _well(run):
        if recovered:
            return f"Works again: done{took}."
        return f"Done{took}, exit code {run.exit_code or 0}."
    why = f": {one_line(run.reason)}" if run.reason else ""
    how = _ending(run)
    return f"{how[0].upper()}{how[1:]}{took}{why}."


def duration(seconds: float) -> str:
    """Say a time in the two units that matter, none of them empty."""
    if round(seconds, 1) < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, over = divmod(minutes, 60)
    units = [(hours, "h"), (over, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in units if count)


def _body(facts: str, printed: str, subtype: str) -> str:
    if subtype == "html":
        return f"<pre>{html.escape(facts)}</pre>\n{printed}"
    return f"{facts}\n\n{printed}" if printed else f"{facts}\n\nIt printed nothing.\n"


def _fitting(text: str, charset: str) -> str:
    try:
        text.encode(charset)
    except UnicodeError:
        return "utf-8"
    return charset


def _read(run: int, offset: int, size: int) -> bytes:
    parts = []
    end = offset + size
    while offset < end and (chunk := output.read(run, offset, end - offset)).data:
        parts.append(chunk.data)
        offset = chunk.next
    return b"".join(parts)


def _ending(run: Run) -> str:
    return ending(run.outcome, run.exit_code, run.signal)


def _well(run: Run) -> bool:
    return run.outcome == Outcome.SUCCEEDED


def page() -> str:
    """Give the address of the list of runs."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/runs"


def when(moment: datetime, zone: tzinfo) -> str:
    """Say a moment as a person in `zone` reads it."""
    return f"{moment.astimezone(zone):%a %d %b %Y %H:%M:%S %Z}"


def _late(run: Run) -> str:
    if not run.planned or not run.started:
        return ""
    late = (run.started - run.planned).total_seconds()
    return f" ({duration(late)} late)" if late >= 1 else ""


def _signal(number: int) -> str:
    try:
        return f"signal {number}, {Signals(number).name}"
    except ValueError:
        return f"signal {number}"
