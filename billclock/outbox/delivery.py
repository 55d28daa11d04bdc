"""The round that sends what is due; safe with several deliverers and against kill -9.

A message is marked as being sent before its channel gets it, and as sent after the other side
took it. A deliverer killed between those two leaves a message that goes out once more when its
lease has run out: rather twice than never. Mail then bears the same Message-ID.
"""

import logging
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from billclock.outbox import channels, messages
from billclock.outbox.channels import Channel, ChannelError
from billclock.outbox.models import LEASE, Message, State

BATCH = 20

log = logging.getLogger(__name__)


@dataclass
class Result:
    """How many messages were sent, given up, delayed by the other side, or wait for a channel.

    `dropped` are those that nobody needed any more, or wanted. `problems` says by channel why
    nothing more leaves.
    """

    sent: int = 0
    failed: int = 0
    delayed: int = 0
    waiting: int = 0
    dropped: int = 0
    problems: tuple[str, ...] = ()


def deliver(*, budget: float = 60.0, only: Collection[str] | None = None) -> Result:
    """Send what is due, by all channels or `only` some, for about `budget` seconds.

    The channels take turns, so that a flood on one holds up no other. One that fails costs one
    time-out and is left alone for the rest of the round.
    """
    deadline = time.monotonic() + budget
    result = Result()
    owner = uuid.uuid4().hex
    open_ones = [
        channels.channel(name) for name in channels.names() if only is None or name in only
    ]
    turns = [channel for channel in open_ones if _ready(channel, result)]
    try:
        while turns and time.monotonic() < deadline:
            turns = [channel for channel in turns if _turn(channel, owner, deadline, result)]
    finally:
        for channel in open_ones:
            channel.close()
    return result


def _ready(channel: Channel, result: Result) -> bool:
    reason = channel.unready()
    waiting = messages.note_waiting(channel.name, reason) if reason else 0
    if waiting:
        result.waiting += waiting
        result.problems += (reason,)
    return not reason


def _turn(channel: Channel, owner: str, deadline: float, result: Result) -> bool:
    """Send a batch by a channel; False when it has no more, or failed."""
    batch = messages.lease(channel.name, owner, most=BATCH)
    return bool(batch) and _send(channel, batch, deadline, result)


def _send(channel: Channel, batch: list[Message], deadline: float, result: Result) -> bool:
    """Send a leased batch; False when the channel failed."""
    # Half the lease: the last message begun has the other half to come to its end.
    deadline = min(deadline, time.monotonic() + LEASE.total_seconds() / 2)
    for position, message in enumerate(batch):
        if time.monotonic() >= deadline:
            messages.release(batch[position:])
            break
        try:
            answer = channel.send(message.letter, message.outstanding)
        except ChannelError as error:
            retry = messages.set_back(message, str(error))
            messages.release(batch[position + 1 :])
            result.waiting += 1 + messages.postpone(channel.name, retry, str(error))
            result.problems += (str(error),)
            return False
        except Exception as error:
            # a fault of ours or of this one letter's: the others go on
            log.exception("%s: %s", channel.name, message.dedupe_key)
            messages.set_back(message, f"{type(error).__name__}: {error}")
            result.delayed += 1
            continue
        _count(messages.settle(message, answer), result)
    return True


def _count(state: State, result: Result) -> None:
    if state is State.SENT:
        result.sent += 1
    elif state is State.FAILED:
        result.failed += 1
    elif state in {State.DROPPED, State.UNWANTED}:
        result.dropped += 1
    else:
        result.delayed += 1
