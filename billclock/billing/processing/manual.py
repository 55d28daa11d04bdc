"""No machine at all: people do everything, each operation is a task for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from billclock.billing.configuration import Field, Surroundings
from billclock.billing.errors import ProcessingError
from billclock.billing.processing.base import Answer, Features, Order, Seen, Use


class Manual:
    """A module that does nothing by itself, and says so."""

    name: ClassVar[str] = "manual"
    fields: ClassVar[tuple[Field, ...]] = ()
    features: Features = Features()

    def __init__(self, settings: Mapping[str, str], around: Surroundings) -> None:
        del settings, around

    def open(self, order: Order) -> Answer:
        """Refuse: people open it."""
        raise self._by_people(order)

    def suspend(self, order: Order) -> Answer:
        """Refuse: people stop it."""
        raise self._by_people(order)

    def resume(self, order: Order) -> Answer:
        """Refuse: people let it run."""
        raise self._by_people(order)

    def change(self, order: Order) -> Answer:
        """Refuse: people change it."""
        raise self._by_people(order)

    def close(self, order: Order) -> Answer:
        """Refuse: people take it away."""
        raise self._by_people(order)

    def sync(self, order: Order) -> Seen:
        """Refuse: people know."""
        raise self._by_people(order)

    def usage(self, asked: Sequence[Order]) -> Iterable[Use]:
        """Tell nothing: people enter readings."""
        del asked
        return ()

    def _by_people(self, order: Order) -> ProcessingError:
        return ProcessingError(
            self.name,
            f"service {order.service} is worked on by hand",
            retry=False,
            mend="do it, then set its task done",
        )


MODULE = Manual
