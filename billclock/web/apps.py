"""The screens as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Names the app."""

    name = "billclock.web"
    label = "web"

    def ready(self) -> None:
        """Have news of accounts sent, once the models can be imported."""
        import_module("billclock.web.account_mail").listen()
