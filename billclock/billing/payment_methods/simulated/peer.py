"""The simulated gateway: keys are replayed, faults happen on the way, and its truth stays.

It has no clock: whoever calls says what time it is. What was to happen in the meantime (a late
request, a pending payment, a setup) happens first, at its own moment.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from billclock.billing.payment_methods.base import EventKind, State
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.simulated import acts, notices
from billclock.billing.payment_methods.simulated.acts import Answer, Desk, Request
from billclock.billing.payment_methods.simulated.faults import Call, Fault, Faults
from billclock.billing.payment_methods.simulated.notices import Delivery
from billclock.billing.payment_methods.simulated.store import Store, moment, stamp


class DownError(Exception):
    """The call found nobody: nothing was done."""


class NoAnswerError(Exception):
    """The call was sent and nothing came back: what was done is not known."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A payment as the gateway knows it: what was taken, and what was given back of it."""

    key: str
    gateway_id: str
    minor: int
    currency: str
    refunded: int
    disputed: bool


class Peer:
    """A gateway with its store (None: memory), its faults, and the secret that signs notices."""

    def __init__(self, path: Path | None, faults: Faults, secret: str) -> None:
        self.faults = faults
        self.secret = secret
        self._store = Store(path)

    def close(self) -> None:
        """Give back the memory that a store without a path takes."""
        self._store.close()

    def handle(self, now: datetime, act: str, request: Request) -> Answer:
        """Do what a call asks, as its faults allow; raise DownError or NoAnswerError as they say.

        A repeated key gets the first call's answer, or is refused where the request differs.
        """
        with self._store.transaction() as link:
            self._catch_up(Desk(link, now, self.faults))
            call = self.faults.call(act, request["key"], _count(link, act, request["key"]))
            desk = Desk(link, now, self.faults)
            if call.fault is Fault.LATE_REQUEST and act in acts.REPLAYED:
                _delay(desk, act, request, call)
            arrives = call.fault in {Fault.NONE, Fault.LOST_ANSWER, Fault.PENDING}
            answer = self._once(desk, act, request, call) if arrives else {}
        if call.fault is Fault.DOWN:
            raise DownError
        if not arrives or call.fault is Fault.LOST_ANSWER:
            raise NoAnswerError
        return answer

    def deliver(self, until: datetime) -> list[Delivery]:
        """Give the notices that are due by `until`, oldest first; each is given once."""
        with self._store.transaction() as link:
            self._catch_up(Desk(link, until, self.faults))
            return notices.due(link, until, self.secret)

    def again(self, delivery: Delivery, at: datetime) -> None:
        """Deliver a notice again at a moment, as it was not taken."""
        with self._store.transaction() as link:
            notices.again(link, delivery, at)

    def decide(self, now: datetime, gateway_id: str, decline: str = "", card: str = "") -> str:
        """Let the client decide on his page; give where his browser goes then, "" if nowhere.

        `decline` is a class of declines or "" for yes; `card` how a stored card will behave.
        """
        decline, card = (DeclineClass(text) if text else "" for text in (decline, card))
        kind, _, number = gateway_id.partition("_")
        table = {"pay": "payments", "set": "setups"}.get(kind, "payments")
        with self._store.transaction() as link:
            desk = Desk(link, now, self.faults)
            self._catch_up(desk)
            row = desk.one(f"SELECT * FROM {table} WHERE id = ?", number)  # noqa: S608 - our names
            if row is None:
                return ""
            if row["state"] == acts.OPEN:
                acts.finish_payment(desk, row["id"], decline)
            elif table == "setups" and row["state"] == State.PENDING:
                acts.finish_setup(desk, row["id"], decline, card)
            return str(row["return_url"])

    def dispute(self, now: datetime, gateway_id: str, *, won: bool = False) -> None:
        """Let the client's bank take a captured payment back, or (`won`) give it again."""
        number = int(gateway_id.removeprefix("pay_"))
        with self._store.transaction() as link:
            desk = Desk(link, now, self.faults)
            link.execute(
                "INSERT INTO disputes (payment, won) VALUES (?, ?)"
                " ON CONFLICT (payment) DO UPDATE SET won = excluded.won",
                [number, won],
            )
            row = link.execute(
                "SELECT disputes.id, key, minor, currency FROM disputes"
                " JOIN payments ON payments.id = payment WHERE payment = ?",
                [number],
            ).fetchone()
            desk.tell(
                EventKind.DISPUTE_WON if won else EventKind.DISPUTED, id=f"dp_{row['id']}",
                key=row["key"], payment=gateway_id, minor=row["minor"], currency=row["currency"],
            )  # fmt: skip

    def captures(self) -> list[Capture]:
        """Give the truth: every payment that was captured."""
        with self._store.transaction() as link:
            rows = link.execute(
                "SELECT key, id, minor, currency, (SELECT COALESCE(SUM(minor), 0) FROM refunds"
                " WHERE payment = payments.id) AS refunded, EXISTS (SELECT 1 FROM disputes"
                " WHERE payment = payments.id AND NOT won) AS disputed"
                " FROM payments WHERE state = ? ORDER BY id",
                [State.CAPTURED],
            ).fetchall()
        return [
            Capture(
                row["key"], f"pay_{row['id']}", row["minor"], row["currency"], row["refunded"],
                bool(row["disputed"]),
            )
            for row in rows
        ]  # fmt: skip

    def card(self, now: datetime, payer: str, behaviour: str = "") -> Answer:
        """Store a card that is declined so, or never; give its token, account and label."""
        with self._store.transaction() as link:
            desk = Desk(link, now, self.faults)
            number = (
                link.execute(
                    "INSERT INTO setups (key, account, return_url, state, token, at)"
                    " VALUES (?, ?, '', ?, '', ?)",
                    [
                        f"card/{payer}/{stamp(now)}/{behaviour}",
                        f"acc_{payer}",
                        State.PENDING,
                        stamp(now),
                    ],
                ).lastrowid
                or 0
            )
            acts.finish_setup(desk, number, "", behaviour)
            token = f"card_{number}"
        return {"token": token, "account": f"acc_{payer}", "label": acts.label(token)}

    def _catch_up(self, desk: Desk) -> None:
        """Let happen what was due by now, oldest first."""
        rows = desk.link.execute(
            "SELECT due, 'late' AS what, id FROM late WHERE due <= :now"
            " UNION ALL SELECT due, 'payments', id FROM payments WHERE due <= :now"
            " UNION ALL SELECT due, 'setups', id FROM setups WHERE due <= :now ORDER BY due, id",
            {"now": stamp(desk.at)},
        ).fetchall()
        for row in rows:
            then = Desk(desk.link, moment(row["due"]), desk.faults)
            if row["what"] == "late":
                self._arrive(then, row["id"])
            elif row["what"] == "payments":
                payment = then.one("SELECT decline FROM payments WHERE id = ?", row["id"])
                acts.finish_payment(then, row["id"], payment["decline"] if payment else "")
            else:
                acts.finish_setup(then, row["id"], "")

    def _arrive(self, desk: Desk, number: int) -> None:
        row = desk.one("DELETE FROM late WHERE id = ? RETURNING *", number)
        if row is not None:
            decline = DeclineClass(row["decline"]) if row["decline"] else None
            self._once(desk, row["act"], json.loads(row["request"]), Call(decline=decline))

    def _once(self, desk: Desk, act: str, request: Request, call: Call) -> Answer:
        if act not in acts.REPLAYED:
            return acts.ACTS[act](desk, request, call)
        digest = json.dumps(request, sort_keys=True)
        row = desk.one("SELECT * FROM answers WHERE act = ? AND key = ?", act, request["key"])
        if row is not None:
            return _replayed(row["digest"], row["answer"], digest)
        answer = acts.ACTS[act](desk, request, call)
        if "refused" not in answer:
            desk.link.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?)",
                [act, request["key"], digest, json.dumps(answer)],
            )
        return answer


def _replayed(digest: str, answer: str, wanted: str) -> Answer:
    if not digest:
        return acts.refused("this key was asked about before it came, and closed")
    if digest != wanted:
        return acts.refused("this key was used before, for another request")
    replayed: Answer = json.loads(answer)
    return replayed


def _delay(desk: Desk, act: str, request: Request, call: Call) -> None:
    if call.delay is not None:
        desk.link.execute(
            "INSERT INTO late (due, act, request, decline) VALUES (?, ?, ?, ?)",
            [stamp(desk.at + call.delay), act, json.dumps(request), call.decline or ""],
        )


def _count(link: sqlite3.Connection, act: str, key: str) -> int:
    row = link.execute(
        "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1"
        " RETURNING count",
        [act, key],
    ).fetchone()
    return int(row["count"])
