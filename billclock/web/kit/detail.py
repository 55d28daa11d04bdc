"""One row of a section: its facts, what can be done to it, its panels."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billclock.accounts.models import Role
from billclock.web.kit import rights
from billclock.web.kit.columns import NOTHING, Column, Switch
from billclock.web.kit.listing import Line, line
from billclock.web.kit.panels import Panel, Related
from billclock.web.kit.section import Section
from billclock.web.times import Wall


@require_safe
def page(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Show a row: a query for it, and those of its panels."""
    user, wall = rights.reader(request, section), Wall.here()
    row = one(section, key)
    acts = [
        (act, act.refusal(row))
        for act in section.acts
        if not act.whole and rights.acts(user, section, act.role)
    ]
    context: dict[str, Any] = {
        "section": section,
        "row": row,
        "name": section.name_of(row),
        "state": section.state.html(row, wall) if section.state else "",
        "facts": list(_facts(section, row, wall)),
        "acts": acts,
        "leading": next((act for act, no in acts if act.leads and not no and act.leads(row)), None),
        "panels": [shown for panel in section.panels if (shown := _panel(panel, row, request))],
        "edit": section.change is not None and rights.acts(user, section),
        "urls": {"act": section.address("act"), "edit": section.address("edit", row.pk)},
        "trail": section.subject(row).partition(":")[0] + ":" if user.role == Role.ROOT else "",
    }
    return render(request, "kit/detail.html", context)


def find(section: Section, key: str) -> Any:
    """Find a row by its key; None where there is none."""
    try:
        return section.rows().filter(pk=key).first()
    except (ValueError, ValidationError, OverflowError):
        return None


def one(section: Section, key: str) -> Any:
    """Find a row by its key; Http404 where there is none."""
    row = find(section, key)
    if row is None:
        raise Http404(_("There is nothing of this number here any more."))
    return row


def lines(panel: Related, found: list[Any]) -> list[Line]:
    """Put related rows into words."""
    wall = Wall.here()
    link = panel.link or (lambda _row: "")
    return [line(None, panel.columns, row, wall, link(row)) for row in found]


def _facts(section: Section, row: Any, wall: Wall) -> Iterator[tuple[Column, SafeString]]:
    """Give what stands above the panels, where it is there; name and state stand in the head."""
    for column in section.facts or section.columns[1:]:
        cell = column.html(row, wall)
        tells = cell != NOTHING or (isinstance(column, Switch) and not column.less)
        if column is not section.state and tells:
            yield column, cell


def _panel(panel: Panel, row: Any, request: HttpRequest) -> dict[str, Any] | None:
    found = panel.shown(row, request)
    if found is None:
        return None
    context = {**found, "panel": panel, "row": row}
    if isinstance(panel, Related):
        context["lines"] = lines(panel, found["found"])
    return context
