"""When a line was printed, as exactly as the samples of its run tell."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta

from billclock.scheduler.models import Run
from billclock.scheduler.samples import Sample
from billclock.web.run_output import Line
from billclock.web.times import Wall


class Times:
    """Dates the lines of one run: by the first sample that had seen them."""

    def __init__(self, run: Run, wall: Wall, samples: Sequence[Sample] = ()) -> None:
        """Take a run, the clock on the wall and the run's samples."""
        self._started = run.started
        self._wall = wall
        self.samples = samples

    def of(self, line: Line) -> tuple[str, str]:
        """Give when a line was there: by the clock, and since the start; both empty if unknown."""
        at = bisect_left(self.samples, line.end, key=lambda sample: sample.printed)
        if self._started is None or at == len(self.samples):
            return "", ""
        since = self.samples[at].since
        moment = (self._started + timedelta(seconds=since)).astimezone(self._wall.zone)
        minutes, seconds = divmod(int(since), 60)
        return f"{moment:%H:%M:%S}", f"{minutes}:{seconds:02d}"
