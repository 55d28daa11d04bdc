"""Notices that somebody set the clock: wall clock against the seconds since the machine started."""

from billclock import clock

STEP = 30.0  # seconds; less is a clock being trimmed, and its moments are merely late


class Clockwatch:
    """Remembers how far the wall clock stands from the machine's own count."""

    def __init__(self) -> None:
        """Begin with the clock as it stands."""
        self.offset = clock.seconds() - clock.since_boot()

    def step(self) -> float:
        """Give the seconds by which the clock was set since the last look; 0.0 for not at all."""
        offset = clock.seconds() - clock.since_boot()
        step, self.offset = offset - self.offset, offset
        return step if abs(step) >= STEP else 0.0


def boot_id() -> str:
    """Name this start of the machine (random(4): /proc/sys/kernel/random/boot_id)."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123
        return file.read().strip()
