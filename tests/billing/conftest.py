"""The bank's server, for tests that fetch rates."""

from collections.abc import Iterator

import pytest

from tests.billing.bank import Bank, bank


@pytest.fixture
def banks() -> Iterator[Bank]:
    with bank() as serving:
        yield serving
