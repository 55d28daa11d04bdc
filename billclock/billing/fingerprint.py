"""A hash of the books that does not depend on keys, order or run: equal books, equal hash.

Each row is hashed by what names it to people (numbers, owners, codes); a section's hash is the sum
of its rows' hashes, so that rows may come in any order and none is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import blake2b
from typing import Any

from django.db.models import QuerySet

from billclock.billing.by_hand import HandEntry
from billclock.billing.catalog import AddOn
from billclock.billing.charges import Charge, Reversal
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import LedgerAccount, Transfer
from billclock.billing.notifications import Notice
from billclock.billing.payments import Payment
from billclock.billing.services import Service, Suspension, Verdict

WIDTH = 2**256

_CHARGE = ("service__number", "kind", "addon", "period_start", "generation")
_FIGURES = ("period_end", "quantity", "list_minor", "discount_minor", "net_minor", "tax_minor")
_SIDES = tuple(f"{side}__{field}" for side in ("debit", "credit") for field in ("kind", "owner"))


def sections() -> dict[str, QuerySet[Any, tuple[Any, ...]]]:
    """Give the rows that count, by the part of the books they belong to."""
    return {
        "charges": Charge.objects.values_list(*_CHARGE, *_FIGURES, "on"),
        "reversals": Reversal.objects.values_list(*(f"charge__{f}" for f in _CHARGE), "on"),
        "transfers": Transfer.objects.values_list(*_SIDES, "amount_minor", "currency", "on",
                                                  "cause", "sequence"),
        "balances": LedgerAccount.objects.exclude(balance_minor=0).values_list(
            "kind", "owner", "currency", "exponent", "balance_minor", "floor_minor"
        ),
        "services": Service.objects.values_list(
            "number", "status", "paid_until", "anchor_day", "auto_renew", "stopped_for",
            "unfunded_since",
        ),
        "verdicts": Verdict.objects.values_list(
            "service__number", "on", "sequence", "outcome", "need_minor", "available_minor"
        ),
        "suspensions": Suspension.objects.values_list("service__number", "reason", "on",
                                                      "lifted_on"),
        "payments": Payment.objects.values_list(
            "key", "account__number", "state", "amount_minor", "refunded_minor", "credited_on"
        ),
        "by hand": HandEntry.objects.values_list(
            "key", "account__number", "sort", "amount_minor", "reason", "by", "on"
        ),
        "invoices": Invoice.objects.values_list(
            "key", "kind", "number", "state", "net_minor", "tax_minor", "issued_on", "closed_on"
        ),
        "notices": Notice.objects.values_list(
            "account__number", "kind", "period", "threshold", "why_not"
        ),
    }  # fmt: skip


def take() -> dict[str, str]:
    """Give the hash of each section, and of all of them as `books`."""
    codes = {0: "", **dict(AddOn.objects.values_list("id", "code"))}
    hashes = {name: _section(name, rows, codes) for name, rows in sections().items()}
    whole = blake2b(repr(sorted(hashes.items())).encode(), digest_size=32)
    return {"books": whole.hexdigest(), **hashes}


def _section(name: str, rows: QuerySet[Any, tuple[Any, ...]], codes: dict[int, str]) -> str:
    total = 0
    for row in _named(name, rows.iterator(chunk_size=5000), codes):
        told = "\0".join(_plain(value) for value in row)
        total += int.from_bytes(blake2b(told.encode(), digest_size=32).digest())
    return f"{total % WIDTH:064x}"


def _named(
    name: str, rows: Iterator[tuple[Any, ...]], codes: dict[int, str]
) -> Iterator[tuple[Any, ...]]:
    """Put an add-on's code in place of its key."""
    if name not in {"charges", "reversals"}:
        return rows
    place = _CHARGE.index("addon")
    return ((*row[:place], codes.get(row[place], "?"), *row[place + 1 :]) for row in rows)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)
