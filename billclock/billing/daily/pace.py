"""How many services a chunk has, so that other writers wait under 250 ms on any machine.

A chunk is one write transaction. The books are the same whatever its size, so that it may follow
how long the last ones took: a slow disk gets smaller chunks, a quick one larger.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

AIM = 0.15
"""Seconds that a chunk should take; the rest of the promise is for those that happen to be slow."""

MOST = {"sqlite": 4000, "postgresql": 1500}
"""Services in a chunk beyond which more are not quicker, by engine."""

PART = 2
"""A chunk has at least this part of the most, and the first has it: nothing is known yet.

What a chunk costs whatever its size, as a slow disk's commit, smaller ones would only pay oftener.
"""


@dataclass(slots=True)
class Pace:
    """The size of the next chunk, between `least` and `most` services."""

    size: int
    least: int
    most: int

    @classmethod
    def of(cls, engine: str) -> Pace:
        """Give the pace to begin with on an engine, as Django names its vendor."""
        most = MOST[engine]
        return cls(most // PART, most // PART, most)

    @classmethod
    def held(cls, size: int) -> Pace:
        """Give a pace that stays at `size` services a chunk."""
        return cls(size, size, size)

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Take in how long the block took, where a chunk is done in it."""
        began = time.perf_counter()
        yield
        self.heard(time.perf_counter() - began)

    def heard(self, seconds: float) -> None:
        """Take in how long a chunk took; one alone halves or doubles the size at most."""
        fitting = self.size * AIM / max(seconds, 0.001)
        bounded = min(max(fitting, self.size / 2), self.size * 2)
        self.size = int(min(max(bounded, self.least), self.most))
