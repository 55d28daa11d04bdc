"""The shared vectors: made with Debian cron's own matcher and main loop, and with cronsim."""

import json
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billclock.cron import CronError, Expression

VECTORS = Path(__file__).parents[1] / "data" / "vectors"


def rows(name):
    return [json.loads(line) for line in (VECTORS / name).read_text("utf-8").splitlines()]


def start_of(row):
    start = datetime.fromisoformat(row["start"])
    return start.astimezone(ZoneInfo(row["tz"])) if "tz" in row else start


def assert_runs(row, expected):
    """All four questions give the expected moments, told with their offsets."""
    expression, start = Expression.parse(row["expr"]), start_of(row)
    upcoming = list(islice(expression.upcoming(start), len(expected)))
    assert [moment.isoformat() for moment in upcoming] == expected
    assert [expression.next(at).isoformat() for at in [start, *upcoming[:-1]]] == expected
    assert [expression.previous(at) for at in upcoming[1:]] == upcoming[:-1]
    assert list(expression.between(upcoming[0], upcoming[-1])) == upcoming[:-1]


def test_moments_without_a_zone():
    vectors = rows("cron_next_vectors.jsonl")
    assert len(vectors) > 300
    for row in vectors:
        assert_runs(row, row["next"])


def test_moments_around_clock_changes():
    vectors = rows("cron_dst_vectors.jsonl")
    assert len(vectors) > 300
    for row in vectors:
        assert_runs(row, row["next"])


@pytest.mark.parametrize(
    "row",
    [row for row in rows("cron_disagreements.jsonl") if row["want"] in ("debian", "cronsim")],
    ids=lambda row: f"{row['cause']} {row['expr']} {row['start']}",
)
def test_where_the_references_differ_our_policy_holds(row):
    assert_runs(row, row[row["want"]])


def test_asked_in_the_second_pass_a_fixed_time_comes_tomorrow():
    (row,) = (r for r in rows("cron_disagreements.jsonl") if r["cause"] == "start_in_second_pass")
    assert_runs(row, row["debian"][1:])


def test_what_never_fires_is_refused():
    never = [r for r in rows("cron_disagreements.jsonl") if r["cause"] == "never_fires"]
    assert never
    for row in never:
        with pytest.raises(CronError):
            Expression.parse(row["expr"])


@pytest.mark.parametrize(
    "row",
    [row for row in rows("cron_invalid.jsonl") if row["kind"] == "expr"],
    ids=lambda row: f"{row['category']} {row['expr']!r}",
)
def test_bad_input_is_refused_at_its_place_with_a_mend(row):
    with pytest.raises(CronError) as caught:
        Expression.parse(row["expr"])
    assert caught.value.field == row["field"]
    assert abs(caught.value.column - row["col_hint"]) <= 1
    assert Expression.parse(caught.value.suggestion)
