"""The last twenty runs as bars: height is duration, colour and mark what deviates."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from billclock.web.history import Past
from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark

STEP, WIDTH, FLOOR, TALLEST, SHORTEST = 6, 4, 28, 20, 3  # units of the drawing, one a pixel
PLACES = 20


@dataclass(frozen=True)
class Spark:
    """One SVG path a kind of outcome, and the same in words for those who do not see it."""

    paths: Sequence[tuple[str, str]]
    words: str


def spark(events: Sequence[Past]) -> Spark | None:
    """Draw the events, the newest at the right; None where nothing happened yet."""
    if not events:
        return None
    longest = max((past.seconds or 0.0 for past in events), default=0.0)
    paths: defaultdict[str, list[str]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for place, past in enumerate(events, PLACES - len(events)):
        shown = mark(past.outcome, started=past.started is not None)
        paths[shown.kind].append(_bar(place * STEP, past, longest, shown))
        counts[past.outcome] += past.count
    words = ", ".join(f"{mark(outcome).word} {count}" for outcome, count in counts.items())
    return Spark([(kind, "".join(bars)) for kind, bars in paths.items()], words)


def _bar(left: int, past: Past, longest: float, shown: Mark) -> str:
    height = float(SHORTEST)
    if past.seconds is not None and longest > 0:
        height += (TALLEST - SHORTEST) * past.seconds / longest
    elif shown.kind == "now":
        height = TALLEST
    bar = f"M{left} {FLOOR}v-{height:.0f}h{WIDTH}v{height:.0f}z"
    if shown.kind == "bad":  # a cross above, so that colour is not alone
        bar += f"M{left} {FLOOR - height - 6:.0f}l4 4m0-4l-4 4"
    return bar
