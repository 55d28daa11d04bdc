"""What a processing module is: who opens, stops, resumes, changes and closes services somewhere.

Two rules keep a service what the books say of it, whatever is lost on the way:

- ProcessingError means that nothing was done and nothing will be; `.retry` says whether a later
  try may help. Where the answer was lost the Answer is UNKNOWN, and the module is asked by `sync`
  before the same order is given again. An exception of any other class counts as UNKNOWN.
- An order given again under the same key does no more than it did. Opening what is there, stopping
  what stands and closing what is gone are no errors either.

What a module's features leave out is done by people: a task is written for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from billclock.billing.configuration import Field


class Action(StrEnum):
    """What is done to a service."""

    OPEN = "open"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"
    CHANGE = "change"


class State(StrEnum):
    """How an order ended: done, taken on and done later, or nobody knows."""

    DONE = "done"
    PENDING = "pending"
    UNKNOWN = "unknown"


class Condition(StrEnum):
    """What a service is at the module's side; BUSY: an order is under way."""

    ABSENT = "absent"
    RUNNING = "running"
    STOPPED = "stopped"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Features:
    """What a module does by itself; `tells`: it can be asked by `sync`, `measures`: by `usage`."""

    acts: frozenset[Action] = frozenset()
    tells: bool = False
    measures: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a service, as it shall be after it.

    `key` is unique to the operation and stored before the first call. `parameters` are what the
    client chose and what the module itself told before; `addons` are amounts by code; `reason`
    says why a service is stopped or closed.
    """

    key: str
    at: datetime
    service: str
    product: str
    client: str = ""
    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    addons: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order; `parameters` are facts to be kept with the service (an address)."""

    state: State
    parameters: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as the module has it; empty where it is ABSENT or the module does not say."""

    condition: Condition
    product: str = ""
    addons: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def fulfils(self, action: Action, order: Order) -> bool:
        """Tell whether an order has nothing left to do."""
        match action:
            case Action.CLOSE:
                return self.condition is Condition.ABSENT
            case Action.SUSPEND:
                return self.condition is Condition.STOPPED
            case Action.CHANGE:
                there = self.condition in {Condition.RUNNING, Condition.STOPPED}
                return there and (self.product, self.addons) == (order.product, order.addons)
        return self.condition is Condition.RUNNING


@dataclass(frozen=True, slots=True)
class Use:
    """How much of an add-on a service has in use, in the add-on's units: a level, no difference.

    `at` is the moment of it, with a zone, where the panel knows one; else it is of now.
    """

    service: str
    addon: str
    amount: int
    at: datetime | None = None


class ProcessingModule(Protocol):
    """A processing module. Every call may raise ProcessingError."""

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    features: Features

    def open(self, order: Order) -> Answer:
        """Make a service and let it run."""

    def suspend(self, order: Order) -> Answer:
        """Stop a service and keep what is in it."""

    def resume(self, order: Order) -> Answer:
        """Let a stopped service run again."""

    def change(self, order: Order) -> Answer:
        """Give a service another product or other amounts of add-ons; it runs or stands as before.

        One that is not there is a ProcessingError.
        """

    def close(self, order: Order) -> Answer:
        """Take a service away with all that is in it."""

    def sync(self, order: Order) -> Seen:
        """Tell how a service is; call it when no other call for the service is still running."""

    def usage(self, asked: Sequence[Order]) -> Iterable[Use]:
        """Tell what services use of what is measured of them; what is not known is left out.

        It changes nothing, and takes a minute at most for all that were asked about. Several
        readings of one service come in the order of their moments.
        """
