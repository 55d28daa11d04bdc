"""The executor of simulations: an order is over when `submit` returns."""

from datetime import UTC, datetime

import pytest

from billclock import clock
from billclock.scheduler import output
from billclock.scheduler.executors.base import Ending, Order, StartError
from billclock.scheduler.executors.inline import InlineExecutor
from tests.scheduler.executing import order

MOMENT = datetime(2030, 1, 1, tzinfo=UTC)


def test_what_the_callable_says_is_told_once_at_the_simulated_moment() -> None:
    def perform(given: Order) -> Ending:
        output.write_all(given.run, b"did " + given.command)
        return Ending(given.run, clock.now(), code=5)

    executor = InlineExecutor(perform)
    given = order("it")
    with clock.at(MOMENT):
        assert executor.submit(given).at == MOMENT
    assert executor.due_in() is not None
    assert executor.attend() == [Ending(given.run, MOMENT, code=5, output_size=6)]
    assert executor.attend() == []
    assert executor.due_in() is None
    assert not executor.stop(given.run)
    assert not executor.adopt(given, 1, 1)
    assert list(executor.wakers()) == []


@pytest.mark.parametrize(
    ("command", "code", "signal", "printed"),
    [("cat; exit 3", 3, None, b"typed"), ("kill -9 $$", None, 9, b"")],
)
def test_by_default_the_shell_runs_it(
    command: str, code: int | None, signal: int | None, printed: bytes
) -> None:
    executor = InlineExecutor()
    given = order(command, stdin=b"typed")
    executor.submit(given)
    (ending,) = executor.attend()
    assert (ending.code, ending.signal, ending.output_size) == (code, signal, len(printed))
    assert output.read(given.run).data == printed


def test_its_timeout_and_its_start_errors_are_told() -> None:
    executor = InlineExecutor()
    executor.submit(order("echo a; exec sleep 9", timeout=0.3))
    (ending,) = executor.attend()
    assert (ending.timed_out, ending.output_size) == (True, 2)
    with pytest.raises(StartError, match="could not be started"):
        executor.submit(order("true", shell="/no/such/shell"))
