"""The classes of one plugin kind: modules of a package, and entry points of a group."""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Import and give every module of `package`, in the order of their names."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def outside(group: str) -> Iterator[object]:
    """Load and give what installed distributions offer under the entry-point `group`."""
    for point in entry_points(group=group):
        yield point.load()
