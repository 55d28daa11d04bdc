"""What the daemon has done aside, by a short process of its own: mail, heartbeat, pruning, figures.

The loop itself never waits for a mail relay, an outside address or the default database.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError

from billclock import clock
from billclock.outbox.models import Message
from billclock.scheduler import chosen

log = logging.getLogger("billclock.scheduler")

LOOK_EVERY = 60.0  # seconds between two looks for messages whose time has come
BEAT_EVERY = 60.0
PRUNE_EVERY = 3600.0
RECKON_EVERY = 600.0
SETTLE = 5.0  # seconds after the start, in which the fork server gets ready
AGAIN_AFTER = 1.0  # seconds after which an errand that is still out is asked for again


class Runner(Protocol):
    """Whoever runs our own internal commands, one of a kind at a time."""

    def internal(self, arguments: Sequence[str]) -> bool:
        """Run `billclock ARGUMENT…` aside; False while the same is still running."""


class Errands:
    """Knows when each errand is due next; times are seconds since the machine started."""

    def __init__(self, runner: Runner) -> None:
        """Begin with mail soon, since a former daemon may have left some."""
        now = clock.since_boot()
        self._runner = runner
        self._mail_at = now + SETTLE
        self._beat_at = now
        self._prune_at = now + LOOK_EVERY
        self._reckon_at = now + LOOK_EVERY / 2
        self._reports = True

    def report_soon(self) -> None:
        """Say that runs have ended whose reports are due."""
        self._reports = True
        self._mail_at = min(self._mail_at, clock.since_boot())

    def run(self) -> None:
        """Send out what is due."""
        now = clock.since_boot()
        if now >= self._mail_at:
            self._mail_at = now + self._mail()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_EVERY
            if self._watched():
                self._go("deliver", "--heartbeat")
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            self._go("prune")
        if now >= self._reckon_at:
            self._reckon_at = now + RECKON_EVERY
            self._go("reckon")

    def due_in(self) -> float:
        """Give the seconds until `run` has something to do."""
        first = min(self._mail_at, self._beat_at, self._prune_at, self._reckon_at)
        return max(0.0, first - clock.since_boot())

    def _mail(self) -> float:
        """Have mail written and sent where there is any; give the seconds until the next look."""
        if not self._reports and not self._messages_due():
            return LOOK_EVERY
        # without a mail server the reports wait in the outbox, where Problems tells of them
        if not (self._go("deliver") if settings.SMTP else self._go("deliver", "--reports")):
            return AGAIN_AFTER
        self._reports = False
        return LOOK_EVERY

    def _messages_due(self) -> bool:
        try:
            at = clock.now()
            due = Message.objects.due(at)
            if not settings.SMTP:  # mail waits for a server: webhooks do not
                return due.filter(channel="webhook").exists()
            return due.exists() or Message.objects.ripe(at).exists()
        except DatabaseError as error:
            log.warning("the outbox can't be read: %s", error)
            return False

    def _watched(self) -> bool:
        """Tell whether an address wants to hear that all is well."""
        try:
            return bool(chosen.in_force().heartbeat_url)
        except DatabaseError as error:
            log.warning("the settings can't be read: %s", error)
            return False

    def _go(self, *arguments: str) -> bool:
        try:
            return self._runner.internal(arguments)
        except OSError as error:
            log.warning("billclock %s could not be started: %s", arguments[0], error)
            return True
