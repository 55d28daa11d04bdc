"""The round that sends what is due; safe with several deliverers and against kill -9.

A message is marked as being sent before its channel gets it, and as sent after the other side
took it. A deliverer killed between those two leaves a message that goes out once more when its
lease has run out: rather twice than never. Mail then bears the same Message-ID.
"""

import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from billclock.outbox import channels, messages
from billclock.outbox.channels import Channel, ChannelError
from billclock.outbox.models import LEASE, Message, State

BATCH = 20


@dataclass
class Result:
    """How many messages were sent, given up, delayed by the other side, or wait for a channel.

    `problems` says by channel why nothing more leaves.
    """

    sent: int = 0
    failed: int = 0
    delayed: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()


def deliver(*, budget: float = 60.0, only: Collection[str] | None = None) -> Result:
    """Send what is due, by all channels or `only` some, for about `budget` seconds.

    A channel that fails costs one time-out and is left alone for the rest of the round.
    """
    deadline = time.monotonic() + budget
    result = Result()
    for name in channels.names():
        if only is None or name in only:
            _deliver_by(channels.channel(name), deadline, result)
    return result


def _deliver_by(channel: Channel, deadline: float, result: Result) -> None:
    reason = channel.unready()
    if reason:
        waiting = messages.note_waiting(channel.name, reason)
        if waiting:
            result.waiting += waiting
            result.problems += (reason,)
        return
    owner = uuid.uuid4().hex
    try:
        while time.monotonic() < deadline:
            batch = messages.lease(channel.name, owner, most=BATCH)
            if not batch or not _send(channel, batch, deadline, result):
                return
    finally:
        channel.close()


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
        _count(messages.settle(message, answer), result)
    return True


def _count(state: State, result: Result) -> None:
    if state is State.SENT:
        result.sent += 1
    elif state is State.FAILED:
        result.failed += 1
    else:
        result.delayed += 1
