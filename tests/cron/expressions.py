"""Expressions at random, the odd corners of the language more often than chance would have it."""

from hypothesis import strategies as st

from billclock.cron.errors import CronError
from billclock.cron.expression import Expression

RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _item(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    span = st.tuples(value, value).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, high + 1).map(lambda number: f"/{number}")
    whole = st.sampled_from(["*", f"{low}-{high}"])
    return st.one_of(value.map(str), span, whole, st.tuples(whole | span, step).map("".join))


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    listed = st.lists(_item(low, high), min_size=1, max_size=4).map(",".join)
    return st.just("*") | _item(low, high) | listed


def _parsed(text: str) -> Expression | None:
    try:
        return Expression.parse(text)
    except CronError:
        return None


texts = st.tuples(*(_field(*limits) for limits in RANGES)).map(" ".join)
expressions = texts.map(_parsed).filter(lambda expression: expression is not None)
