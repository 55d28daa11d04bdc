"""Lines made to keep a reader busy: a long one takes as long as its bytes, not as their square."""

import time
from collections.abc import Callable

import pytest

from billclock.cron import importing, veiling
from billclock.cron.shell import first_word

LONG = 100_000
AT_MOST = 2.0  # seconds; a square of that length takes minutes


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (importing.take, b" " * LONG + b"x"),
        (veiling.text, b"A=" + b" " * LONG),
        (first_word, b"A=" + b" " * LONG),
    ],
)
def test_a_line_of_blanks_is_read_at_once(read: Callable[[bytes], object], line: bytes) -> None:
    begun = time.process_time()
    read(line)
    assert time.process_time() - begun < AT_MOST
