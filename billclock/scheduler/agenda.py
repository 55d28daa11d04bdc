"""Which entries are due between two moments; pure, and asleep until the first of them."""

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from billclock.cron import Expression


@dataclass(slots=True)
class Hand:
    """One expression in one zone and the entries that share it: a clock with a single hand."""

    expression: Expression
    zone: tzinfo
    entries: list[int] = field(default_factory=list)

    def after(self, moment: float) -> float | None:
        """Give the first moment later than `moment`, both in seconds since the epoch."""
        found = self.expression.next(datetime.fromtimestamp(moment, self.zone))
        return None if found is None else found.timestamp()


@dataclass(frozen=True, slots=True)
class Gap:
    """The moments of one entry in a stretch of time: how many, the first and the last."""

    entry: int
    first: float
    last: float
    count: int


class Agenda:
    """The hands of all entries in the order in which they point at a moment.

    Moments are seconds since the epoch, entries are their database ids. Entries with the same
    expression and zone share one hand, so that 100,000 entries cost what their distinct
    expressions cost, and nothing while none is due.
    """

    def __init__(self, served: float) -> None:
        """Begin with the moments later than `served`."""
        self.served = served
        self._hands: dict[tuple[Expression, tzinfo], Hand] = {}
        self._of: dict[int, Hand] = {}
        self._queue: list[tuple[float, int, Hand]] = []

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._of)

    def put(self, entry: int, expression: Expression, zone: tzinfo) -> None:
        """Add an entry, or give it another expression or zone."""
        key = (expression, zone)
        hand = self._hands.get(key)
        if hand is not None and self._of.get(entry) is hand:
            return
        self.drop((entry,))
        if hand is None:
            hand = self._hands[key] = Hand(expression, zone)
            self._push(hand, self.served)
        hand.entries.append(entry)
        self._of[entry] = hand

    def drop(self, entries: Collection[int]) -> None:
        """Forget entries, many at once where there are many; one not here is no error."""
        touched: dict[int, Hand] = {}
        for entry in entries:
            hand = self._of.pop(entry, None)
            if hand is not None:
                touched[id(hand)] = hand
        for hand in touched.values():
            hand.entries = [entry for entry in hand.entries if self._of.get(entry) is hand]
            if not hand.entries:
                # its place in the queue is passed over when its moment comes
                del self._hands[hand.expression, hand.zone]

    def next_moment(self) -> float | None:
        """Give the first moment at which an entry is due, or None when none ever is."""
        while self._queue and not self._queue[0][2].entries:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def due(self, until: float) -> Iterator[tuple[float, list[int]]]:
        """Take what is due after `served` and not after `until`, moment by moment in order."""
        while (moment := self.next_moment()) is not None and moment <= until:
            entries: list[int] = []
            while self._queue and self._queue[0][0] == moment:
                hand = heapq.heappop(self._queue)[2]
                if hand.entries:
                    entries += hand.entries
                    self._push(hand, moment)
            self.served = moment
            yield moment, entries
        self.served = max(self.served, until)

    def next_of(self, entry: int, after: float) -> float | None:
        """Give an entry's first moment later than `after`, or None when it has none."""
        hand = self._of.get(entry)
        return None if hand is None else hand.after(after)

    def before(self, entry: int, moment: float) -> float:
        """Give an entry's last moment before `moment`; `moment` itself when it has none."""
        hand = self._of.get(entry)
        return moment if hand is None else _last(hand, moment, moment)

    def gaps(
        self, start: float, end: float, covered: Mapping[int, float], most: int
    ) -> Iterator[Gap]:
        """Count each entry's moments after `start` and not after `end`.

        An entry's count begins later where `covered` says so; `most` bounds each walk.
        """
        for hand in self._hands.values():
            common = _count(hand, start, end, most)
            for entry in hand.entries if common else ():
                begun = covered.get(entry, start)
                counted = common if begun <= start else _count(hand, begun, end, most)
                if counted is not None:
                    yield Gap(entry, *counted)

    def turn_to(self, served: float) -> None:
        """Point every hand at its first moment later than `served`, forward or back."""
        self.served = served
        self._queue = []
        for hand in self._hands.values():
            self._push(hand, served)

    def _push(self, hand: Hand, served: float) -> None:
        moment = hand.after(served)
        if moment is not None:
            heapq.heappush(self._queue, (moment, id(hand), hand))


def _count(hand: Hand, start: float, end: float, most: int) -> tuple[float, float, int] | None:
    """Give the first and last moment of (start, end] and their number, or None for none."""
    first = hand.after(start)
    if first is None or first > end:
        return None
    count, last = 1, first
    walk = hand.expression.upcoming(datetime.fromtimestamp(first, hand.zone))
    for found in walk:
        moment = found.timestamp()
        if moment > end:
            return first, last, count
        count, last = count + 1, moment
        if count >= most:
            break
    return first, _last(hand, end + 1, last), count


def _last(hand: Hand, before: float, otherwise: float) -> float:
    found = hand.expression.previous(datetime.fromtimestamp(before, UTC).astimezone(hand.zone))
    return otherwise if found is None else found.timestamp()
