"""A bench's findings: a table for people, or JSON."""

import json
from collections.abc import Sequence
from typing import Any


def show(title: str, rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Print rows of the same keys under a title."""
    if as_json:
        print(json.dumps({"title": title, "rows": rows}, indent=1))
        return
    print(f"\n{title}")
    if not rows:
        return
    head = list(rows[0])
    cells = [head, *([_cell(row.get(key)) for key in head] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    for line in cells:
        first, *rest = zip(line, widths, strict=True)
        print("  ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in rest)]))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
