"""What goes wrong between us and the simulated panel, drawn from a seed where nobody says it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

SLOW = timedelta(minutes=20)
"""How long the panel takes for what it does not do at once."""


class Fault(StrEnum):
    """What happens to one call.

    TEMPORARY: refused, a later try may go well. PERMANENT: refused for good. SLOW: taken on, and
    done after `SLOW`. LOST_REQUEST: it never arrives. LOST_ANSWER: done, and we never hear so.
    """

    NONE = "none"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    SLOW = "slow"
    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"


@dataclass(frozen=True)
class Chance:
    """Faults drawn from a seed and the call itself, in thousandths of calls.

    The same question has the same answer, so the order of calls makes no difference.
    """

    seed: str
    shares: Mapping[Fault, int] = field(default_factory=dict)

    def call(self, act: str, key: str, nth: int) -> Fault:
        """Draw the fate of the `nth` call (from 1) of an act with a key; asking may be refused."""
        draw = random.Random(f"{self.seed}/{act}/{key}/{nth}").randrange(1000)  # noqa: S311
        for fault, share in self.shares.items():
            draw -= share
            if draw < 0:
                return Fault.TEMPORARY if act in {"sync", "usage"} else fault
        return Fault.NONE


_CALM = {Fault.TEMPORARY: 5, Fault.SLOW: 20, Fault.LOST_ANSWER: 1}
_ROUGH = {
    Fault.TEMPORARY: 100, Fault.PERMANENT: 10, Fault.SLOW: 150, Fault.LOST_REQUEST: 60,
    Fault.LOST_ANSWER: 80,
}  # fmt: skip


def profile(name: str, seed: str) -> Chance:
    """Give the faults of `none`, `calm` (what a good month shows) or `rough` (a bad one)."""
    return Chance(seed, {"calm": _CALM, "rough": _ROUGH}.get(name, {}))
