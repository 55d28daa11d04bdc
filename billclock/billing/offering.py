"""Ways to pay that a provider offers: made and changed, their settings judged by the plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billclock.billing import configuration, keeping
from billclock.billing.configuration import Kind
from billclock.billing.errors import DetailsError
from billclock.billing.keeping import Faults
from billclock.billing.payment_methods import offered
from billclock.billing.payments import Payment, PaymentMethod, StoredMethod

SETTLED = ("code", "provider", "currency")


@transaction.atomic
def add_method(plugin: str, settings: Mapping[str, str], **details: Any) -> PaymentMethod:
    """Make a payment method of a plugin; `details` are facts of PaymentMethod.

    Raises PluginSettingsError for the settings, DetailsError for the facts.
    """
    return _method(PaymentMethod(plugin=plugin), settings, details, {})


@transaction.atomic
def change_method(
    method: PaymentMethod, settings: Mapping[str, str], **details: Any
) -> PaymentMethod:
    """Change a payment method; a secret that is not given again stays as it is.

    Its code, provider and currency stay from the first payment or stored method on.
    """
    row = keeping.locked(method)
    faults: Faults = {}
    settled = keeping.changed(row, details, SETTLED)
    if settled and (_of(Payment, row) or _of(StoredMethod, row)):
        faults = dict.fromkeys(settled, _("It was paid by already: make another method instead."))
    return _method(row, settings, details, faults)


def _of(model: type[Payment | StoredMethod], row: PaymentMethod) -> bool:
    return model.objects.filter(method=row).exists()


def _method(
    row: PaymentMethod, given: Mapping[str, str], details: dict[str, Any], faults: Faults
) -> PaymentMethod:
    if row.plugin not in offered.kinds():
        known = ", ".join(offered.kinds())
        raise DetailsError(row.code, {"plugin": _("There is none of this kind, but: %s.") % known})
    if details.get("least_minor", 0) < 0:
        faults["least_minor"] = _("It can't be below 0.")
    fields = offered.kinds()[row.plugin].fields
    secrets = {field.name for field in fields if field.kind is Kind.SECRET}
    kept = {name: text for name, text in row.settings.items() if name in secrets}
    told = {name: text for name, text in given.items() if text or name not in secrets}
    settings = configuration.read(row.plugin, fields, kept | told)
    return keeping.keep(row, {**details, "settings": settings}, faults)
