"""What the daemon and a starter say to each other over a SEQPACKET socket.

A request travels by marshal, the cheapest form the standard library has, from the daemon to a
process of the same or of lesser rights; what comes back is fixed binary records only.
"""

import marshal
import struct
from typing import Any, NamedTuple

STARTED, REFUSED, ENDED, HELLO = 1, 2, 3, 4
_RECORD = struct.Struct("<qqqqdq")
BATCH = 64
ROOM = BATCH * _RECORD.size


class Record(NamedTuple):
    """A starter's word on a run.

    STARTED: `value` is the process's start in kernel ticks. REFUSED: `value` is an errno and `pid`
    0, or below it the step of `confine` that failed. ENDED: `value` is a wait status; `cpu` in
    seconds, `memory` at its peak in KiB. HELLO: `pid` is the starter's own, `value` says how many
    records follow, of what runs and of what ended lately (which the last daemon may have been
    killed before reading).
    """

    kind: int
    run: int
    pid: int
    value: int
    cpu: float = 0.0
    memory: int = 0


def refused(run: int, error: OSError) -> Record:
    """Give the word on a run that could not be started."""
    return Record(REFUSED, run, -getattr(error, "step", 0), error.errno or 0)


def pack(*records: Record) -> bytes:
    """Write records as one message (BATCH of them at most)."""
    return b"".join(_RECORD.pack(*record) for record in records)


def unpack(message: bytes) -> list[Record]:
    """Read the records of one message."""
    return [Record(*fields) for fields in _RECORD.iter_unpack(message)]


def request(fields: dict[str, Any]) -> bytes:
    """Write a request."""
    return marshal.dumps(fields)


def requested(message: bytes | bytearray) -> dict[str, Any]:
    """Read a request that our own daemon wrote; what follows it in a buffer is left aside."""
    fields: dict[str, Any] = marshal.loads(message)  # noqa: S302 - only from our own daemon
    return fields
