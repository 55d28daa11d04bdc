"""The outside of jobs: the bank's server, a mail relay; a shop on each of the engines."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.billing.conftest import banks, engine
from tests.billing.shop import Shop
from tests.outbox.relay import Relay, serving

__all__ = ["banks", "engine"]


@pytest.fixture
def shop(engine: str) -> Shop:
    return Shop()


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    """A relay that letters leave through."""
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        yield relay
