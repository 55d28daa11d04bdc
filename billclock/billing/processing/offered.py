"""The known processing modules, and one of them made from its settings."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, cast

from billclock import plugins
from billclock.billing import processing
from billclock.billing.configuration import Field, Surroundings, read
from billclock.billing.errors import PluginSettingsError
from billclock.billing.processing.base import ProcessingModule

GROUP = "billclock.processing"


class ModuleClass(Protocol):
    """A class of processing modules: called with one text a field, it makes one."""

    name: str
    fields: tuple[Field, ...]

    def __call__(self, settings: Mapping[str, str], around: Surroundings) -> ProcessingModule:
        """Make the module; connect to nothing yet."""


@cache
def kinds() -> Mapping[str, ModuleClass]:
    """Give every kind of module by its name: this package's and those of installed plugins."""
    found: list[Any] = [
        module.MODULE for module in plugins.modules(processing) if hasattr(module, "MODULE")
    ]
    found += plugins.outside(GROUP)
    return {kind.name: cast("ModuleClass", kind) for kind in found}


def make(name: str, given: Mapping[str, str], around: Surroundings) -> ProcessingModule:
    """Make a module of this kind; raise PluginSettingsError for wrong settings."""
    if name not in kinds():
        raise PluginSettingsError(name, {"kind": f"none of {', '.join(kinds())}"})
    kind = kinds()[name]
    return kind(read(name, kind.fields, given), around)
