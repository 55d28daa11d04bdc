"""What was changed lately: by the audit trail for who may read it, else by crontabs' versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from billclock.accounts.models import AuditRow, Role
from billclock.scheduler.models import Version
from billclock.web import audit_words, crontabs
from billclock.web.dashboard_card import Look
from billclock.web.rows import When, when
from billclock.web.visible import visible

MOST = 8
SIGNS = Q(act__startswith="sign-") | Q(act__startswith="session.") | Q(act="code.refused")


@dataclass(frozen=True)
class Change:
    """One change: when, who, what was done to what, and where it is told in full."""

    when: When | None
    who: str
    what: str
    subject: str
    url: str


def latest(look: Look) -> Mapping[str, Any]:
    """Give the last changes: one query."""
    return {"changes": _audited(look) if look.user.role == Role.ROOT else _versions(look)}


def _audited(look: Look) -> list[Change]:
    rows = AuditRow.objects.all().open_to(look.user).exclude(SIGNS).order_by("-id")
    return [
        Change(
            when(row.at, look.wall),
            visible(row.actor),
            audit_words.word(row.act),
            visible(row.subject),
            reverse("audit_row", args=[row.pk]),
        )
        for row in rows.defer("before", "after")[:MOST]
    ]


def _versions(look: Look) -> list[Change]:
    names = crontabs.names(look.user)
    rows = Version.objects.filter(table__in=names).order_by("-id").defer("data")
    return [
        Change(
            when(row.at, look.wall),
            visible(row.author),
            visible(row.note),
            visible(row.table),
            f"{reverse('version', args=[row.number])}?table={row.table}",
        )
        for row in rows[:MOST]
    ]
