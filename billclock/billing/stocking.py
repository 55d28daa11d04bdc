"""What a company has to sell: processing modules, product types, products, add-ons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billclock.billing import configuration, keeping
from billclock.billing.catalog import AddOn, Cycle, Module, Product, ProductType
from billclock.billing.configuration import Kind
from billclock.billing.errors import DetailsError
from billclock.billing.keeping import Faults
from billclock.billing.processing import offered
from billclock.billing.services import Service, ServiceAddOn

LAST_DAY = 31
COUNTED = (AddOn.Billing.ORDERED, AddOn.Billing.ONCE)
MEASURED = (AddOn.Billing.USED, AddOn.Billing.PEAK)


@transaction.atomic
def add_module(plugin: str, settings: Mapping[str, str], **details: Any) -> Module:
    """Make a processing module of a plugin, its settings checked by the plugin's own fields.

    Raises PluginSettingsError for those, DetailsError for the facts of Module.
    """
    return _module(Module(plugin=plugin), settings, details)


@transaction.atomic
def change_module(module: Module, settings: Mapping[str, str], **details: Any) -> Module:
    """Change a module; a secret that is not given again stays as it is."""
    return _module(keeping.locked(module), settings, details)


def _module(row: Module, given: Mapping[str, str], details: dict[str, Any]) -> Module:
    if row.plugin not in offered.kinds():
        known = ", ".join(offered.kinds())
        raise DetailsError(row.code, {"plugin": _("There is none of this kind, but: %s.") % known})
    fields = offered.kinds()[row.plugin].fields
    secrets = {field.name for field in fields if field.kind is Kind.SECRET}
    kept = {name: text for name, text in row.settings.items() if name in secrets}
    told = {name: text for name, text in given.items() if text or name not in secrets}
    settings = configuration.read(row.plugin, fields, kept | told)
    return keeping.keep(row, {**details, "settings": settings})


@transaction.atomic
def add_type(**details: Any) -> ProductType:
    """Make a product type with the facts of ProductType; raises DetailsError."""
    return keeping.keep(ProductType(), details)


@transaction.atomic
def change_type(kind: ProductType, **details: Any) -> ProductType:
    """Change a product type for all that is billed from now on; its code stays."""
    return keeping.keep(keeping.locked(kind), details)


@transaction.atomic
def add_product(**details: Any) -> Product:
    """Make a product with the facts of Product; raises DetailsError."""
    row = Product(provider=details["provider"])
    return keeping.keep(row, details, _product_faults(details))


@transaction.atomic
def change_product(product: Product, **details: Any) -> Product:
    """Change a product; how and by whom its time is billed stays from its first service on."""
    row = keeping.locked(product)
    faults = _product_faults({"provider": row.provider, **details})
    settled = keeping.changed(row, details, ("cycle", "company", "type"))
    if settled and Service.objects.filter(product=row).exists():
        faults |= dict.fromkeys(settled, _("It has services: make another product instead."))
    return keeping.keep(row, details, faults)


@transaction.atomic
def offer(product: Product, *, orderable: bool) -> None:
    """Let a product be ordered, or no longer; services that there are go on."""
    keeping.keep(keeping.locked(product), {"orderable": orderable})


def _product_faults(details: dict[str, Any]) -> Faults:
    faults: Faults = {}
    company = details.get("company")
    if company is not None and company.provider_id != details["provider"].pk:
        faults["company"] = _("It is a company of another provider.")
    if details.get("cycle", Cycle.PERIODIC) not in Cycle.values:
        faults["cycle"] = _("There is no such cycle.")
    if not 1 <= details.get("prorata_day", 1) <= LAST_DAY:
        faults["prorata_day"] = _("Give a day from 1 to 31.")
    return faults


@transaction.atomic
def add_addon(product: Product, **details: Any) -> AddOn:
    """Make an add-on of a product with the facts of AddOn; raises DetailsError."""
    row = AddOn(product=product)
    return keeping.keep(row, details, _addon_faults(details))


@transaction.atomic
def change_addon(addon: AddOn, **details: Any) -> AddOn:
    """Change an add-on; how it is billed stays from the first service that has it."""
    row = keeping.locked(addon)
    faults = _addon_faults(details)
    settled = keeping.changed(row, details, ["billing"])
    if settled and ServiceAddOn.objects.filter(addon=row).exists():
        faults["billing"] = _("Services have it: make another add-on instead.")
    return keeping.keep(row, details, faults)


def _addon_faults(details: dict[str, Any]) -> Faults:
    faults: Faults = {}
    included, most = details.get("included", 0), details.get("most")
    if included < 0:
        faults["included"] = _("It can't be below 0.")
    if most is not None and most < included:
        faults["most"] = _("The limit can't be below what is included (%d).") % included
    choices = details.get("choices", [])
    if choices and details.get("billing") not in COUNTED:
        faults["choices"] = _("Only what is ordered by number has numbers to choose from.")
    elif any(not included <= choice <= (most or choice) for choice in choices):
        faults["choices"] = _("Each number has to lie between what is included and the limit.")
    return faults
