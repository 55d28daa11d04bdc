"""The audit trail: who did what to what, as it was before and is after, never changed again."""

from secrets import token_hex

from django.http import HttpRequest

from billclock import clock
from billclock.accounts.models import AuditRow
from billclock.cron.findings import storable

REQUEST_ID = "billclock.request_id"


def note(
    actor: str,
    act: str,
    subject: str,
    *,
    table: str = "",
    before: str = "",
    after: str = "",
    request: HttpRequest | None = None,
) -> AuditRow:
    """Write a row: `actor` (an e-mail address) did `act` (as "job.edit") to `subject`.

    `table` is the crontab it concerns, `before` and `after` are texts that can be compared line by
    line. With a `request` its address is kept, and an id that all rows of one request share.
    """
    address = request_id = ""
    if request is not None:
        address = request.META.get("REMOTE_ADDR") or ""
        request_id = request.META.setdefault(REQUEST_ID, token_hex(8))
    return AuditRow.objects.create(
        at=clock.now(),
        actor=actor,
        act=act,
        subject=storable(subject),
        table=storable(table),
        before=storable(before),
        after=storable(after),
        address=address,
        request_id=request_id,
    )
