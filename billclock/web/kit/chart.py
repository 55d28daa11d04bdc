"""Drawings of figures by day: a line or bars, with axes, ready for a template's SVG.

Across everything is in per cent, so that words keep their size at any width; a path lies in a
drawing of its own, WIDTH units wide, that is stretched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, log10

from django.utils.formats import date_format, number_format

WIDTH = 1000
TOP, FOOT = 8, 22  # pixels above the drawing, and below it for the days' words
MOST_POINTS = 600
LINES = 4  # of the grid, about
WORDS = 6  # below the drawing, about
LONG = 400  # days of a drawing beyond which its words are years and months

Point = tuple[date, float]


@dataclass(frozen=True)
class Mark:
    """A place of an axis: where it is, in pixels from the top or in per cent, and its word."""

    at: str
    word: str


@dataclass(frozen=True)
class Dot:
    """A day that stands out: per cent across, pixels down, and what it says."""

    x: str
    y: str
    word: str


@dataclass(frozen=True)
class Bar:
    """One day's bar: per cent across and wide, pixels down and high, its kind, what it says."""

    x: str
    width: str
    y: str
    height: str
    kind: str
    word: str


@dataclass(frozen=True)
class Axes:
    """The frame of a drawing: its height in pixels, the base line, and the marks of both axes."""

    height: int
    base: int
    rows: Sequence[Mark]
    days: Sequence[Mark]


@dataclass(frozen=True)
class Line:
    """A line over days: paths of the line and of what is below it."""

    axes: Axes
    path: str
    area: str
    dots: Sequence[Dot]


@dataclass(frozen=True)
class Bars:
    """Bars over days."""

    axes: Axes
    bars: Sequence[Bar]


class Scale:
    """Values to pixels and days to per cent."""

    def __init__(self, first: date, last: date, values: Sequence[float], height: int) -> None:
        low, high = min(values), max(values)
        self.first, self.days = first, max((last - first).days, 1)
        step = _step((high - low) / LINES or abs(high) / LINES or 1.0)
        if all(float(value).is_integer() for value in values):  # what is counted has no halves
            step = max(step, 1.0)
        self.low = floor(low / step) * step
        self.steps = max(-floor(-(high - self.low) / step), 1)
        self.step, self.height = step, height
        self.base = height - FOOT

    def across(self, on: date) -> float:
        """Give per cent from the left."""
        return 100 * (on - self.first).days / self.days

    def down(self, value: float) -> float:
        """Give pixels from the top."""
        share = (value - self.low) / (self.step * self.steps)
        return self.base - share * (self.base - TOP)

    def axes(self) -> Axes:
        """Give the frame."""
        decimals = max(-floor(log10(self.step)), 0)
        values = [self.low + n * self.step for n in range(self.steps + 1)]
        rows = [Mark(f"{self.down(v):.1f}", number_format(v, decimals, force_grouping=True))
                for v in values]  # fmt: skip
        return Axes(self.height, self.base, rows, self._days())

    def _days(self) -> list[Mark]:
        form = "M Y" if self.days > LONG else "j M"
        apart = max(self.days // WORDS, 1)
        days = [self.first + timedelta(days=n) for n in range(0, self.days + 1, apart)]
        return [Mark(f"{self.across(day):.2f}%", date_format(day, form)) for day in days[:-1]]


def line(
    points: Sequence[Point],
    first: date,
    last: date,
    *,
    height: int = 240,
    special: Sequence[tuple[date, float, str]] = (),
) -> Line:
    """Draw points, the oldest first, from a day to a day; the last one holds to the end.

    `special` are days that stand out, with their values and words.
    """
    shown = _thinned(points)
    values = [value for _on, value in shown]
    scale = Scale(first, last, values, height)
    ends = [*shown, (last, shown[-1][1])]
    places = [f"{WIDTH * scale.across(on) / 100:.1f} {scale.down(value):.1f}" for on, value in ends]
    begin, end = places[0].split()[0], places[-1].split()[0]
    path = "M" + "L".join(places)
    return Line(
        scale.axes(),
        path,
        f"{path}L{end} {scale.base}L{begin} {scale.base}z",
        _dots(special, scale),
    )


def _dots(points: Sequence[tuple[date, float, str]], scale: Scale) -> list[Dot]:
    """Place days that stand out."""
    return [
        Dot(f"{scale.across(on):.2f}%", f"{scale.down(value):.1f}", word)
        for on, value, word in points
    ]


def bars(figures: Sequence[tuple[date, float, str, str]], *, height: int = 160) -> Bars:
    """Draw a bar a day (day, value, kind, words), the oldest first, from zero."""
    first, last = figures[0][0], figures[-1][0] + timedelta(days=1)
    scale = Scale(first, last, [0.0, *(value for _on, value, *_said in figures)], height)
    wide = 100 / scale.days
    drawn = [
        Bar(
            f"{scale.across(on) + wide * 0.15:.2f}%",
            f"{wide * 0.7:.2f}%",
            f"{scale.down(value):.1f}",
            f"{max(scale.base - scale.down(value), 0):.1f}",
            kind,
            word,
        )
        for on, value, kind, word in figures
    ]
    return Bars(scale.axes(), drawn)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Keep the lowest and highest of each stretch where there are more points than one can see."""
    if len(points) <= MOST_POINTS:
        return list(points)
    stretch = -(-len(points) * 2 // MOST_POINTS)
    kept: list[Point] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        extremes = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept += sorted(extremes)
    return kept


def _step(about: float) -> float:
    """Give a round number near one: 1, 2 or 5 times a power of ten, not below it."""
    power: float = 10.0 ** floor(log10(about))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= about)
