"""What the processing contract needs of each module: calls that fail, and the panel's truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from billclock.billing.configuration import Surroundings
from billclock.billing.processing.base import Action, Answer, Order, ProcessingModule
from billclock.billing.processing.offered import make
from billclock.billing.processing.simulated.faults import Fault
from billclock.billing.processing.simulated.module import Simulated

BEGIN = datetime(2026, 11, 20, 0, 2, tzinfo=UTC)


class Bench(Protocol):
    """A module at its panel, and what a test does at the panel's side."""

    module: ProcessingModule

    def fail(self, *faults: Fault) -> None:
        """Let the next calls that change something go so."""

    def times(self, action: Action, number: str) -> int:
        """Count how often the panel did something to a service."""

    def use(self, number: str, addon: str, amount: int) -> None:
        """Let a service have so much of an add-on in use; for modules that measure."""


def order(key: str = "op-1", *, minutes: int = 0, **given: object) -> Order:
    known = {"service": "S1", "product": "web-s", "client": "c1", "name": "site.example"}
    at = BEGIN + timedelta(minutes=minutes)
    return Order(key, at, **{**known, **given})  # type: ignore[arg-type]


def perform(module: ProcessingModule, action: Action, wanted: Order) -> Answer:
    answer: Answer = getattr(module, action.value)(wanted)
    return answer


@dataclass
class SimulatedBench:
    module: Simulated

    def fail(self, *faults: Fault) -> None:
        self.module.panel.fail(*faults)

    def times(self, action: Action, number: str) -> int:
        return self.module.panel.times(action, number)

    def use(self, number: str, addon: str, amount: int) -> None:
        self.module.panel.use(number, addon, amount)


@contextmanager
def simulated(folder: Path) -> Iterator[SimulatedBench]:
    made = make("simulated", {}, Surroundings(lambda: BEGIN, folder))
    assert isinstance(made, Simulated)
    yield SimulatedBench(made)
