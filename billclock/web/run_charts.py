"""Drawings of one run: CPU and memory while it went on, its duration against the last fifty."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from billclock.scheduler.durations import OF_LAST, of
from billclock.scheduler.models import Run
from billclock.scheduler.samples import Sample
from billclock.web.outcomes import mark
from billclock.web.times import Wall, duration

HEIGHT, WIDTH = 56.0, 360.0  # units of a drawing, one a pixel
MOST_POINTS = 120  # of one curve
A_WORD = 13.0  # units that a word is high
FEWEST = 2  # samples or runs that make a picture
STEP = WIDTH / OF_LAST


@dataclass(frozen=True)
class Curve:
    """One figure over a run: SVG paths of its line and of what is below, and words for both."""

    name: str
    peak: str
    line: str
    area: str


@dataclass(frozen=True)
class Curves:
    """CPU and memory over a run of a length in words."""

    both: tuple[Curve, Curve]
    length: str


@dataclass(frozen=True)
class Bars:
    """How long the last runs took: a path a kind of outcome; heights of p50 and p95 with words."""

    paths: Sequence[tuple[str, str]]
    p50: str
    p95: str
    p50_at: float
    p95_at: float
    words: str

    @property
    def p50_word(self) -> float:
        """Give where the word of p50 stands, clear of the one of p95 above it."""
        return max(self.p50_at, self.p95_at + A_WORD)


def curves(samples: Sequence[Sample]) -> Curves | None:
    """Draw a run's samples; None where there are too few."""
    if len(samples) < FEWEST:
        return None
    last = samples[-1].since
    shares = [
        (after.since, 100 * max(after.cpu - before.cpu, 0.0) / (after.since - before.since))
        for before, after in pairwise([Sample(0.0, 0.0, 0, 0), *samples])
        if after.since > before.since
    ]
    memory = [(sample.since, float(sample.memory)) for sample in samples]
    most, full = max(share for _at, share in shares), max(kib for _at, kib in memory)
    return Curves(
        (
            _curve(_("CPU of one core"), _("peak %d %%") % most, shares, last),
            _curve(_("Memory"), _("peak %s") % filesizeformat(full * 1024), memory, last),
        ),
        duration(last),
    )


def bars(runs: Sequence[Run], shown: Run, wall: Wall) -> Bars | None:
    """Draw how long a job's last runs took (the newest first), the one shown in its own colour.

    One that goes on is as long as it is by now. None where there are too few.
    """
    lengths = [(run, length) for run in reversed(runs) if (length := _seconds(run, wall)) >= 0]
    over = sorted(length for run, length in lengths if run.finished)
    if len(over) < FEWEST:
        return None
    usual, median = of(over), over[len(over) // 2]
    tallest = max(*(length for _run, length in lengths), 0.001)
    paths: dict[str, str] = {}
    for place, (run, length) in enumerate(lengths, OF_LAST - len(lengths)):
        kind = "now" if run.pk == shown.pk else mark(run.outcome).kind if run.outcome else "off"
        paths[kind] = paths.get(kind, "") + _bar(place, length / tallest)
    return Bars(
        list(paths.items()),
        duration(median),
        duration(usual.p95),
        round(HEIGHT * (1 - median / tallest), 1),
        round(HEIGHT * (1 - usual.p95 / tallest), 1),
        _("The last %(count)d runs: half of them took up to %(p50)s, 95 %% up to %(p95)s.")
        % {"count": len(over), "p50": duration(median), "p95": duration(usual.p95)},
    )


def _seconds(run: Run, wall: Wall) -> float:
    """Give how long a run took, or goes on by now; -1 where it never began."""
    if run.started is None or (run.outcome and run.finished is None):
        return -1.0
    return max(((run.finished or wall.now) - run.started).total_seconds(), 0.0)


def _bar(place: int, share: float) -> str:
    height = max(HEIGHT * share, 1.5)
    return f"M{place * STEP:.1f} {HEIGHT:.0f}v-{height:.1f}h{STEP - 1.6:.1f}v{height:.1f}z"


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Keep of each few points the highest: more than a drawing shows make it a block."""
    few = -(-len(points) // MOST_POINTS)
    parts = (points[at : at + few] for at in range(0, len(points), few))
    return [(part[0][0], max(value for _at, value in part)) for part in parts]


def _curve(name: str, peak: str, points: Sequence[tuple[float, float]], last: float) -> Curve:
    most = max(*(value for _at, value in points), 0.001)
    points = _thinned(points)
    places = [f"{WIDTH * at / last:.1f} {HEIGHT * (1 - value / most):.1f}" for at, value in points]
    line = "M" + "L".join(places)
    begin, end = WIDTH * points[0][0] / last, WIDTH * points[-1][0] / last
    return Curve(name, peak, line, f"{line}L{end:.1f} {HEIGHT:.0f}L{begin:.1f} {HEIGHT:.0f}z")
