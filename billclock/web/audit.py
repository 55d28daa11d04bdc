"""The audit trail on the screen: searched and filtered, page by page, one row, and as CSV."""

import csv as csv_format
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from io import StringIO
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billclock.accounts.models import AuditQuerySet, AuditRow, Role, User
from billclock.web import audit_words
from billclock.web.access import signed_in
from billclock.web.difference import difference
from billclock.web.kit.cells import harmless
from billclock.web.numbers import whole
from billclock.web.rows import When, when
from billclock.web.times import Wall
from billclock.web.visible import visible

A_PAGE = 50
MOST_IN_CSV = 50_000
COLUMNS = (
    "id", "at", "actor", "act", "subject", "table", "before", "after", "address", "request_id",
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """What of the trail is asked for, as the address says it; `since` and `until` are days."""

    q: str = ""
    actor: str = ""
    act: str = ""
    table: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, request: HttpRequest) -> "Filters":
        """Read them off an address; a day that is none is left out."""
        given = {name: request.GET.get(name, "").strip()[:255] for name in cls.__annotations__}
        for name in ("since", "until"):
            given[name] = given[name] if _day(given[name]) else ""
        return cls(**given)

    def of(self, user: User, wall: Wall) -> AuditQuerySet:
        """Give the rows they ask for of those that are open to a user, the newest first."""
        exact = {name: value for name, value in asdict(self).items() if value}
        text, since, until = (exact.pop(name, "") for name in ("q", "since", "until"))
        rows = AuditRow.objects.all().open_to(user).filter(**exact).order_by("-id")
        if text:
            rows = rows.saying(text)
        if first := _day(since):
            rows = rows.filter(at__gte=_midnight(first, wall))
        if last := _day(until):
            rows = rows.filter(at__lt=_midnight(last + timedelta(days=1), wall))
        return rows

    @property
    def chosen(self) -> int:
        """Count the filters in use beside the text."""
        return sum(bool(value) for name, value in asdict(self).items() if name != "q")

    @property
    def query(self) -> str:
        """Give them as the query of an address."""
        return urlencode({name: value for name, value in asdict(self).items() if value})


class Line:
    """One row in words, safe to look at."""

    def __init__(self, row: AuditRow, wall: Wall) -> None:
        self.row = row
        self.at: When | None = when(row.at, wall)
        self.act = audit_words.word(row.act)
        self.icon = audit_words.icon(row.act)
        self.actor = visible(row.actor)
        self.subject = visible(row.subject)
        self.table = visible(row.table)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the latest rows, or those before a row (`?before=`): three queries."""
    user, wall, filters = reader(request), Wall.here(), Filters.read(request)
    rows = filters.of(user, wall).defer("before", "after")
    before = whole(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows[: A_PAGE + 1])
    everything = AuditRow.objects.all().open_to(user)
    context = {
        "lines": [Line(row, wall) for row in found[:A_PAGE]],
        "older": found[A_PAGE - 1].pk if len(found) > A_PAGE else None,
        "later": before is not None,
        "filters": filters,
        "acts": _choices(everything, "act", audit_words.word),
        "actors": _choices(everything, "actor", visible),
    }
    return render(request, "audit/list.html", context)


@require_safe
def detail(request: HttpRequest, row: int) -> HttpResponse:
    """Show one row, with what changed from before to after."""
    user, wall = reader(request), Wall.here()
    found = AuditRow.objects.all().open_to(user).filter(pk=row).first()
    if found is None:
        raise Http404(_("There is no such row in the audit trail."))
    changes = difference(_bytes(found.before), _bytes(found.after))
    together = AuditRow.objects.all().open_to(user).filter(request_id=found.request_id)
    same = together.exclude(pk=row).order_by("id")[:A_PAGE] if found.request_id else ()
    context = {
        "line": Line(found, wall),
        "changes": changes,
        "same": [Line(other, wall) for other in same],
    }
    return render(request, "audit/detail.html", context)


@require_safe
def csv(request: HttpRequest) -> HttpResponse:
    """Give the rows asked for as CSV, the newest first, at most MOST_IN_CSV."""
    user, wall, filters = reader(request), Wall.here(), Filters.read(request)
    text = StringIO()
    writer = csv_format.writer(text)
    writer.writerow(COLUMNS)
    for row in filters.of(user, wall)[:MOST_IN_CSV].iterator():
        writer.writerow(harmless(getattr(row, name)) for name in COLUMNS)
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


def reader(request: HttpRequest) -> User:
    """Give the user, who may read the trail; PermissionDenied names the right that he lacks."""
    user = signed_in(request)
    if user.role != Role.ROOT:
        raise PermissionDenied(
            _("The audit trail needs the role Root; yours is %s.") % user.get_role_display()
        )
    return user


def _choices(rows: AuditQuerySet, field: str, word: Callable[[str], str]) -> list[tuple[str, str]]:
    values = rows.order_by(field).values_list(field, flat=True).distinct()[:200]
    return [(value, word(value)) for value in values]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date, wall: Wall) -> datetime:
    return datetime.combine(day, time(), wall.zone)
