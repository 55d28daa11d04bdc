"""The bank's server, for tests that fetch rates; both engines, for tests of the books."""

from collections.abc import Iterator

import pytest

from tests.billing.bank import Bank, bank
from tests.billing.engines import on_postgresql


@pytest.fixture
def banks() -> Iterator[Bank]:
    with bank() as serving:
        yield serving


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """Run a test on SQLite and again on PostgreSQL: `pytestmark = usefixtures("engine")`."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    with on_postgresql(request.getfixturevalue("postgres_database")):
        yield "postgresql"
