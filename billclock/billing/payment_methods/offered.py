"""The known payment methods, and one of them made from its settings."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, cast

from billclock import plugins
from billclock.billing import payment_methods
from billclock.billing.configuration import Field, Surroundings, read
from billclock.billing.errors import PluginSettingsError
from billclock.billing.payment_methods.base import PaymentMethod

GROUP = "billclock.payment_methods"


class MethodClass(Protocol):
    """A class of payment methods: called with one text a field, it makes one."""

    name: str
    fields: tuple[Field, ...]

    def __call__(self, settings: Mapping[str, str], around: Surroundings) -> PaymentMethod:
        """Make the method; connect to nothing yet."""


@cache
def kinds() -> Mapping[str, MethodClass]:
    """Give every kind of method by its name: this package's and those of installed plugins."""
    found: list[Any] = [
        module.METHOD for module in plugins.modules(payment_methods) if hasattr(module, "METHOD")
    ]
    found += plugins.outside(GROUP)
    return {kind.name: cast("MethodClass", kind) for kind in found}


def make(name: str, given: Mapping[str, str], around: Surroundings) -> PaymentMethod:
    """Make a method of this kind; raise PluginSettingsError for wrong settings."""
    if name not in kinds():
        raise PluginSettingsError(name, {"kind": f"none of {', '.join(kinds())}"})
    kind = kinds()[name]
    return kind(read(name, kind.fields, given), around)
