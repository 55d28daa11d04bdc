"""The API as a Django app: it has a table of keys."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Names the app."""

    name = "billclock.api"
    label = "api"
