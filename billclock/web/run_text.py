"""Runs by a text in their outputs: looked through from the newest, so much at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from billclock.accounts.models import User
from billclock.scheduler import output
from billclock.scheduler.models import Run
from billclock.web import run_query
from billclock.web.run_query import Query
from billclock.web.times import Wall

MOST_RUNS = 300
MOST_BYTES = 16 << 20
WHOLE = output.HEAD + output.TAIL


@dataclass(frozen=True)
class Looked:
    """What was found among `count` runs; `older` is the place to go on from, empty at the end."""

    runs: Sequence[Run]
    count: int
    older: str


def search(query: Query, user: User, wall: Wall, most: int) -> Looked:
    """Look for `query.text` in the outputs of the runs asked for, in any case of Latin letters.

    It ends after `most` finds, MOST_RUNS runs or MOST_BYTES of output, and says where.
    """
    candidates = run_query.page(replace(query, text=""), user, wall, MOST_RUNS + 1)
    wanted = query.text.encode().lower()
    found: list[Run] = []
    read = count = 0
    for run in candidates[:MOST_RUNS]:
        data = b"" if run.outcome and not run.output_size else kept(run.pk)
        read += len(data)
        count += 1
        if wanted in data.lower():
            found.append(run)
        if len(found) == most or read >= MOST_BYTES:
            break
    more = count < len(candidates)
    return Looked(found, count, query.cursor(candidates[count - 1]) if more else "")


def kept(run: int, gap: bytes = b"") -> bytes:
    """Give all that is kept of an output, some 5 MiB at most; `gap` tells of bytes left out."""
    parts, offset = [], 0
    while (chunk := output.read(run, offset, limit=WHOLE)).data:
        if gap and chunk.left_out:
            parts.append(gap % chunk.left_out)
        parts.append(chunk.data)
        offset = chunk.next
    return b"".join(parts)
