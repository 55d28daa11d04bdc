"""What a billing job says it did: the figures of its report, where its output ends in one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billclock.scheduler import output
from billclock.web.visible import visible

MOST = 100  # figures and failures that a page shows
_LAST = 64 * 1024  # bytes at the end of an output in which its report is looked for


@dataclass(frozen=True)
class Effects:
    """Counts of what was acted on, what failed and why, and figures by name."""

    done: int
    unchanged: int
    failed: Sequence[tuple[str, str]]
    figures: Sequence[tuple[str, str]]


def effects(run: int) -> Effects | None:
    """Read the report, one object in JSON on the last line of the output; None without one."""
    data = output.read(run, max(output.size(run) - _LAST, 0), limit=_LAST).data
    last = data.rstrip().rpartition(b"\n")[2]
    try:
        told = json.loads(last) if last.startswith(b"{") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("figures"), dict):
        return None
    return Effects(
        _count(told.get("done")),
        _count(told.get("unchanged")),
        _pairs(told.get("failed")),
        _pairs(told["figures"]),
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _pairs(values: Any) -> list[tuple[str, str]]:
    if not isinstance(values, Mapping):
        return []
    return [(visible(str(name)), visible(_told(value))) for name, value in values.items()][:MOST]


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
