"""Something that fails for a time: tried again at a measured pace, told when it changes."""

import logging

from billclock import clock

log = logging.getLogger("billclock.scheduler")

AGAIN = 1.0  # seconds between two tries
TELL_EVERY = 3600.0  # seconds after which a failure that goes on is told again


class Trouble:
    """One thing that the daemon goes on trying; `what` begins what is told of it."""

    def __init__(self, what: str) -> None:
        """Begin without trouble."""
        self._what = what
        self._error = ""
        self._again_at = 0.0
        self._told_at = 0.0

    def __bool__(self) -> bool:
        """Tell whether the last try failed."""
        return bool(self._error)

    @property
    def due_in(self) -> float:
        """Give the seconds until the next try; 0 where there is no trouble."""
        return max(0.0, self._again_at - clock.since_boot()) if self else 0.0

    def failed(self, error: Exception) -> None:
        """Put the next try off, and tell the failure unless it was told just so."""
        now = clock.since_boot()
        if str(error) != self._error or now - self._told_at >= TELL_EVERY:
            log.error("%s: %s", self._what, error)
            self._told_at = now
        self._error = str(error)
        self._again_at = now + AGAIN

    def over(self) -> None:
        """Tell the end of a trouble; without one, nothing happens."""
        if self:
            log.info("%s: that is over", self._what)
        self._error = ""
