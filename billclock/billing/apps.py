"""Billing as a Django app."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    """Names the app; sees to it that its books stay insert-only, and its letters have a way out."""

    name = "billclock.billing"
    label = "billing"

    def ready(self) -> None:
        """Guard the books anew after each migration: SQLite's rebuilt tables lose triggers.

        The channel for letters makes itself known to the outbox, which knows nothing of us.
        """
        post_migrate.connect(_guard, sender=self)
        import_module("billclock.billing.letters.channel")


def _guard(using: str, **_: Any) -> None:
    from billclock.billing import insert_only  # noqa: PLC0415 - the tables load after the apps

    insert_only.guard(connections[using])
