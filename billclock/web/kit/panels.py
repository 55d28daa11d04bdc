"""Panels of a row's page: related rows as a table, or a drawing of one's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from billclock.web.kit.columns import Column

Context = Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """A panel: `context` gives its template what it shows of a row; None leaves the panel out."""

    name: str
    title: Promise | str
    template: str = field(kw_only=True)
    context: Callable[[Any, HttpRequest], Context | None] = field(kw_only=True)

    def shown(self, row: Any, request: HttpRequest) -> Context | None:
        """Give what the template needs."""
        return self.context(row, request)


@dataclass(frozen=True)
class Related(Panel):
    """Rows that belong to the row: `rows` gives them in order, the first `most` are shown.

    `link` gives a related row's address, `more` that of all of them; `note` stands in the head.
    A `rare` one is left out where there is no row.
    """

    rows: Callable[[Any], QuerySet[Any]] = field(kw_only=True)
    columns: Sequence[Column] = field(kw_only=True)
    most: int = field(default=20, kw_only=True)
    link: Callable[[Any], str] | None = field(default=None, kw_only=True)
    more: Callable[[Any], str] | None = field(default=None, kw_only=True)
    empty: Promise | str = field(default="", kw_only=True)
    rare: bool = field(default=False, kw_only=True)
    template: str = field(default="kit/related.html", kw_only=True)
    context: Callable[[Any, HttpRequest], Context | None] = field(
        default=lambda _row, _request: {}, kw_only=True
    )

    def shown(self, row: Any, request: HttpRequest) -> Context | None:
        """Give the table's columns and lines: one query."""
        found = list(self.rows(row)[: self.most + 1])
        from_context = self.context(row, request)
        if from_context is None or (self.rare and not found):
            return None
        return {
            **from_context,
            "columns": self.columns,
            "found": found[: self.most],
            "more": self.more(row) if self.more and len(found) > self.most else "",
            "cut": len(found) > self.most,
            "link": self.link,
            "empty": self.empty,
        }
