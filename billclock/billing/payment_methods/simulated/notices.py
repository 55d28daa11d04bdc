"""What the simulated gateway tells: events, the notices about them, and their signature."""

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from billclock.billing.errors import BadNoticeError, BadSignatureError
from billclock.billing.payment_methods.base import Event, EventKind, Stored
from billclock.billing.payment_methods.declines import Decline, DeclineClass
from billclock.billing.payment_methods.simulated.store import moment, stamp

HEADER = "Simulated-Signature"
TOLERANCE = timedelta(minutes=5)
LONGEST_SECONDS = 11  # digits
LONGEST = 1 << 16  # bytes; a notice has some hundreds


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice that is due: what an HTTP request to us would carry, and when it is sent."""

    id: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime


def queue(
    link: sqlite3.Connection, event: Mapping[str, object], at: datetime, delays: Sequence[timedelta]
) -> None:
    """Record the event and a notice for each delay."""
    number = link.execute(
        "INSERT INTO events (body) VALUES (?)", [json.dumps({**event, "at": stamp(at)})]
    ).lastrowid
    link.executemany(
        "INSERT INTO notices (event, due) VALUES (?, ?)",
        [(number, stamp(at + delay)) for delay in delays],
    )


def due(link: sqlite3.Connection, until: datetime, secret: str) -> list[Delivery]:
    """Give the notices due by `until`, in order, as sent when due, and count them as sent."""
    rows = link.execute(
        "SELECT notices.id, event, due, body FROM notices JOIN events ON events.id = event"
        " WHERE sent IS NULL AND due <= ? ORDER BY due, notices.id",
        [stamp(until)],
    ).fetchall()
    link.executemany("UPDATE notices SET sent = due WHERE id = ?", [(row["id"],) for row in rows])
    return [_delivery(row, secret) for row in rows]


def again(link: sqlite3.Connection, delivery: Delivery, at: datetime) -> None:
    """Send a notice once more at a moment, as it was not taken."""
    link.execute("UPDATE notices SET sent = NULL, due = ? WHERE id = ?", [stamp(at), delivery.id])


def _delivery(row: sqlite3.Row, secret: str) -> Delivery:
    at = moment(row["due"])
    body = json.dumps({"notice": f"evt_{row['event']}", **json.loads(row["body"])}).encode()
    return Delivery(row["id"], {HEADER: signed(body, at, secret)}, body, at)


def signed(body: bytes, at: datetime, secret: str) -> str:
    """Give the signature of a body sent at a moment: `t=SECONDS,v1=HEX` of HMAC-SHA-256."""
    seconds = int(at.timestamp())
    mark = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={mark}"


def read(
    name: str, headers: Mapping[str, str], body: bytes, secret: str, now: datetime
) -> list[Event]:
    """Give the event of a notice; raise BadSignatureError or BadNoticeError."""
    _check(name, headers, body, secret, now)
    try:
        return [_event(json.loads(body))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadNoticeError(name, f"{type(error).__name__}: {error}") from None


def _check(name: str, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
    given = next((text for key, text in headers.items() if key.lower() == HEADER.lower()), "")
    begin, _, _ = given.partition(",")
    seconds = begin.removeprefix("t=")
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= LONGEST_SECONDS):
        raise BadSignatureError(name, f"no {HEADER} header such as t=SECONDS,v1=HEX")
    at = datetime.fromtimestamp(int(seconds), UTC)
    wanted = signed(body, at, secret)
    if len(body) > LONGEST or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise BadSignatureError(name, "the signature is not that of this body and our secret")
    if abs(now - at) > TOLERANCE:
        raise BadSignatureError(name, f"it was signed at {at:%Y-%m-%d %H:%M:%S} UTC, not just now")


def _event(said: Mapping[str, str]) -> Event:
    decline = said["decline"]
    minor = int(said["minor"])
    return Event(
        kind=EventKind(said["kind"]),
        gateway_id=said["id"],
        notice=said["notice"],
        at=moment(said["at"]),
        key=said["key"],
        payment_id=said["payment"],
        minor=minor,
        currency=said["currency"],
        decline=Decline(DeclineClass(decline), decline) if decline else None,
        stored=Stored(said["token"], said["account"], said["label"]) if said["token"] else None,
    )
