"""What became of a stored method's setting up on a date, or why nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from billclock.accounts.models import AuditRow
from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.payments import StoredMethod
from billclock.billing.provider import Provider
from billclock.billing.storing import ENDED, MOMENT, UNFINISHED

JOB = "clean_stalled_stored_methods"


def concluded(key: str, on: date, hours: int) -> str:
    """Say in a sentence what became of a setup on a date, or why nothing; "" for an unknown one."""
    stored = StoredMethod.objects.filter(setup_key=key).select_related("method__provider").first()
    row = AuditRow.objects.filter(act=ENDED, subject=key).order_by("id").first()
    if row is not None:
        return _ended(row, _provider(key), on, hours)
    if stored is None:
        return ""
    provider = stored.method.provider
    if stored.state in UNFINISHED:
        return f"not resolved on {on}: {_waited(provider, stored.changed_at, on, hours)}"
    since = looked.dated(provider, stored.changed_at)
    return f"nothing to resolve on {on}: it is {stored.get_state_display().lower()} since {since}"


def _ended(row: AuditRow, provider: Provider, on: date, hours: int) -> str:
    """Say what is so of a setup whose end was written down."""
    day = looked.dated(provider, row.at)
    if day == on:
        return f"resolved on {on}: {row.after}"
    if day < on:
        return f"nothing to resolve on {on}: it was resolved on {day}, {row.after}"
    begun = datetime.strptime(row.before, MOMENT).replace(tzinfo=UTC)
    return f"not resolved on {on}: {_waited(provider, begun, on, hours)}"


def _waited(provider: Provider, begun: datetime, on: date, hours: int) -> str:
    """Say why a setup that was begun at a moment was not resolved on a date."""
    day = looked.dated(provider, begun)
    if day > on:
        return f"it was begun on {day} only"
    if begun + timedelta(hours=hours) > looked.looked_at(JOB, provider, on):
        return f"it was begun on {day}, and had {hours} hours to be finished"
    return looked.not_looked(JOB, provider, on) or "its gateway gave no clear answer"


def _provider(key: str) -> Provider:
    """Give the provider of a setup's account, whose number its key begins with."""
    return Account.objects.select_related("provider").get(number=key.rpartition("-S")[0]).provider
