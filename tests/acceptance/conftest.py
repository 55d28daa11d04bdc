"""What the acceptance shares: one copy of the checkout, and folders that are prepared already."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import prepared
from tests.acceptance.product import Product, copy_checkout

Making = Callable[..., Product]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("acceptance"))


@pytest.fixture(scope="session")
def started_once(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout with its scripts written."""
    home = prepared.copied(tmp_path_factory.mktemp("prepared") / "home")
    done = Product(checkout, home).billclock("prepare")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return checkout


@pytest.fixture
def product(started_once: Path, tmp_path: Path) -> Product:
    """The product with a prepared folder of its own, not started."""
    return Product(started_once, prepared.copied(tmp_path / "home"))


@pytest.fixture
def fresh(checkout: Path, tmp_path: Path) -> Product:
    """The product with nothing prepared."""
    return Product(checkout, tmp_path / "home")
