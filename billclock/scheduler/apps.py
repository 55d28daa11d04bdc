"""The scheduler as a Django app."""

from django.apps import AppConfig


class SchedulerConfig(AppConfig):
    """Names the app."""

    name = "billclock.scheduler"
    label = "scheduler"
