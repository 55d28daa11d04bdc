"""What the simulated gateway does for each call, once; its caller replays answers and adds faults.

Each act takes a connection in a transaction, the request and how the call goes, and gives the
answer: a mapping of texts and numbers with at least `state` or `refused`.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billclock.billing.payment_methods.base import EventKind, State
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.simulated import notices
from billclock.billing.payment_methods.simulated.faults import Call, Fault, Faults
from billclock.billing.payment_methods.simulated.store import stamp

OPEN = "open"
OPEN_FOR = timedelta(hours=24)
LONGEST_NUMBER = 15
Answer = dict[str, Any]
Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """One call's workplace: the store, the moment, and who decides on notices."""

    link: sqlite3.Connection
    at: datetime
    faults: Faults

    def tell(self, kind: EventKind, **said: object) -> None:
        """Queue the notices of an event."""
        blank = dict.fromkeys(
            ("id", "key", "payment", "currency", "decline", "token", "account", "label"), ""
        )
        event = {**blank, "minor": 0, "kind": kind, **said}
        delays = self.faults.notices(f"{kind}/{event['key'] or event['id']}")
        notices.queue(self.link, event, self.at, delays)

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Give the first row, or None."""
        row: sqlite3.Row | None = self.link.execute(sql, values).fetchone()
        return row


def refused(why: str) -> Answer:
    """Give the answer to a request that is wrong."""
    return {"refused": why}


def charge(desk: Desk, request: Request, call: Call) -> Answer:
    """Take money from a stored card, at once or later."""
    card = desk.one("SELECT * FROM cards WHERE token = ?", request["token"])
    if card is None or card["forgotten"]:
        return refused(f"no stored method {request['token']!r}")
    decline = card["behaviour"] or call.decline or ""
    return _answer(_payment(desk, request, call, decline))


def start(desk: Desk, request: Request, call: Call) -> Answer:
    """Open a payment that the client decides on at a page; without a page it is paid at once."""
    if not request["page"]:
        return _answer(_payment(desk, request, call, call.decline or ""))
    ends = desk.at + OPEN_FOR
    number = _insert(desk, request, OPEN, DeclineClass.ABANDONED, ends)
    return {"state": OPEN, "id": f"pay_{number}", "expires": stamp(ends)}


def refund(desk: Desk, request: Request, call: Call) -> Answer:
    """Give back what is left of a captured payment, or a part of it."""
    del call
    number = _number(request["payment"], "pay")
    payment = desk.one("SELECT * FROM payments WHERE id = ?", number)
    if payment is None or payment["state"] != State.CAPTURED:
        return refused(f"no captured payment {request['payment']!r}")
    if desk.one("SELECT 1 FROM disputes WHERE payment = ? AND NOT won", number):
        return refused(f"{request['payment']} is in dispute")
    given = desk.one("SELECT COALESCE(SUM(minor), 0) FROM refunds WHERE payment = ?", number)
    left = payment["minor"] - (given[0] if given else 0)
    if request["currency"] != payment["currency"] or not 0 < request["minor"] <= left:
        return refused(f"{left} {payment['currency']} are left to refund")
    made = desk.link.execute(
        "INSERT INTO refunds (key, payment, minor, at) VALUES (?, ?, ?, ?)",
        [request["key"], number, request["minor"], stamp(desk.at)],
    )
    said = {
        "id": f"re_{made.lastrowid}",
        "minor": request["minor"],
        "currency": payment["currency"],
    }
    desk.tell(EventKind.REFUNDED, key=request["key"], payment=request["payment"], **said)
    return {"state": State.CAPTURED, **said, "at": stamp(desk.at), "decline": ""}


def ask(desk: Desk, request: Request, call: Call) -> Answer:
    """Tell of a key; a key that was never heard of is closed, so that it cannot come late."""
    del call
    payment = desk.one("SELECT * FROM payments WHERE key = ?", request["key"])
    if payment is not None:
        return _answer(payment)
    _close(desk, "charge", request["key"])
    _close(desk, "start", request["key"])
    return {"state": State.ABSENT}


def store(desk: Desk, request: Request, call: Call) -> Answer:
    """Begin to store a card; without a page it is done at once, or later, or never."""
    pending = bool(request["page"]) or call.fault is Fault.PENDING
    wait = call.delay if not request["page"] and call.fault is Fault.PENDING else None
    number = desk.link.execute(
        "INSERT INTO setups (key, account, return_url, state, token, at, due)"
        " VALUES (?, ?, ?, ?, '', ?, ?)",
        [
            request["key"], request["account"] or f"acc_{request['payer']}", request["return_url"],
            State.PENDING, stamp(desk.at), stamp(desk.at + wait) if wait else None,
        ],
    ).lastrowid  # fmt: skip
    if not pending:
        finish_setup(desk, number or 0, "")
    return ask_stored(desk, request, call)


def ask_stored(desk: Desk, request: Request, call: Call) -> Answer:
    """Tell of a setup's key, closing one that was never heard of."""
    del call
    setup = desk.one("SELECT * FROM setups WHERE key = ?", request["key"])
    if setup is None:
        _close(desk, "store", request["key"])
        return {"state": State.ABSENT}
    said = {"token": setup["token"], "account": setup["account"], "label": label(setup["token"])}
    return {"state": setup["state"], "id": f"set_{setup['id']}", **said}


def forget(desk: Desk, request: Request, call: Call) -> Answer:
    """Forget a card; one that is not known is forgotten already."""
    del call
    desk.link.execute("UPDATE cards SET forgotten = 1 WHERE token = ?", [request["token"]])
    return {"state": "forgotten"}


ACTS: Mapping[str, Callable[[Desk, Request, Call], Answer]] = {
    "start": start, "charge": charge, "refund": refund, "ask": ask,
    "store": store, "ask_stored": ask_stored, "forget": forget,
}  # fmt: skip
REPLAYED = frozenset({"start", "charge", "refund", "store"})


def finish_payment(desk: Desk, number: int, decline: str) -> None:
    """End an open or pending payment, captured or declined, and tell of it."""
    state = State.DECLINED if decline else State.CAPTURED
    desk.link.execute(
        "UPDATE payments SET state = ?, decline = ?, due = NULL, at = ? WHERE id = ?",
        [state, decline, stamp(desk.at), number],
    )
    row = desk.one("SELECT * FROM payments WHERE id = ?", number)
    if row is not None:
        kind = EventKind.DECLINED if decline else EventKind.CAPTURED
        desk.tell(
            kind, id=f"pay_{number}", key=row["key"], minor=row["minor"],
            currency=row["currency"], decline=decline,
        )  # fmt: skip


def finish_setup(desk: Desk, number: int, decline: str, behaviour: str = "") -> None:
    """End a setup: a card that will behave so is stored, or the setup has failed; tell of it."""
    setup = desk.one("SELECT * FROM setups WHERE id = ?", number)
    if setup is None:
        return
    token = "" if decline else f"card_{number}"
    state = State.DECLINED if decline else State.CAPTURED
    desk.link.execute(
        "UPDATE setups SET state = ?, token = ?, due = NULL WHERE id = ?", [state, token, number]
    )
    if token:
        desk.link.execute(
            "INSERT INTO cards VALUES (?, ?, ?, 0)", [token, setup["account"], behaviour]
        )
    desk.tell(
        EventKind.STORED_FAILED if decline else EventKind.STORED, id=f"set_{number}",
        key=setup["key"], token=token, account=setup["account"], label=label(token),
        decline=decline,
    )  # fmt: skip


def label(token: str) -> str:
    """Give what a client knows a card by."""
    return f"Simulated •••• {_number(token, 'card') % 10_000:04}" if token else ""


def _payment(desk: Desk, request: Request, call: Call, decline: str) -> sqlite3.Row:
    pending = call.fault is Fault.PENDING
    wait = desk.at + call.delay if pending and call.delay else None
    number = _insert(desk, request, State.PENDING, decline, wait)
    if not pending:
        finish_payment(desk, number, decline)
    row = desk.one("SELECT * FROM payments WHERE id = ?", number)
    if row is None:
        raise LookupError(f"payment {number}")
    return row


def _insert(desk: Desk, request: Request, state: str, decline: str, due: datetime | None) -> int:
    made = desk.link.execute(
        "INSERT INTO payments"
        " (key, minor, currency, reference, return_url, state, decline, at, due)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            request["key"], request["minor"], request["currency"], request["reference"],
            request["return_url"], state, decline, stamp(desk.at),
            stamp(due) if due else None,
        ],
    )  # fmt: skip
    return made.lastrowid or 0


def _answer(row: sqlite3.Row) -> Answer:
    state = State.PENDING if row["state"] == OPEN else row["state"]
    decline = row["decline"] if state == State.DECLINED else ""
    said = {key: row[key] for key in ("minor", "currency", "at")}
    return {"state": state, "id": f"pay_{row['id']}", "decline": decline, **said}


def _close(desk: Desk, act: str, key: str) -> None:
    desk.link.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, '', '')", [act, key])


def _number(name: str, kind: str) -> int:
    digits = name.removeprefix(f"{kind}_")
    return (
        int(digits)
        if digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_NUMBER
        else 0
    )
