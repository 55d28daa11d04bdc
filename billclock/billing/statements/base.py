"""What a bank's statement says: entries that were booked, and faults of those it says badly."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from billclock.billing import money
from billclock.billing.errors import BillingError, StatementError

LARGEST = 64 << 20  # bytes of a file
MOST = 200_000  # entries of a file
LONGEST_TEXT = 1000
LONGEST_NUMBER = 40

_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One booked movement: `minor` above zero came in, below zero went out.

    `key` is the same whenever the same movement is read again. `bank_reference` is the bank's own
    name for it; `reference` what the payer gave in a field made for references; `text` what he
    wrote. `where` says where in the file it stands. `reversal` marks what takes an earlier
    movement back.
    """

    statement: str
    account: str
    on: date
    minor: int
    currency: str
    party: str = ""
    iban: str = ""
    text: str = ""
    reference: str = ""
    bank_reference: str = ""
    reversal: bool = False
    where: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What could not be read, and where: the entry is left out and must be seen to by a person."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: entries, faults, how many were repeated in it or not yet booked."""

    entries: tuple[StatementEntry, ...]
    faults: tuple[Fault, ...] = ()
    repeated: int = 0
    pending: int = 0


class EntryError(Exception):
    """One entry cannot be read."""


def check_size(data: bytes) -> None:
    """Refuse a file that is empty or no statement by its size."""
    if not data.strip():
        raise StatementError("", "an empty file")
    if len(data) > LARGEST:
        raise StatementError(
            "", f"more than {LARGEST >> 20} MiB", "ask the bank for statements of shorter periods"
        )


def amount(text: str, currency: str) -> int:
    """Read an amount with a decimal point, without a sign, in minor units; raise EntryError."""
    written = text.strip()
    if not (_DIGITS.fullmatch(written) and len(written) <= LONGEST_NUMBER):
        raise EntryError(f"{written[:LONGEST_NUMBER]!r} is not an amount")
    try:
        minor = Decimal(written).scaleb(money.exponent(currency))
        if minor != minor.to_integral_value():
            raise EntryError(f"{written} has more decimals than {currency}")
        return money.bounded(int(minor))
    except (BillingError, InvalidOperation) as error:
        raise EntryError(str(error)) from None


def tidy(*parts: str) -> str:
    """Give texts as one line without odd blanks, cut to what is kept."""
    return " ".join(" ".join(parts).split())[:LONGEST_TEXT]


def gathered(
    sheets: Iterable[Iterable[StatementEntry]],
    faults: Iterable[Fault] = (),
    pending: int = 0,
) -> Reading:
    """Give the entries of sheets their keys, and leave out those that another sheet said before.

    Movements of a sheet that are alike in all the bank says are told apart by their order among
    themselves. The key holds the bank's own reference, or where it gives none, the statement's
    name.
    """
    kept: dict[str, StatementEntry] = {}
    repeated = 0
    for sheet in sheets:
        counts: Counter[str] = Counter()
        for entry in sheet:
            same = _sameness(entry)
            counts[same] += 1
            key = f"{same}-{counts[same]}"
            repeated += key in kept
            kept.setdefault(key, replace(entry, key=key))
    return Reading(tuple(kept.values()), tuple(faults), repeated, pending)


def _sameness(entry: StatementEntry) -> str:
    said = (
        entry.account, entry.bank_reference or f"in {entry.statement}", entry.on.isoformat(),
        str(entry.minor), entry.currency, entry.party, entry.iban, entry.reference, entry.text,
        str(entry.reversal),
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:32]
