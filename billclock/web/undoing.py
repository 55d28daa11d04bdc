"""What follows an edit: its row in the audit trail, and the offer to take it back at once."""

from dataclasses import asdict, dataclass

from django.http import HttpRequest

from billclock.accounts import audit
from billclock.scheduler.models import Version
from billclock.scheduler.table import Snapshot
from billclock.web.access import signed_in
from billclock.web.difference import difference

KEY = "undo"


@dataclass(frozen=True)
class Offer:
    """An edit that can be taken back: of which table, its version, and what was done in words."""

    table: str
    version: int
    words: str


def saved(
    request: HttpRequest, act: str, subject: str, before: bytes | None, after: Snapshot, words: str
) -> None:
    """Write an edit that was saved into the audit trail, and offer on the next page to undo it.

    `act` is as "job.disable", `before` the table's former text, `words` what was done, as
    "Switched off: daily billing". Where the text stayed as it was there is nothing to undo.
    """
    if before == after.data:
        return
    changes = difference(before or b"", after.data or b"", context=0, veil=True)
    audit.note(
        signed_in(request).email,
        act,
        subject,
        table=after.name,
        before=changes.before,
        after=changes.after,
        request=request,
    )
    versions = Version.objects.filter(table=after.name, digest=after.digest)
    number = versions.order_by("-number").values_list("number", flat=True).first()
    if number is not None:
        request.session[KEY] = asdict(Offer(after.name, number, words))


def offered(request: HttpRequest) -> Offer | None:
    """Give the edit that was just made, once."""
    found = request.session.pop(KEY, None)
    return Offer(**found) if found else None
