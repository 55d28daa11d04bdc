"""Runs by every two filters at once: the right ones, and never by looking through all runs."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import Role, User
from billclock.scheduler.models import Entry, Outcome, Run, Trigger
from billclock.web import run_query, run_ways
from billclock.web.run_query import Query
from billclock.web.times import Wall
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)

Kept = Callable[[Run], bool]
FILTERS: Mapping[str, tuple[str, Kept]] = {
    "outcome=failed": ("outcome", lambda run: run.outcome == "failed"),
    "outcome=succeeded": ("outcome", lambda run: run.outcome == "succeeded"),
    "outcome=running": ("outcome", lambda run: run.outcome == ""),
    "outcome=lost": ("outcome", lambda run: run.outcome == "lost"),
    "trigger=manual": ("trigger", lambda run: run.trigger == "manual"),
    "trigger=schedule": ("trigger", lambda run: run.trigger == "schedule"),
    "exit=7": ("exit", lambda run: run.exit_code == 7),
    "exit=0": ("exit", lambda run: run.exit_code == 0),
    "who=anna": ("who", lambda run: run.actor == "anna"),
    "job=copy": ("job", lambda run: "copy" in run.entry.command),
    "job=nowhere": ("job", lambda _: False),
    "table=other": ("table", lambda run: run.entry.table == "other"),
    "since=2026-10-23": ("since", lambda run: (run.started or NOON) >= NOON - 1.5 * A_DAY),
    "until=2026-10-22": ("until", lambda run: (run.started or NOON) < NOON - 1.5 * A_DAY),
}


@pytest.fixture
def runs(table: Callable[..., list[Entry]]) -> list[Run]:
    """Runs of three entries over four days, so that many two filters have one in common."""
    entries = [
        *table("15 0 * * * /bin/bill\n0 3 * * * /bin/copy\n"),
        *table("5 5 * * * /bin/copy other\n", "other"),
    ]
    made = []
    for number in range(96):
        failed, by_hand, going = number % 3 == 1, number % 4 == 2, number % 8 == 5
        made.append(
            ran(
                entries[number % 5 % 3],
                NOON - A_DAY * (number % 4),
                outcome="" if going else Outcome.FAILED if failed else Outcome.SUCCEEDED,
                exit_code=None if going else (7 if number % 2 else 1) if failed else 0,
                trigger=Trigger.MANUAL if by_hand else Trigger.SCHEDULE,
                actor="anna" if by_hand else "",
            )
        )
    return made


def asked() -> Iterator[tuple[str, list[Kept]]]:
    """Give every filter, and every two of different kinds, with what they keep."""
    for (one, (kind, keeps)), (other, (other_kind, also)) in combinations(FILTERS.items(), 2):
        if kind != other_kind:
            yield f"{one}&{other}", [keeps, also]
    for one, (_, keeps) in FILTERS.items():
        yield one, [keeps]


def found(text: str, user: User, most: int = 100) -> list[Run]:
    query = Query.read(dict(part.split("=") for part in text.split("&")))
    return run_query.page(query, user, Wall(NOON, ZoneInfo("UTC")), most)


def user(tables: str = "") -> User:
    return User.objects.create_user("a@example.net", role=Role.ROOT, tables=tables)


@pytest.mark.parametrize("few", [0, 20, run_ways.FEW])
@pytest.mark.parametrize("tables", ["", "root"])
def test_two_filters_keep_what_both_keep(
    runs: list[Run], tables: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what is few is a matter of speed: any limit must find the same
    monkeypatch.setattr(run_ways, "FEW", few)
    reader = user(tables)
    seen = [run for run in runs if not tables or run.entry.table == tables]
    with clock.at(NOON):
        for text, keep in asked():
            wanted = {run.pk for run in seen if all(one(run) for one in keep)}
            assert {run.pk for run in found(text, reader)} == wanted, text


def test_pages_of_two_filters_follow_each_other(runs: list[Run]) -> None:
    reader = user()
    for text in ("table=other&outcome=succeeded", "job=copy", "since=2026-10-22&trigger=manual"):
        whole = [run.pk for run in found(text, reader)]
        assert len(whole) > 6
        paged: list[int] = []
        place = ""
        while page := found(f"{text}{place}", reader, 3):
            paged += [run.pk for run in page]
            query = Query.read(dict(part.split("=") for part in text.split("&")))
            place = f"&before={query.cursor(page[-1])}"
        assert paged == whole, text


@pytest.mark.parametrize("tables", ["", "root"])
def test_no_filter_looks_through_all_runs(runs: list[Run], tables: str) -> None:
    # without figures of the tables SQLite plans for few runs as for a million
    reader = user(tables)
    scheduler = connections["scheduler"]
    for text, _ in asked():
        with CaptureQueriesContext(scheduler) as queries:
            found(text, reader)
        for query in queries.captured_queries:
            with scheduler.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                steps = [row[3] for row in cursor.fetchall()]
            if not any("TEMP B-TREE FOR ORDER BY" in step for step in steps):
                continue
            # what is put in order afterwards was reached by keys, of which there are few
            reached = [
                step for step in steps if re.match(r"(SCAN|SEARCH) (scheduler_run|V1)", step)
            ]
            others = [step for step in reached if "PRIMARY KEY" not in step]
            assert all("(entry_id=? AND rowid>?)" in step for step in others), (text, steps)
