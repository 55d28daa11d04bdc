"""The seal of each business day: a hash chain over the transfers, in the order they were posted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

from django.db import transaction

from billclock import clock
from billclock.billing import engine
from billclock.billing.ledger import Seal, Transfer

FIRST = "0" * 64
FIELDS = (
    "id", "debit_id", "credit_id", "amount_minor", "currency", "on", "cause", "source", "sequence",
    "reverses_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Breach:
    """A seal that the transfers of its day no longer give."""

    seal: Seal
    found: str


def seal(on: date) -> Seal | None:
    """Seal a business day, and with it all that was posted since the last seal.

    None where the day, or a later one, is sealed already: what is posted now for a sealed day
    belongs to the next seal.
    """
    last = Seal.objects.order_by("-on").first()
    if last and last.on >= on:
        return None
    upto = _posted()
    counted, digest = _digest(last, upto)
    return _keep(on, upto, counted, digest)


def check() -> Iterator[Breach]:
    """Give the seals that the transfers do not confirm, each against the chain as it was sealed."""
    before: Seal | None = None
    for made in Seal.objects.order_by("on").iterator():
        counted, digest = _digest(before, made.last_transfer)
        if (counted, digest) != (made.transfers, made.digest):
            yield Breach(made, digest)
        before = made


@transaction.atomic
def _keep(on: date, upto: int, counted: int, digest: str) -> Seal:
    return Seal.objects.create(
        on=on, last_transfer=upto, transfers=counted, digest=digest, sealed_at=clock.now()
    )


@transaction.atomic
def _posted() -> int:
    """Give the last transfer with none before it still on its way: writers are waited for."""
    if engine.on_postgresql():
        engine.execute("LOCK TABLE billing_transfer IN SHARE MODE")
    return Transfer.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _digest(before: Seal | None, upto: int) -> tuple[int, str]:
    """Hash the transfers behind a seal up to an id, the seal's own digest first."""
    hashed = blake2b((before.digest if before else FIRST).encode(), digest_size=32)
    counted = 0
    rows = (
        Transfer.objects.filter(id__gt=before.last_transfer if before else 0, id__lte=upto)
        .order_by("id")
        .values_list(*FIELDS)
    )
    for row in rows.iterator(chunk_size=5000):
        hashed.update(repr((*row[:5], row[5].isoformat(), *row[6:])).encode())
        counted += 1
    return counted, hashed.hexdigest()
