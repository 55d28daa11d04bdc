"""`billclock runs`: the latest runs, in columns for a person or as JSON for a program."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from billclock import clock
from billclock.commands.errors import DONE, UsageError
from billclock.commands.pointing import clipped
from billclock.commands.start import database

if TYPE_CHECKING:
    from billclock.scheduler.models import Run

HEAD = ("RUN", "ENTRY", "TABLE", "BEGAN", "TOOK", "CPU", "MEMORY", "OUTCOME", "COMMAND")
RIGHT = frozenset({"RUN", "ENTRY", "TOOK", "CPU", "MEMORY"})
RUNNING = "running"
MINUTE, HOUR = 60, 3600
MIB = 1024  # KiB


def run(args: Namespace) -> int:
    """Print the runs asked for, the newest first."""
    database()
    from billclock.scheduler.models import Run

    rows = Run.objects.select_related("entry", "slot").order_by("-id")
    if args.entry is not None:
        rows = rows.filter(entry=args.entry)
    if args.outcome is not None:
        rows = rows.filter(outcome=_kept(args.outcome))
    found = list(rows[: args.count])
    if args.json:
        facts = [_facts(row) for row in found]
        print(json.dumps(facts, indent=1, default=datetime.isoformat))
    elif found:
        print("\n".join(_aligned([HEAD, *map(_columns, found)])))
    else:
        print("no runs")
    return DONE


def _kept(word: str) -> str:
    """Give an outcome as the database keeps it. Raise UsageError for a word that is none."""
    from billclock.scheduler.models import Outcome

    plain = word.strip().lower().replace("-", " ").replace("_", " ")
    if plain != RUNNING and plain not in Outcome.values:
        known = ", ".join([RUNNING, *Outcome.values])
        raise UsageError(f"--outcome: {word!r} is not one of {known}")
    return "" if plain == RUNNING else plain


def _facts(row: Run) -> dict[str, object]:
    """Give a run as a JSON object: seconds, KiB and bytes, moments with their offset."""
    plain = (
        *("attempt", "trigger", "actor", "planned", "started", "finished", "reason", "exit_code"),
        *("signal", "cpu", "memory", "output_size", "host", "user"),
    )
    return {
        "run": row.pk,
        "entry": row.entry_id,
        "table": row.entry.table,
        "command": row.entry.command,
        "description": row.entry.description,
        "outcome": row.outcome or RUNNING,
        "moments": row.slot.count if row.slot else None,
        **{name: getattr(row, name) for name in plain},
    }


def _columns(row: Run) -> tuple[str, ...]:
    began = row.started or row.planned
    took = (row.finished - row.started).total_seconds() if row.started and row.finished else None
    return (
        str(row.pk),
        str(row.entry_id),
        row.entry.table,
        began.astimezone(clock.server_zone()).strftime("%Y-%m-%d %H:%M:%S") if began else "",
        _duration(took),
        _duration(row.cpu),
        "" if row.memory is None else f"{row.memory / MIB:.1f}M",
        _ending(row),
        clipped(row.entry.command),
    )


def _ending(row: Run) -> str:
    """Give the outcome's word, and the code, the signal or the reason that says more."""
    word = row.outcome or RUNNING
    if row.slot and row.slot.count > 1:
        word += f" ×{row.slot.count}"
    if row.exit_code:
        return f"{word} ({row.exit_code})"
    if row.signal:
        return f"{word} (signal {row.signal})"
    return f"{word}: {clipped(row.reason)}" if row.reason else word


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < MINUTE:
        return f"{seconds:.2f}s"
    minutes, rest = divmod(int(seconds), MINUTE)
    return f"{minutes}m{rest:02}s" if seconds < HOUR else f"{minutes // 60}h{minutes % 60:02}m"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [name in RIGHT for name in HEAD]
    return [
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
