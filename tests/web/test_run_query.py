"""The filters of Runs: each keeps what it says, alone and with others, on every page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from billclock import clock
from billclock.accounts.models import Role
from billclock.scheduler import output
from billclock.scheduler.models import Entry, Outcome, Run, Trigger
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)

SignIn = Callable[..., Client]


@pytest.fixture
def entries(table: Callable[..., list[Entry]]) -> list[Entry]:
    return table("## Daily billing\n15 0 * * * /bin/bill\n## Backup\n0 3 * * * /bin/copy\n")


def shown(client: Client, path: str) -> str:
    with clock.at(NOON):
        answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(page: str) -> list[int]:
    return [int(part.partition("<")[0]) for part in page.split(" · #")[1:]]


def all_pages(client: Client, path: str) -> list[int]:
    seen: list[int] = []
    while path:
        page = shown(client, path)
        seen += numbers(page)
        found = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        path = f"/runs{found}" if found else ""
    return seen


def test_each_filter_keeps_its_runs(entries: list[Entry], signed_in: SignIn) -> None:
    bill, copy = entries
    plain = ran(bill, NOON).pk
    failed = ran(bill, NOON, outcome=Outcome.FAILED, exit_code=7).pk
    by_hand = ran(copy, NOON, trigger=Trigger.MANUAL, actor="anna@example.net").pk
    going = ran(copy, NOON, outcome="", finished=None, exit_code=None).pk
    old = ran(copy, NOON - timedelta(days=3), trigger=Trigger.API).pk
    client = signed_in()
    for query, kept in {
        "": [old, going, by_hand, failed, plain],
        "?outcome=failed": [failed],
        "?outcome=running": [going],
        "?outcome=succeeded": [old, by_hand, plain],
        "?trigger=manual": [by_hand],
        "?trigger=api": [old],
        "?who=anna%40example.net": [by_hand],
        "?exit=7": [failed],
        "?exit=0": [old, by_hand, plain],
        "?job=backup": [old, going, by_hand],
        "?job=%2Fbin%2Fbill": [failed, plain],
        f"?entry={bill.pk}": [failed, plain],
        f"?entry={bill.pk}&outcome=failed&exit=7": [failed],
        "?job=backup&trigger=manual": [by_hand],
        "?table=root": [old, going, by_hand, failed, plain],
        "?table=nobody": [],
        "?since=2026-10-24": [going, by_hand, failed, plain],
        "?until=2026-10-23": [old],
        "?since=2026-10-21&until=2026-10-21&job=backup": [old],
    }.items():
        assert numbers(shown(client, f"/runs{query}")) == kept, query


@pytest.mark.parametrize(
    "query",
    [
        "outcome=exploded", "trigger=%00", "exit=many", "exit=-1", "since=yesterday", "before=x",
        "before=1~nan", "before=1~9e99", "before=~", "entry=abc", "before=" + "9" * 300,
        "entry=" + "9" * 300, "job=%F0%9F%92%A3%27%22%3C", "exit=999999999999999999999999",
    ],
)  # fmt: skip
def test_a_filter_that_can_not_be_is_no_error(
    entries: list[Entry], signed_in: SignIn, query: str
) -> None:
    ran(entries[0], NOON)
    shown(signed_in(), f"/runs?{query}")


@pytest.mark.parametrize("query", ["", "?since=2026-10-01", "?table=root", "?outcome=succeeded"])
def test_every_run_is_on_one_page_and_in_order(
    entries: list[Entry], signed_in: SignIn, query: str
) -> None:
    runs = [ran(entries[n % 2], NOON - timedelta(minutes=(200 - n) // 3)).pk for n in range(120)]
    assert all_pages(signed_in(), f"/runs{query}") == runs[::-1]


def test_nobody_sees_runs_of_tables_that_are_not_his(
    table: Callable[..., list[Entry]], signed_in: SignIn
) -> None:
    (own,) = table("* * * * * /bin/a\n", "anna")
    (other,) = table("* * * * * /bin/b\n", "root")
    mine, foreign = ran(own, NOON).pk, ran(other, NOON).pk
    client = signed_in(Role.VIEWER, tables="anna")
    for query in ("", "?outcome=succeeded", "?table=root", f"?entry={other.pk}", "?since=2026-1-1"):
        assert foreign not in numbers(shown(client, f"/runs{query}"))
    assert numbers(shown(client, "/runs")) == [mine]
    for path in ("", "/output", "/lines", "/stream"):
        assert client.get(f"/runs/{foreign}{path}").status_code == 404


def test_a_text_is_looked_for_in_outputs(entries: list[Entry], signed_in: SignIn) -> None:
    found, other = ran(entries[0], NOON, output_size=20), ran(entries[0], NOON, output_size=20)
    output.write_all(found.pk, b"3 Services charged\n")
    output.write_all(other.pk, b"nothing to do\n")
    page = shown(signed_in(), "/runs?text=services")
    assert numbers(page) == [found.pk]
    assert "Looked through the outputs of 2 runs." in page


def test_successes_of_a_job_fold_but_other_endings_stand(
    entries: list[Entry], signed_in: SignIn
) -> None:
    for _ in range(5):
        ran(entries[0], NOON)
    failed = ran(entries[0], NOON, outcome=Outcome.FAILED)
    for _ in range(60):
        ran(entries[0], NOON)
        ran(entries[1], NOON)
    page = shown(signed_in(), "/runs?fold=1")
    assert page.count("60 × succeeded") == 2
    assert page.count("5 × succeeded") == 1
    assert numbers(page) == [failed.pk]


def test_without_a_match_the_filters_can_be_cleared(
    entries: list[Entry], signed_in: SignIn
) -> None:
    ran(entries[0], NOON)
    page = shown(signed_in(), "/runs?outcome=lost")
    assert "No run is like this" in page
    assert "Show all runs" in page


@pytest.mark.parametrize("query", ["", "?since=2026-10-01", "?fold=1", "?text=charged"])
def test_one_goes_back_up_page_by_page(entries: list[Entry], signed_in: SignIn, query: str) -> None:
    for n in range(170):
        run = ran(entries[n % 2], NOON - timedelta(minutes=200 - n), outcome=Outcome.FAILED)
        output.write_all(run.pk, b"charged\n")
    client = signed_in()
    Run.objects.update(output_size=8)
    path, pages = f"/runs{query}", []
    while path:
        pages.append(shown(client, path))
        found = pages[-1].partition('rel="next" href="')[2].partition('"')[0]
        path = f"/runs{found}".replace("&amp;", "&") if found else ""
    assert len(pages) == 4
    for page, above in ((pages[3], pages[2]), (pages[2], pages[1])):
        found = page.partition('rel="prev" href="')[2].partition('"')[0].replace("&amp;", "&")
        assert numbers(shown(client, f"/runs{found}")) == numbers(above)
    assert 'rel="prev"' not in pages[0] + pages[1], "the first is the latest"


def test_a_fold_leads_to_what_is_folded(entries: list[Entry], signed_in: SignIn) -> None:
    runs = [ran(entries[0], NOON - timedelta(minutes=n), trigger=Trigger.CHAIN) for n in range(4)]
    ran(entries[0], NOON)
    ran(entries[0], NOON, outcome=Outcome.FAILED, trigger=Trigger.CHAIN)
    client = signed_in()
    page = shown(client, "/runs?fold=1&trigger=chain")
    address = page.partition('class="t" href="?entry')[2].partition('"')[0].replace("&amp;", "&")
    kept = shown(client, f"/runs?entry{address}")
    assert sorted(numbers(kept)) == sorted(run.pk for run in runs)
    assert "Only Daily billing" in kept
    assert "back to today 1" in page
