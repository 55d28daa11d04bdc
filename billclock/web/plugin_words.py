"""How plugins and their settings read: kinds, labels, choices; one not known as it is named."""

from collections.abc import Mapping
from typing import Protocol

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billclock.billing.configuration import Field, Kind
from billclock.web.kit.fields import HIDDEN
from billclock.web.retold import retold

KINDS: dict[str, Promise | str] = {
    "bank_transfer": pgettext_lazy("plugin", "bank transfer"),
    "manual": pgettext_lazy("plugin", "people"),
    "simulated": pgettext_lazy("plugin", "simulated, for trials"),
    "stripe": "Stripe",
}
LABELS: dict[str, Promise | str] = {
    "account": pgettext_lazy("bank", "Account"),
    "address": pgettext_lazy("gateway", "Address"),
    "bank": _("Bank"),
    "beneficiary": _("Beneficiary"),
    "bic": _("BIC"),
    "currencies": _("Currencies"),
    "faults": pgettext_lazy("plugin", "Faults"),
    "layout": _("Columns of the CSV"),
    "page": _("Pages for clients"),
    "reference": _("What to name"),
    "secret": pgettext_lazy("gateway", "Secret"),
    "secret_key": _("Secret key"),
    "seed": pgettext_lazy("plugin", "Seed of the faults"),
    "signing_secret": _("Signing secret"),
}
CHOICES: dict[tuple[str, str], Promise | str] = {
    ("reference", "plain"): _("the payment's number"),
    ("reference", "rf"): _("with check digits, RF…"),
    ("faults", "none"): pgettext_lazy("faults", "none"),
    ("faults", "calm"): pgettext_lazy("faults", "few"),
    ("faults", "rough"): pgettext_lazy("faults", "many"),
}


class Plugin(Protocol):
    """What a plugin says of its settings."""

    fields: tuple[Field, ...]


def kind(name: str) -> str:
    """Say which plugin it is."""
    return str(KINDS.get(name, name))


def label(name: str) -> str:
    """Name a setting."""
    return str(LABELS.get(name) or capfirst(name.replace("_", " ")))


def choice(name: str, value: str) -> str:
    """Say what a setting may be."""
    return str(CHOICES.get((name, value), value))


def meaning(field: Field) -> str:
    """Say what a setting is, as a sentence."""
    said = capfirst(retold(field.meaning))
    return f"{said}." if said else ""


def settings(plugin: Plugin | None, given: Mapping[str, str]) -> str:
    """Say what settings are, but the secrets; all of a plugin that is not there may be some."""
    secrets = {one.name for one in plugin.fields if one.kind is Kind.SECRET} if plugin else given
    told = {name: HIDDEN if name in secrets else choice(name, text) for name, text in given.items()}
    return "; ".join(f"{label(name)}: {text}" for name, text in told.items() if text)
