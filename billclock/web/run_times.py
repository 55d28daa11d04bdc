"""When a line was printed, as exactly as the samples of its run tell."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

from billclock.scheduler.models import Run
from billclock.scheduler.samples import Sample
from billclock.web.run_output import Line
from billclock.web.times import Wall


class Times:
    """Dates the lines of one run: by the first sample that saw them, if others did not."""

    def __init__(self, run: Run, wall: Wall, samples: Sequence[Sample] = ()) -> None:
        """Take a run, the clock on the wall and the run's samples."""
        self._started = run.started
        self._wall = wall
        self.samples = samples
        self.seen_at: datetime | None = None

    def of(self, line: Line) -> tuple[str, str]:
        """Give when a line was there: by the clock, and since the start; both empty if unknown.

        A line that no sample saw yet is from `seen_at`, for who looks all the time.
        """
        if self._started is None:
            return "", ""
        at = bisect_left(self.samples, line.end, key=lambda sample: sample.printed)
        if at == len(self.samples) and self.seen_at:
            moment = self.seen_at
        # the first sample comes late: what it saw may be from any moment before
        elif 0 < at < len(self.samples):
            moment = self._started + timedelta(seconds=self.samples[at].since)
        else:
            return "", ""
        minutes, seconds = divmod(int((moment - self._started).total_seconds()), 60)
        return f"{moment.astimezone(self._wall.zone):%H:%M:%S}", f"{minutes}:{seconds:02d}"
