"""The screens as a Django app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Names the app."""

    name = "billclock.web"
    label = "web"
