"""The first steps of new books on the overview, until there is a provider."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from billclock.billing.provider import Provider
from billclock.web.dashboard_card import Look

DEMO = ("BILLCLOCK_HOME=~/company ./run billclock demo", "BILLCLOCK_HOME=~/company ./run")


def begin(_look: Look) -> Mapping[str, Any] | None:
    """Say what to enter in which order, each with the address of its form; one query."""
    if Provider.objects.exists():
        return None
    steps = (
        ("providers", _("A provider"), _("Who sells: a name, a currency, a time zone.")),
        ("companies", _("Its company"), _("Whose name, address and tax number invoices bear.")),
        ("products", _("A product and its prices"), _("What is sold, and how it is billed.")),
        ("clients", _("A client and his account"), _("Who buys, and on what terms he pays.")),
    )
    return {
        "steps": [(reverse(f"{name}_new"), what, why) for name, what, why in steps],
        "demo": DEMO,
    }
