"""The accounts as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Names the app."""

    name = "billclock.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Listen to sign-ins, once the models can be imported."""
        import_module("billclock.accounts.witness").listen()
