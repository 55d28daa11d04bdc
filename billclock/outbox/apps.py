"""The outbox as a Django app."""

from django.apps import AppConfig

from billclock import plugins
from billclock.outbox import channels


class OutboxConfig(AppConfig):
    """Names the app; makes the channels known, ours and those of installed distributions."""

    name = "billclock.outbox"
    label = "outbox"

    def ready(self) -> None:
        """Import every channel: each registers itself."""
        list(plugins.modules(channels))
        list(plugins.outside("billclock.channels"))
