"""`billclock statement`: import a bank's statement into a method that is paid by transfer."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billclock.commands.errors import DONE, FAILED, CommandError
from billclock.commands.pointing import counted
from billclock.commands.start import database

if TYPE_CHECKING:
    from billclock.billing.banking import Imported
    from billclock.billing.payments import BankEntry, PaymentMethod


def run(args: Namespace) -> int:
    """Import the file and print what became of it; end with 1 where a part could not be read."""
    database()
    from billclock.billing import banking
    from billclock.billing.errors import BillingError

    try:
        done = banking.import_statement(_method(args.method), _content(args.file))
    except BillingError as error:
        raise CommandError(f"{args.file}: {error}") from None
    if args.json:
        print(json.dumps(_values(done), ensure_ascii=False, indent=1))
    else:
        _tell(done)
    return FAILED if done.faults else DONE


def _method(code: str) -> PaymentMethod:
    from billclock.billing.payments import PaymentMethod

    found = PaymentMethod.objects.select_related("provider", "currency").filter(code=code).first()
    if found is None:
        known = ", ".join(PaymentMethod.objects.order_by("code").values_list("code", flat=True))
        raise CommandError(f"there is no payment method {code!r}; there are: {known or 'none'}")
    return found


def _content(place: str) -> bytes:
    """Read a file, - from standard input, no further than a statement may go."""
    from billclock.billing.statements.base import LARGEST

    if place == "-":
        return sys.stdin.buffer.read(LARGEST + 1)
    with Path(place).open("rb") as file:
        return file.read(LARGEST + 1)


def _tell(done: Imported) -> None:
    from billclock.billing.money import Money

    for entry in done.waiting:
        print(f"waits: {_shown(entry)}: {entry.why}")
    for fault in done.faults:
        print(f"not read: {fault.where}: {fault.what}")
    sums = ", ".join(str(Money(minor, code)) for code, minor in done.sums.items())
    print(
        f"{counted(len(done.credited), 'entry')} credited{f' ({sums})' if sums else ''},"
        f" {len(done.waiting)} for a person, {len(done.out)} out, {done.known} known before,"
        f" {done.pending} not booked yet, {len(done.faults)} not read"
    )


def _shown(entry: BankEntry) -> str:
    from billclock.billing.money import Money

    who = entry.name or entry.iban or "nobody named"
    return f"{entry.on} {Money(entry.amount_minor, entry.currency)}, {who}"


def _values(done: Imported) -> dict[str, Any]:
    return {
        "credited": [_plain(entry) for entry in done.credited],
        "waiting": [_plain(entry) for entry in done.waiting],
        "out": [_plain(entry) for entry in done.out],
        "faults": [{"where": fault.where, "what": fault.what} for fault in done.faults],
        "known": done.known,
        "pending": done.pending,
        "sums": done.sums,
    }


def _plain(entry: BankEntry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "on": entry.on.isoformat(),
        "minor": entry.amount_minor,
        "currency": entry.currency,
        "name": entry.name,
        "iban": entry.iban,
        "text": entry.text,
        "why": entry.why,
        "payment": entry.payment.number if entry.payment else "",
    }
