"""The simulated panel as a processing module."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from billclock.billing.configuration import Field, Kind, Surroundings
from billclock.billing.errors import ProcessingError
from billclock.billing.processing.base import (
    Action,
    Answer,
    Features,
    Order,
    Seen,
    State,
    Use,
)
from billclock.billing.processing.simulated.faults import Fault, profile
from billclock.billing.processing.simulated.panel import NotThereError, Panel

FILE = "simulated-panel.sqlite3"


class Simulated:
    """A hosting panel for demonstrations, simulations and tests: nothing is really made."""

    name: ClassVar[str] = "simulated"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("seed", "what its faults are drawn from", default="1", required=False),
        Field(
            "faults", "how much goes wrong", Kind.CHOICE, default="none",
            choices=("none", "calm", "rough"),
        ),
    )  # fmt: skip
    features: Features = Features(frozenset(Action), tells=True, measures=True)

    def __init__(self, settings: Mapping[str, str], around: Surroundings) -> None:
        self.panel = Panel(around.folder / FILE)
        self._chance = profile(settings["faults"], settings["seed"])

    def open(self, order: Order) -> Answer:
        """Make a service."""
        return self._done(Action.OPEN, order)

    def suspend(self, order: Order) -> Answer:
        """Stop a service."""
        return self._done(Action.SUSPEND, order)

    def resume(self, order: Order) -> Answer:
        """Let a service run again."""
        return self._done(Action.RESUME, order)

    def change(self, order: Order) -> Answer:
        """Change a service."""
        return self._done(Action.CHANGE, order)

    def close(self, order: Order) -> Answer:
        """Take a service away."""
        return self._done(Action.CLOSE, order)

    def sync(self, order: Order) -> Seen:
        """Tell how a service is."""
        if self._fault("sync", order) is Fault.TEMPORARY:
            raise ProcessingError(self.name, "no connection", retry=True)
        return self.panel.seen(order)

    def usage(self, asked: Sequence[Order]) -> Iterable[Use]:
        """Tell what is in use of each service that runs or stands there."""
        fault = self._fault("usage", asked[0]) if asked else Fault.NONE
        if fault is not Fault.NONE:
            retry = fault is not Fault.PERMANENT
            raise ProcessingError(self.name, "no connection", retry=retry)
        return self.panel.uses(asked)

    def _done(self, action: Action, order: Order) -> Answer:
        fault = self._fault(action, order)
        if fault is Fault.TEMPORARY:
            raise ProcessingError(self.name, "no connection", retry=True)
        if fault is Fault.PERMANENT:
            raise ProcessingError(
                self.name, "the panel refuses it", retry=False, mend="look at the panel's log"
            )
        if fault is Fault.LOST_REQUEST:
            return Answer(State.UNKNOWN, why="no answer in time")
        try:
            ready = self.panel.carry_out(action, order, slowly=fault is Fault.SLOW)
        except NotThereError:
            what = f"it has no service {order.service}"
            raise ProcessingError(self.name, what, retry=False, mend="open it again") from None
        if fault is Fault.LOST_ANSWER:
            return Answer(State.UNKNOWN, why="no answer in time")
        if not ready:
            return Answer(State.PENDING, why="the panel works on it")
        return Answer(State.DONE, self.panel.seen(order).parameters)

    def _fault(self, act: str, order: Order) -> Fault:
        told = None if act == "sync" else self.panel.told()
        nth = self.panel.count(f"{act} {order.key}")
        return told or self._chance.call(act, order.key, nth)
