"""The outbox as a Django app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Names the app."""

    name = "billclock.outbox"
    label = "outbox"
