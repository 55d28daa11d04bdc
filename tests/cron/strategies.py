"""Expressions and moments by chance, shared by the tests of the crontab language."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from billclock.cron import CronError, Expression

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
ZONES = sorted(available_timezones())


@st.composite
def items(draw, low, high):
    """One item of a list: a star, a value, a range, with or without a step."""
    kind = draw(st.sampled_from(["*", "*/n", "a", "a-b", "a-b/n"]))
    first = draw(st.integers(low, high - 1))
    last = draw(st.integers(first + 1, high))
    step = draw(st.integers(1, high + 1))
    return kind.replace("a", str(first)).replace("b", str(last)).replace("n", str(step))


def fields(low, high):
    return st.lists(items(low, high), min_size=1, max_size=3).map(",".join)


def _read(text):
    try:
        return Expression.parse(text)
    except CronError:
        return None  # It never fires.


expressions = (
    st.tuples(*(fields(low, high) for low, high in BOUNDS))
    .map(" ".join)
    .map(_read)
    .filter(lambda expression: expression is not None)
)
"""Any expression that is not refused."""

busy_expressions = (
    st.tuples(*(fields(low, high) for low, high in BOUNDS[:2]))
    .map(lambda times: " ".join((*times, "*", "*", "*")))
    .map(Expression.parse)
)
"""Expressions that run every day."""

moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 12, 31))
zones = st.sampled_from(ZONES).map(ZoneInfo)
