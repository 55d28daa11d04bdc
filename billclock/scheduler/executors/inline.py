"""Runs each order to its end before `submit` returns: for simulation and for tests."""

import os
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace

from billclock import clock
from billclock.scheduler import output
from billclock.scheduler.executors import confine, launch
from billclock.scheduler.executors.base import Ending, Launch, Order, StartError

Perform = Callable[[Order], Ending]


class InlineExecutor:
    """Performs orders at once by a callable; the endings are given at the next `attend`."""

    def __init__(self, perform: Perform | None = None) -> None:
        """`perform` runs an order and gives its ending; by default its shell does."""
        self._perform = perform or by_shell
        self._endings: list[Ending] = []

    def submit(self, order: Order) -> Launch:
        """Run the order. Raise StartError where `perform` does."""
        launched = Launch(order.run, os.getpid(), 0, clock.now())
        ending = self._perform(order)
        self._endings.append(replace(ending, output_size=output.size(order.run)))
        return launched

    def stop(self, run: int) -> bool:  # noqa: ARG002 - the contract's
        """Give False: nothing is ever running."""
        return False

    def adopt(self, order: Order, pid: int | None, pid_started: int | None) -> bool:  # noqa: ARG002
        """Give False: nothing outlives the process that began it."""
        return False

    def attend(self) -> list[Ending]:
        """Give what was performed since the last call."""
        endings, self._endings = self._endings, []
        return endings

    def due_in(self) -> float | None:
        """Give 0.001 when there are endings to fetch, else None."""
        return 0.001 if self._endings else None

    def wakers(self) -> Iterable[int]:
        """Give none."""
        return ()


def _confined(order: Order) -> Callable[[], None] | None:
    """Give what the child sets for itself; None for nothing."""
    asked = launch.limits(order.limits)
    return (lambda: confine.take_on(asked)) if asked else None


def by_shell(order: Order) -> Ending:
    """Run an order's command by its shell and wait for it. Raise StartError as the kernel does."""
    try:
        done = subprocess.run(
            [os.fsencode(order.shell), b"-c", order.command],
            input=order.stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(order.environment),
            cwd=order.folder or order.home,
            preexec_fn=_confined(order),
            timeout=order.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        output.write_all(order.run, late.stdout or b"")
        return Ending(order.run, clock.now(), signal=9, timed_out=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise StartError(f"it could not be started: {error}") from error
    output.write_all(order.run, done.stdout)
    code = done.returncode
    if code < 0:
        return Ending(order.run, clock.now(), signal=-code)
    return Ending(order.run, clock.now(), code=code)
