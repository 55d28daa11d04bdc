"""Acts on messages: put one in, lease some, settle what became of them, let them wait."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from billclock import clock
from billclock.outbox.channels import Answer, Letter
from billclock.outbox.models import LEASE, LONGEST_WAIT, Message, MessageQuerySet, State

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30))
"""The waits after the first tries; LONGEST_WAIT after each later one."""

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
MOST_TRIES = 100
"""About four days; then the message is given up, visibly."""


def put(letter: Letter, *, held_until: datetime | None = None) -> bool:
    """Put a letter into the outbox; False when one of its dedupe key is there already.

    With `held_until` its sender keeps it back and releases it himself.
    """
    _, new = Message.objects.get_or_create(
        dedupe_key=letter.dedupe_key,
        defaults={
            "channel": letter.channel,
            "group": letter.group,
            "topic": letter.topic,
            **_written(letter),
            "created": letter.at,
            "state": State.HELD if held_until else State.QUEUED,
            "next_try": held_until or letter.at,
        },
    )
    return new


def let_go(letter: Letter) -> None:
    """Give a held message, found by its dedupe key, the text of `letter` and queue it."""
    Message.objects.filter(dedupe_key=letter.dedupe_key, state=State.HELD).update(
        **_written(letter),
        state=State.QUEUED,
        next_try=letter.at,
    )


def _written(letter: Letter) -> dict[str, Any]:
    """Give the fields that a letter's text fills, as every database keeps them."""
    recipients = [_storable(recipient) for recipient in letter.recipients]
    return {
        "sender": _storable(letter.sender),
        "recipients": recipients,
        "outstanding": list(recipients),
        "subject": _storable(letter.subject),
        "headers": [[_storable(part) for part in header] for header in letter.headers],
        "body": _storable(letter.body),
        "payload": dict(letter.payload),
    }


def _storable(text: str) -> str:
    """Put a mark in place of what no database keeps as text: NUL, and bytes that were no UTF-8.

    One letter that can't be written would keep those of all others from being written.
    """
    return _NO_TEXT.sub("\ufffd", text)


def lease(channel: str, owner: str, *, most: int) -> list[Message]:
    """Take up to `most` messages that are due, for LEASE; nobody else gets them meanwhile.

    Those tried least come first, so that one that always fails holds up no other; those whose
    deliverer vanished come last, since it may have been for their sake.
    """
    at = clock.now()
    with transaction.atomic(using=Message.objects.db):
        ours = Message.objects.filter(channel=channel).select_for_update(skip_locked=True)
        ids = list(_keys(ours.waited(at))[:most])
        if len(ids) < most:
            ids += _keys(ours.abandoned(at))[: most - len(ids)]
        Message.objects.filter(id__in=ids).update(
            state=State.SENDING, lease_owner=owner, lease_until=at + LEASE
        )
    return list(Message.objects.filter(id__in=ids).order_by("attempts", "next_try", "id"))


def _keys(messages: MessageQuerySet) -> "models.QuerySet[Message, int]":
    return messages.order_by("attempts", "next_try", "id").values_list("id", flat=True)


def settle(message: Message, answer: Answer) -> State:
    """Write what became of a message we hold; give its state."""
    at = clock.now()
    addressed = [] if answer.unsent else message.outstanding or list(answer.addressed)
    reached = set(addressed) - answer.refused.keys() - answer.delayed.keys()
    message.recipients = message.recipients or addressed
    message.subject = message.subject or answer.subject
    message.outstanding = [r for r in addressed if r in answer.delayed]
    message.refused |= answer.refused
    message.attempts += 1
    message.last_error = answer.unsent or _told(message.refused | dict(answer.delayed))
    if reached and message.sent_at is None:
        message.sent_at = at
    if message.outstanding and message.attempts < MOST_TRIES:
        message.state, message.next_try = State.QUEUED, at + wait(message.attempts)
    elif answer.unsent and message.sent_at is None:
        message.state = State(answer.fate)
    else:
        message.state = State.FAILED if message.refused or message.outstanding else State.SENT
    _give_up_lease(message)
    return State(message.state)


def set_back(message: Message, reason: str) -> datetime:
    """Let a message wait whose channel failed while it was tried; give the moment of its retry."""
    message.attempts += 1
    message.last_error = reason
    message.next_try = clock.now() + wait(message.attempts)
    message.state = State.QUEUED if message.attempts < MOST_TRIES else State.FAILED
    _give_up_lease(message)
    return message.next_try


def postpone(channel: str, until: datetime, reason: str) -> int:
    """Let all that is due by a failed channel wait as long; give how many there are."""
    return (Message.objects.filter(channel=channel, state=State.QUEUED, next_try__lt=until)).update(
        next_try=until, last_error=reason
    )


def release(messages: Sequence[Message]) -> None:
    """Give back messages that were leased and not tried."""
    for message in messages:
        message.state = State.QUEUED
        _give_up_lease(message)


def note_waiting(channel: str, reason: str) -> int:
    """Say of all that waits for an unready channel why it does; give how many there are."""
    waiting = Message.objects.filter(channel=channel, state=State.QUEUED)
    waiting.exclude(last_error=reason).update(last_error=reason)
    return waiting.count()


def again(chosen: MessageQuerySet) -> int:
    """Queue messages that are in nobody's hands for a try at once, to those who refused it too.

    Give how many there were.
    """
    count = 0
    for message in chosen.filter(state__in=(State.QUEUED, State.FAILED)):
        untouched = Message.objects.filter(id=message.id, state=message.state)
        count += untouched.update(
            outstanding=[*message.outstanding, *message.refused],
            refused={},
            attempts=0,
            next_try=clock.now(),
            last_error="",
            state=State.QUEUED,
        )
    return count


def prune(before: datetime, group: str, *, most: int = 500) -> int:
    """Delete messages of groups that begin with `group`, older than `before`; give how many."""
    old = Message.objects.filter(created__lt=before, group__startswith=group)
    ids = list(old.order_by("created").values_list("id", flat=True)[:most])
    return Message.objects.filter(id__in=ids).delete()[0]


def wait(attempts: int) -> timedelta:
    """Give the time between the try of this number (from 1) and the next."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else LONGEST_WAIT


def _give_up_lease(message: Message) -> None:
    """Write what changed, unless the lease ran out and another deliverer has it."""
    Message.objects.filter(
        id=message.id, state=State.SENDING, lease_owner=message.lease_owner
    ).update(
        state=message.state,
        subject=message.subject,
        recipients=message.recipients,
        outstanding=message.outstanding,
        refused=message.refused,
        attempts=message.attempts,
        next_try=message.next_try,
        last_error=message.last_error,
        sent_at=message.sent_at,
        lease_until=None,
        lease_owner="",
    )


def _told(reasons: dict[str, str]) -> str:
    return "; ".join(f"{recipient}: {reason}" for recipient, reason in reasons.items())
