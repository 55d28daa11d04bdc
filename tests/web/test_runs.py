"""The runs: the latest page by page, one in full, and output that can't attack who looks at it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils.html import escape

from billclock import clock
from billclock.scheduler import output
from billclock.scheduler.models import Entry, Outcome, Run
from billclock.web import run_stream
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)

SignIn = Callable[..., Client]


@pytest.fixture
def entry(table: Callable[..., list[Entry]]) -> Entry:
    return table("## Daily billing\n15 0 * * * /bin/bill --daily\n")[0]


def shown(client: Client, path: str) -> str:
    with clock.at(NOON):
        answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(page: str) -> list[int]:
    return [int(part.partition("<")[0]) for part in page.split(" · #")[1:]]


def test_the_latest_runs_come_first_and_older_ones_page_by_page(
    entry: Entry, signed_in: SignIn
) -> None:
    runs = [ran(entry, NOON - timedelta(minutes=200 - n)).pk for n in range(120)]
    client, path, seen = signed_in(), "/runs", []
    while path:
        page = shown(client, path)
        seen.append(numbers(page))
        found = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        path = f"/runs{found}" if found else ""
    assert [len(part) for part in seen] == [50, 50, 20]
    assert [number for part in seen for number in part] == runs[::-1]


def test_a_run_that_starts_meanwhile_moves_no_page(entry: Entry, signed_in: SignIn) -> None:
    runs = [ran(entry, NOON).pk for _ in range(60)]
    client = signed_in()
    older = f"/runs?before={runs[10]}"
    before = numbers(shown(client, older))
    ran(entry, NOON)
    assert numbers(shown(client, older)) == before == runs[9::-1]


def test_runs_of_one_outcome(entry: Entry, signed_in: SignIn) -> None:
    ran(entry, NOON)
    failed = ran(entry, NOON, outcome=Outcome.FAILED, exit_code=2)
    assert numbers(shown(signed_in(), "/runs?outcome=failed")) == [failed.pk]


def test_without_runs_the_page_says_when_there_will_be(signed_in: SignIn) -> None:
    assert "No runs yet" in shown(signed_in(), "/runs")


def test_before_the_first_run_the_page_says_when_it_will_be(
    entry: Entry, signed_in: SignIn
) -> None:
    assert "The next one starts" in shown(signed_in(), "/runs")


def test_the_number_of_queries_is_fixed(
    entry: Entry, signed_in: SignIn, django_assert_num_queries
) -> None:
    client = signed_in()
    # on the last page one more tells from when on runs are kept
    for number, queries in ((1, 6), (40, 6), (60, 5)):
        for _ in range(number):
            ran(entry, NOON)
        with django_assert_num_queries(queries, using="scheduler"):
            shown(client, "/runs")


def test_a_run_is_told_in_full(entry: Entry, signed_in: SignIn) -> None:
    run = ran(
        entry,
        NOON - timedelta(hours=1),
        81,
        outcome=Outcome.FAILED,
        exit_code=3,
        cpu=12.4,
        memory=110 * 1024,
        host="bill-1",
        user="billing",
        actor="anna@example.net",
        trigger="manual",
        reason="ended with exit code 3",
    )
    page = shown(signed_in(), f"/runs/{run.pk}")
    for word in (
        "Daily billing", "failed", "ended with exit code 3", "1 min 21 s", ">3<", "12 s",
        "110.0\xa0MB", "bill-1", "billing", "by hand", "anna@example.net", "/bin/bill --daily",
        "The run printed nothing.",
    ):  # fmt: skip
        assert word in page


def test_lateness_is_told(entry: Entry, signed_in: SignIn) -> None:
    run = ran(entry, NOON, started=NOON + timedelta(seconds=95))
    assert "1 min 35 s late" in shown(signed_in(), f"/runs/{run.pk}")


def test_a_run_that_goes_on_can_be_stopped_and_shows_its_output_so_far(
    entry: Entry, signed_in: SignIn
) -> None:
    run = ran(entry, NOON, outcome="", finished=None, exit_code=None)
    output.write_all(run.pk, b"half way\n")
    page = shown(signed_in(), f"/runs/{run.pk}")
    assert "running" in page
    assert "half way" in page
    assert f'action="/runs/{run.pk}/stop"' in page
    assert 'data-refresh="2"' in page


def test_hostile_output_is_text(entry: Entry, signed_in: SignIn) -> None:
    run = ran(entry, NOON, reason="<b>bold</b>")
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    output.write_all(run.pk, f"\x1b]0;title\x07{evil}\u202e\x1b[2J\n".encode())
    page = shown(signed_in(), f"/runs/{run.pk}")
    assert escape(evil) + "⟨U+202E⟩" in page
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert "\x1b" not in page


def test_long_output_is_shown_by_its_ends_and_given_whole(entry: Entry, signed_in: SignIn) -> None:
    run = ran(entry, NOON)
    printed = b"".join(b"line %d\n" % number for number in range(1, 5001))
    output.write_all(run.pk, printed)
    client = signed_in()
    page = shown(client, f"/runs/{run.pk}")
    assert "5,000 lines" in page
    assert "4,000 lines are not shown here" in page
    assert '<li data-n="1">line 1</li>' in page
    assert '<li data-n="5000">line 5000</li>' in page
    answer = client.get(f"/runs/{run.pk}/output")
    assert answer.content == printed
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_output_that_was_cut_says_how_much_is_missing(entry: Entry, signed_in: SignIn) -> None:
    run = ran(entry, NOON)
    output.write_all(run.pk, b"x" * 79 + b"\n" + b"." * 3_000_000)
    got = signed_in().get(f"/runs/{run.pk}/output").content
    kept = output.HEAD + output.TAIL
    assert f"[{3_000_080 - kept} bytes were not kept]".encode() in got


def test_a_run_that_is_no_longer_kept_is_not_found(signed_in: SignIn) -> None:
    assert signed_in().get("/runs/99").status_code == 404
    assert not Run.objects.exists()


def test_a_stream_that_ends_by_itself_says_that_there_is_more(
    entry: Entry, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_stream, "LASTS", 0.0)
    run = ran(entry, NOON, outcome="", finished=None)
    answer = signed_in().get(f"/runs/{run.pk}/stream")

    async def sent() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    assert b"event: again" in asyncio.run(sent())
