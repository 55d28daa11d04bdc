"""What goes wrong between us and the simulated gateway: scripted, or drawn from a seed."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from billclock.billing.payment_methods.declines import DeclineClass

NOW = timedelta(0)
_Kind = TypeVar("_Kind")


class Fault(StrEnum):
    """What happens to one call.

    DOWN: no connection. LOST_REQUEST: it never arrives. LATE_REQUEST: it arrives after we gave up
    on it. LOST_ANSWER: it is done, and we never hear so. PENDING: it is answered, and done later.
    """

    NONE = "none"
    DOWN = "down"
    LOST_REQUEST = "lost_request"
    LATE_REQUEST = "late_request"
    LOST_ANSWER = "lost_answer"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Call:
    """How one call goes: `delay` is of a LATE_REQUEST's arrival or a PENDING's end, None: never."""

    fault: Fault = Fault.NONE
    decline: DeclineClass | None = None
    delay: timedelta | None = timedelta(minutes=5)


GOOD = Call()


class Faults(Protocol):
    """Decides how calls go and when notices arrive; the same question has the same answer."""

    def call(self, act: str, key: str, nth: int) -> Call:
        """Say how the `nth` call (from 1) of an act with a key goes."""

    def notices(self, event: str) -> Sequence[timedelta]:
        """Say how long after the event each copy of its notice arrives; none: never."""


@dataclass
class Script:
    """Faults in the order of the calls: of `calls`, then GOOD; `delays` by event, then at once.

    Calls whose act is in `spared` are good and use up nothing.
    """

    calls: list[Call] = field(default_factory=list)
    delays: list[Sequence[timedelta]] = field(default_factory=list)
    spared: frozenset[str] = frozenset({"ask", "ask_stored", "forget"})

    def call(self, act: str, key: str, nth: int) -> Call:
        """Give the next of the script."""
        del key, nth
        return GOOD if act in self.spared or not self.calls else self.calls.pop(0)

    def notices(self, event: str) -> Sequence[timedelta]:
        """Give the next of the script."""
        del event
        return self.delays.pop(0) if self.delays else (NOW,)


@dataclass(frozen=True)
class Chance:
    """Faults drawn from a seed and the call itself, so that their order makes no difference.

    `faults` and `declines` give shares of calls, `late`, `twice` and `never` of notices, all in
    thousandths. A pending payment ends within `slowest`, well or (as `declines`) not.
    """

    seed: str
    faults: Mapping[Fault, int] = field(default_factory=dict)
    declines: Mapping[DeclineClass, int] = field(default_factory=dict)
    late: int = 0
    twice: int = 0
    never: int = 0
    slowest: timedelta = timedelta(hours=6)

    def call(self, act: str, key: str, nth: int) -> Call:
        """Draw a call's fate."""
        dice = random.Random(f"{self.seed}/{act}/{key}/{nth}")  # noqa: S311 - no secret
        fault = _drawn(dice, self.faults) or Fault.NONE
        decline = _drawn(dice, self.declines) if act in {"charge", "start"} else None
        return Call(Fault(fault), decline, self._delay(dice))

    def notices(self, event: str) -> Sequence[timedelta]:
        """Draw when an event is told."""
        dice = random.Random(f"{self.seed}/{event}")  # noqa: S311 - no secret
        draw = dice.randrange(1000)
        if draw < self.never:
            return ()
        first = self._delay(dice) if draw < self.never + self.late else NOW
        return (first, first + self._delay(dice)) if dice.randrange(1000) < self.twice else (first,)

    def _delay(self, dice: random.Random) -> timedelta:
        return timedelta(seconds=dice.randrange(1, int(self.slowest.total_seconds()) + 1))


def _drawn(dice: random.Random, shares: Mapping[_Kind, int]) -> _Kind | None:
    draw = dice.randrange(1000)
    for kind, share in shares.items():
        draw -= share
        if draw < 0:
            return kind
    return None


_USUAL_DECLINES = {
    DeclineClass.INSUFFICIENT_FUNDS: 30,
    DeclineClass.DO_NOT_HONOUR: 12,
    DeclineClass.EXPIRED_CARD: 8,
    DeclineClass.LIMIT: 5,
    DeclineClass.AUTHENTICATION_REQUIRED: 4,
    DeclineClass.LOST_OR_STOLEN: 1,
}


def profile(name: str, seed: str) -> Chance:
    """Give the faults of `none`, `calm` (what a good month shows) or `rough` (a bad one)."""
    if name == "rough":
        trouble = {
            Fault.DOWN: 60, Fault.LOST_REQUEST: 60, Fault.LATE_REQUEST: 40,
            Fault.LOST_ANSWER: 80, Fault.PENDING: 80,
        }  # fmt: skip
        worse = {kind: 4 * share for kind, share in _USUAL_DECLINES.items()}
        return Chance(seed, trouble, worse, late=300, twice=300, never=100)
    if name == "calm":
        trouble = {Fault.DOWN: 1, Fault.LOST_ANSWER: 1, Fault.PENDING: 5}
        return Chance(seed, trouble, _USUAL_DECLINES, late=20, twice=10, never=1)
    return Chance(seed)
