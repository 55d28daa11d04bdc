"""The runs an executor has going: their limits of time, the hunt for their trees, their outputs.

However a process was started, by whomever it is reaped, from here on all runs are alike.
"""

import heapq
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from billclock import clock
from billclock.scheduler import output, samples
from billclock.scheduler.executors import proc, usage
from billclock.scheduler.executors.base import Ending, Order
from billclock.scheduler.executors.cgroups import Groups
from billclock.scheduler.samples import Sample

NO_MEMORY = "it took more memory than memory= of its entry allows"
DISK_FULL = "the disk that holds its output is full: free some space"
_TICKS = os.sysconf("SC_CLK_TCK")
_HUNT_EVERY = 0.1
_KILL_EVERY = 0.02
_FIRST_LOOK = 0.05
_SHORTEST_LOOK = 0.02
_LONGEST_LOOK = 1.0
_GROWTH_A_LOOK = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a run's leading process ended, as far as anybody knows."""

    status: int | None = None
    cpu: float | None = None
    memory: int | None = None
    reason: str = ""


@dataclass(slots=True)
class _Watched:
    """A run under watch; `told` once its ending was given, while parts of its tree live on."""

    order: Order
    pid: int
    pid_started: int
    limited: bool
    left: Leaving | None = None
    told: bool = False
    stopping: bool = False
    stopped: bool = False
    timed_out: bool = False
    kill_at: float = 0.0
    size: int = 0
    hole: int = 0
    look_every: float = _FIRST_LOOK
    sample_at: float = 0.0


def _is_limited(order: Order) -> bool:
    """Tell whether a run has a control group of its own: for its time, or for its memory."""
    return order.timeout is not None or (
        order.limits is not None and order.limits.memory is not None
    )


class Watch:
    """Watches over runs, from their start until nothing of them is left."""

    def __init__(self) -> None:
        """Begin with none."""
        self._runs: dict[int, _Watched] = {}
        self._endings: list[Ending] = []
        self._timers: dict[tuple[int, str], float] = {}
        self._heap: list[tuple[float, int, tuple[int, str]]] = []
        self._count = itertools.count()
        self._snapshot: proc.Snapshot | None = None
        self._groups = Groups()
        self._actions: dict[str, Callable[[_Watched], None]] = {
            "limit": self._limit,
            "hunt": self._hunt,
            "look": self._look,
        }

    @contextmanager
    def door(self, order: Order) -> Iterator[list[int]]:
        """Open the control group that holds a run's memory: its door, or none."""
        memory = order.limits.memory if order.limits else None
        found = None if memory is None else self._groups.door(order.run, memory)
        try:
            yield [] if found is None else [found]
        finally:
            if found is not None:
                os.close(found)

    def abandon(self, order: Order) -> None:
        """Take away what was made for a run that did not begin."""
        if _is_limited(order):
            self._groups.release(order.run)

    def add(self, order: Order, pid: int, pid_started: int) -> None:
        """Watch over a run that began."""
        watched = _Watched(order, pid, pid_started, limited=_is_limited(order))
        self._runs[order.run] = watched
        began = pid_started / _TICKS
        watched.sample_at = began + samples.AFTER
        if watched.limited:
            self._groups.enclose(order.run, pid)
        if order.timeout is not None:
            self._set(watched, "limit", began + order.timeout)
        self._set(watched, "look", clock.since_boot() + watched.look_every)

    def left(self, run: int, leaving: Leaving) -> None:
        """Take note that a run's leading process has ended."""
        watched = self._runs.get(run)
        if watched is None or watched.left is not None:
            return
        watched.left = leaving
        if watched.stopping:
            self._set(watched, "hunt", 0.0)
        else:
            self._tell(watched)

    def stop(self, run: int) -> bool:
        """Begin to end a run's tree at the next `attend`; False when the run is not here."""
        watched = self._runs.get(run)
        if watched is None or watched.told:
            return False
        if not watched.stopping:
            watched.stopped = True
            self._begin_to_end(watched)
        return True

    def knows(self, run: int) -> bool:
        """Tell whether a run is going on here."""
        watched = self._runs.get(run)
        return watched is not None and watched.left is None

    def attend(self) -> list[Ending]:
        """Do what is due, and give the endings since the last call."""
        self._snapshot = None
        while self._heap and self._heap[0][0] <= clock.since_boot():
            when, _, key = heapq.heappop(self._heap)
            if self._timers.get(key) == when:
                del self._timers[key]
                self._actions[key[1]](self._runs[key[0]])
        endings, self._endings = self._endings, []
        return endings

    def close(self) -> None:
        """Let go of what is held of the system; what runs goes on."""
        self._groups.close()

    def due_in(self) -> float | None:
        """Give the seconds until something is due; None when nothing is."""
        if self._endings:
            return _KILL_EVERY / 10
        while self._heap and self._timers.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            return None
        return max(self._heap[0][0] - clock.since_boot(), _KILL_EVERY / 10)

    def _set(self, watched: _Watched, action: str, when: float) -> None:
        key = watched.order.run, action
        self._timers[key] = when
        heapq.heappush(self._heap, (when, next(self._count), key))

    # ends

    def _tell(self, watched: _Watched) -> None:
        """Give the run's ending; watch on where a limit or an open output is left."""
        order = watched.order
        left = watched.left or Leaving()
        code = None if left.status is None else os.waitstatus_to_exitcode(left.status)
        watched.told = True
        ending = Ending(
            order.run,
            clock.now(),
            code=code if code is not None and code >= 0 else None,
            signal=-code if code is not None and code < 0 else None,
            cpu=left.cpu,
            memory=left.memory,
            output_size=output.close(order.output),
            timed_out=watched.timed_out,
            stopped=watched.stopped,
            reason=left.reason or self._excuse(code, order),
        )
        self._endings.append(ending)
        self._timers.pop((order.run, "look"), None)
        if output.is_held(order.output):
            watched.size = watched.hole = 0
            self._set(watched, "look", clock.since_boot() + _LONGEST_LOOK)
        self._forget(watched)

    def _excuse(self, code: int | None, order: Order) -> str:
        if code and order.limits and self._groups.ran_out(order.run):
            return NO_MEMORY
        return DISK_FULL if code and output.is_disk_full(order.output) else ""

    def _forget(self, watched: _Watched) -> None:
        run = watched.order.run
        if watched.told and not any((run, action) in self._timers for action in self._actions):
            del self._runs[run]
            if watched.limited:
                self._groups.release(run)

    # limits and stops

    def _limit(self, watched: _Watched) -> None:
        """The run's time is up, also for what its leading process left behind."""
        if watched.told and not self._tree(watched):
            self._forget(watched)
        elif not watched.stopping:
            watched.timed_out = True
            self._begin_to_end(watched)

    def _begin_to_end(self, watched: _Watched) -> None:
        watched.stopping = True
        watched.kill_at = 0.0
        self._set(watched, "hunt", 0.0)

    def _hunt(self, watched: _Watched) -> None:
        """Send TERM once, then KILL for as long as anything of the tree is left."""
        tree = self._tree(watched)
        now = clock.since_boot()
        if not tree and watched.left:
            self._forget(watched) if watched.told else self._tell(watched)
            return
        if not watched.kill_at:
            watched.kill_at = now + watched.order.grace
            proc.send(signal.SIGTERM, tree)
            proc.send(signal.SIGCONT, tree)
        elif now >= watched.kill_at:
            proc.send(signal.SIGKILL, tree)
        rest = watched.kill_at - now
        self._set(watched, "hunt", now + (min(rest, _HUNT_EVERY) if rest > 0 else _KILL_EVERY))

    def _tree(self, watched: _Watched) -> set[int]:
        if self._snapshot is None:
            self._snapshot = proc.Snapshot()
        home = watched.order.environment.get(proc.HOME_MARK, "")
        run, pid, began = watched.order.run, watched.pid, watched.pid_started
        found = self._snapshot.tree(run, home, pid, began)
        return found | self._groups.members(run) if watched.limited else found

    # outputs

    def _look(self, watched: _Watched) -> None:
        """Give back the middle of the output; look the sooner again the faster it grows."""
        place = watched.order.output
        if watched.told and not output.is_held(place):
            output.close(place)
            self._forget(watched)
            return
        size, watched.hole = output.trim(place, watched.hole)
        if clock.since_boot() >= watched.sample_at:
            self._sample(watched, size)
        grown, watched.size = size - watched.size, size
        if grown > _GROWTH_A_LOOK:
            wish = watched.look_every * _GROWTH_A_LOOK / grown
        else:
            wish = watched.look_every * 2
        watched.look_every = min(max(wish, _SHORTEST_LOOK), _LONGEST_LOOK)
        self._set(watched, "look", clock.since_boot() + watched.look_every)

    def _sample(self, watched: _Watched, size: int) -> None:
        """Put down what a run takes of the machine, if anything of it is left."""
        age = clock.since_boot() - watched.pid_started / _TICKS
        watched.sample_at = clock.since_boot() + samples.pause(age)
        if watched.left is None and (now := usage.taken(watched.pid)) is not None:
            samples.add(watched.order.output, Sample(age, *now, size))
