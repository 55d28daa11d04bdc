"""Whether whoever uses a session has lately shown who he is."""

from django.contrib.sessions.backends.base import SessionBase

from billclock import clock

IDLE = 15 * 60.0
"""Seconds without a sign of the user after which he is asked for his second factor again."""

NOTE_EVERY = 60.0
_KEY = "fresh"


def prove(session: SessionBase) -> None:
    """Write down that he has just shown who he is."""
    session[_KEY] = clock.seconds()


def is_fresh(session: SessionBase) -> bool:
    """Tell whether he showed who he is, and was not idle since; a clock set back counts as idle."""
    return 0 <= _age(session) < IDLE


def stay(session: SessionBase) -> None:
    """Write down that he did something, unless he is idle already."""
    if NOTE_EVERY <= _age(session) < IDLE:
        prove(session)


def _age(session: SessionBase) -> float:
    return clock.seconds() - float(session.get(_KEY, 0.0))
