"""The coming runs as a calendar that other programs read (RFC 5545)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from billclock.scheduler.durations import typical
from billclock.web.timeline_lanes import due
from billclock.web.timeline_plan import Job
from billclock.web.timeline_range import Range

OFTEN = 200  # moments in the range beyond which a job is left out, and named as left out
FOLD = 75  # bytes of a line (RFC 5545, 3.1)


def calendar(table: str, jobs: Iterable[Job], shown: Range) -> bytes:
    """Give an iCalendar of the moments to come in a range, each as long as runs took on average."""
    active = [job for job in jobs if job.planned.active]
    usual = typical([job.key for job in active if job.key is not None])
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Billclock//Scheduler//EN"]
    lines.append(f"X-WR-CALNAME:{_escaped(f'Billclock {table}')}")
    events: list[str] = []
    left_out = []
    for job in active:
        moments = list(islice(due(job, shown), OFTEN + 1))
        if len(moments) > OFTEN:
            left_out.append(job.title)
            continue
        length = usual.get(job.key or 0)
        seconds = timedelta(seconds=round(length.mean) if length else 0)
        for moment in moments:
            events += _event(table, job, moment, seconds, shown)
    if left_out:
        lines.append(
            f"X-WR-CALDESC:{_escaped('Left out, they run too often: ' + ', '.join(left_out))}"
        )
    # a calendar's own properties stand before what it holds (RFC 5545, 3.6)
    return b"".join(_folded(line) for line in (*lines, *events, "END:VCALENDAR"))


def _event(
    table: str, job: Job, moment: datetime, length: timedelta, shown: Range
) -> Iterator[str]:
    entry = job.key or f"line{job.planned.line}"
    yield "BEGIN:VEVENT"
    yield f"UID:{moment:%Y%m%dT%H%M%SZ}-{entry}-{_escaped(table)}@billclock"
    yield f"DTSTAMP:{shown.now:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART:{moment:%Y%m%dT%H%M%SZ}"
    yield f"DTEND:{moment + max(length, timedelta(minutes=1)):%Y%m%dT%H%M%SZ}"
    yield f"SUMMARY:{_escaped(job.title)}"
    yield f"DESCRIPTION:{_escaped(str(job.planned.expression).strip())}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _escaped(text: str) -> str:
    for char in ("\\", ";", ","):
        text = text.replace(char, f"\\{char}")
    return " ".join(text.split())


def _folded(line: str) -> bytes:
    """Write a line with its end, in pieces of at most 75 bytes that cut no character in two."""
    pieces: list[bytes] = []
    piece = b""
    for char in line:
        data = char.encode()
        if len(piece) + len(data) > FOLD - bool(pieces):
            pieces.append(piece)
            piece = b""
        piece += data
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"
