"""The table of what is to leave the machine, has left it, or could not."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from billclock.outbox.channels import Letter

LEASE = timedelta(minutes=5)
"""How long a deliverer may hold a message; after a kill -9 it is free again that much later."""

LONGEST_WAIT = timedelta(hours=1)
"""The longest time between two tries."""

LONGEST_HOLD = timedelta(days=1)
"""The longest time a sender may hold a message back."""


class State(models.TextChoices):
    """Where a message is: waiting, in somebody's hands, gone, given up, kept back on purpose.

    DROPPED is a message that nobody needs any more, UNWANTED one whose readers want none such:
    they were sent to nobody, and that is well.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    HELD = "held"
    DROPPED = "dropped"
    UNWANTED = "unwanted"


class MessageQuerySet(models.QuerySet["Message"]):
    """Questions about many messages."""

    def due(self, at: datetime) -> "MessageQuerySet":
        """Keep those to be tried at `at`, and those whose deliverer vanished.

        A wait twice as long as any we write comes of a clock that was set back: it is over.
        """
        # not one condition with "or": SQLite would read the whole table, all that was ever sent
        waited, abandoned = (found.values("pk") for found in (self.waited(at), self.abandoned(at)))
        return self.filter(Q(pk__in=waited) | Q(pk__in=abandoned))

    def waited(self, at: datetime) -> "MessageQuerySet":
        """Keep those that wait for nothing but a deliverer."""
        over = Q(next_try__lte=at) | Q(next_try__gt=at + 2 * LONGEST_WAIT)
        return self.filter(over, state=State.QUEUED)

    def abandoned(self, at: datetime) -> "MessageQuerySet":
        """Keep those whose deliverer vanished while it had them."""
        over = Q(lease_until__lte=at) | Q(lease_until__gt=at + 2 * LEASE)
        return self.filter(over, state=State.SENDING)

    def ripe(self, at: datetime) -> "MessageQuerySet":
        """Keep those held by their sender until a moment that has come, or is absurdly far."""
        far = at + 2 * LONGEST_HOLD
        return self.filter(Q(next_try__lte=at) | Q(next_try__gt=far), state=State.HELD)

    def undelivered(self) -> "MessageQuerySet":
        """Keep those a person should know of: given up, or waiting after something went wrong."""
        failed = self.filter(state=State.FAILED).values("pk")
        waiting = self.filter(state=State.QUEUED).exclude(last_error="").values("pk")
        return self.filter(Q(pk__in=failed) | Q(pk__in=waiting))


class Message(models.Model):
    """One message by one channel to its recipients; `dedupe_key` keeps it from being put twice.

    `group` is what limits count (a table's reports), `topic` what it is about (an entry).
    `outstanding` are the recipients not yet served, `refused` those who never will be, with the
    reason. `headers` is a list of [name, value]; `payload` holds what the channel or the sender
    needs besides. A message without recipients is one whose channel finds out to whom it goes.
    """

    channel = models.CharField(max_length=32)
    dedupe_key = models.CharField(max_length=320, unique=True)
    group = models.CharField(max_length=320, blank=True)
    topic = models.CharField(max_length=255, blank=True)
    sender = models.CharField(max_length=512, blank=True)
    recipients = models.JSONField(default=list)
    outstanding = models.JSONField(default=list)
    refused = models.JSONField(default=dict)
    subject = models.TextField(blank=True)
    headers = models.JSONField(default=list)
    body = models.TextField(blank=True)
    payload = models.JSONField(default=dict)
    created = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=64, blank=True)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)

    objects: ClassVar[MessageQuerySet] = MessageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = (
            models.Index(fields=("group", "created"), name="message_of_group"),
            models.Index(fields=("topic", "-id"), name="message_of_topic"),
            models.Index(fields=("created",), name="message_by_age"),
            # one a state: SQLite takes an index of a part only where a query names that part
            models.Index(
                fields=("channel", "attempts", "next_try"),
                name="message_queued",
                condition=Q(state="queued"),
            ),
            models.Index(
                fields=("lease_until",), name="message_sending", condition=Q(state="sending")
            ),
            models.Index(fields=("next_try",), name="message_held", condition=Q(state="held")),
            models.Index(fields=("id",), name="message_failed", condition=Q(state="failed")),
        )

    @property
    def letter(self) -> Letter:
        """Give what a channel needs to send it."""
        return Letter(
            channel=self.channel,
            dedupe_key=self.dedupe_key,
            recipients=tuple(self.recipients),
            at=self.created,
            sender=self.sender,
            subject=self.subject,
            body=self.body,
            headers=tuple((name, value) for name, value in self.headers),
            payload=self.payload,
            group=self.group,
            topic=self.topic,
        )
