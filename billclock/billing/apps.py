"""Billing as a Django app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Names the app."""

    name = "billclock.billing"
    label = "billing"
