"""What a table once held: every text kept with its author and time, compared and brought back."""

import hashlib
import zlib
from datetime import timedelta

from django.db.models import Max

from billclock import clock
from billclock.scheduler.errors import NoVersion
from billclock.scheduler.merging import unified
from billclock.scheduler.models import Version

OUTSIDE = "outside"
KEEP = 50
KEEP_FOR = timedelta(days=90)


def digest(data: bytes | None) -> str:
    """Give the SHA-256 of a table's bytes in hex; an empty string where there is no table."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def record(table: str, data: bytes | None, author: str, note: str = "") -> Version:
    """Keep a text as the table's next version (None: it was removed), and let old ones go.

    To be called inside the transaction that changes the table.
    """
    last = Version.objects.filter(table=table).aggregate(last=Max("number"))["last"] or 0
    version = Version.objects.create(
        table=table,
        number=last + 1,
        digest=digest(data),
        data=zlib.compress(data or b""),
        author=author,
        note=note,
        at=clock.now(),
    )
    _prune(version)
    return version


def text(version: Version) -> bytes | None:
    """Give a version's bytes; None where it says that there was no table."""
    return zlib.decompress(version.data) if version.digest else None


def numbered(table: str, number: int) -> Version:
    """Give one version of a table; raises NoVersion."""
    version = Version.objects.filter(table=table, number=number).first()
    if version is None:
        raise NoVersion(table, number)
    return version


def latest(table: str) -> Version | None:
    """Give the newest version of a table."""
    return Version.objects.filter(table=table).order_by("-number").first()


def shown(table: str, seen: str) -> bytes | None:
    """Give the text whose digest somebody was shown; None where it was no table or is not kept."""
    version = Version.objects.filter(table=table, digest=seen).order_by("-number").first()
    return text(version) if version else None


def before(version: Version) -> bytes | None:
    """Give what the table held before a version was written (None: there was no table).

    Raises NoVersion where that is not known: it is no longer kept, or was before our time.
    """
    if version.number == 1 and version.author != OUTSIDE:
        return None
    return text(numbered(version.table, version.number - 1))


def difference(version: Version) -> list[bytes]:
    """Give what a version changed as the lines of a unified diff; of all there is, if unknown."""
    try:
        old = before(version)
    except NoVersion:
        old = None
    return unified(old or b"", text(version) or b"")


def _prune(newest: Version) -> None:
    """Let versions go that are neither among the last 50 nor of the last 90 days."""
    Version.objects.filter(
        table=newest.table, number__lte=newest.number - KEEP, at__lt=newest.at - KEEP_FOR
    ).delete()
