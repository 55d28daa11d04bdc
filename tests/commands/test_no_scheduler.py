"""What steers a scheduler says so where none runs."""

import pytest

from tests.commands.conftest import Command


@pytest.mark.parametrize("words", [["run-now", "1"], ["stop", "1"], ["pause"], ["resume"]])
def test_without_a_scheduler_it_is_said_how_to_start_one(
    command: Command, words: list[str]
) -> None:
    done = command("billclock", *words)
    assert done.returncode == 1
    assert b"the scheduler is not running: start it with ./run" in done.stderr


def test_a_pause_until_no_moment_is_told(command: Command) -> None:
    done = command("billclock", "pause", "--until", "99999-01-01")
    assert done.returncode == 2
    assert b"--until: '99999-01-01' is not a moment" in done.stderr
