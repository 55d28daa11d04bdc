"""What of the books needs a person, on the Problems page: told, put aside, counted, for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import Role
from billclock.billing import batches, overview, progress, reckonings, verifying
from billclock.billing.ledger import LedgerAccount
from billclock.billing.services import Task
from billclock.outbox.channels import Letter
from billclock.outbox.messages import put
from billclock.outbox.models import Message, State
from billclock.scheduler.models import Entry
from billclock.web import problems
from tests.billing.company import TODAY, House, noon

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def today(table: Callable[[str], list[Entry]]):
    problems._count.cache_clear()
    with clock.at(noon(TODAY)):
        table("0 1 * * * /bin/true\n")
        yield


def trouble() -> House:
    """Let everything of the books need somebody."""
    house = House()
    progress.stop("billdaily", house.provider, TODAY, "12 <b>prices</b> are gone")
    run = progress.begin("billdaily", house.provider, TODAY - timedelta(days=1))
    progress.finish(run, {"counts": {"not_priced": 4}})
    batches.park(house.account().pk, run, "figures do not agree")
    Task.objects.create(
        kind="operation", subject="Suspend service s1", text="after 5 tries: no answer",
        key="operation 1", created_at=clock.now(),
    )  # fmt: skip
    put(Letter("letter", "a key", (), clock.now(), subject="s", body="t"))
    Message.objects.update(state=State.FAILED, last_error="nobody reads it")
    found = [{"invariant": "every balance equals its transfers", "what": "account a1 holds 5"}]
    reckonings.take("books", lambda: {"checked": 22, "breaches": found})
    return house


def shown(client: Client, path: str = "/problems") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_kind_is_told_with_its_reason_and_where_it_is_mended(signed_in: SignedIn) -> None:
    trouble()
    page = shown(signed_in(Role.VIEWER))
    for words in (
        "billdaily acme 2026-11-20</b> waits for a person",
        "12 &lt;b&gt;prices&lt;/b&gt; are gone",
        "<b>1 account</b> is parked",
        "<b>4 services</b> have no price",
        "Suspend service s1",
        "nobody reads it",
        "<b>The books</b> 1 thing does not hold",
        "account a1 holds 5",
        "something does not hold",
    ):
        assert words in page, words
    assert 'href="/parked"' in page
    assert 'href="/billing-runs/' in page


def test_books_that_hold_say_when_they_were_checked(signed_in: SignedIn) -> None:
    client = signed_in(Role.VIEWER)
    assert "Books: not checked yet." in shown(client)
    overview.take_due()
    words = f"Books checked today 12:00: clean, {verifying.COUNT} invariants hold."
    assert words in shown(client)


def test_who_has_only_some_tables_knows_nothing_of_the_books(signed_in: SignedIn) -> None:
    trouble()
    page = shown(signed_in(Role.OPERATOR, tables="root"))
    assert "billdaily acme" not in page
    assert "Books checked" not in page
    assert "Nothing needs a person." in page


def test_one_is_put_aside_and_shown_again(signed_in: SignedIn) -> None:
    trouble()
    client = signed_in(Role.OPERATOR)
    client.post("/problems/aside", {"key": "books:parked", "for": "week"})
    page = shown(client)
    assert "is parked" not in page
    assert "1 put aside." in page
    client.post("/problems/wake")
    assert "is parked" in shown(client)


def test_the_tab_is_told_how_many_there_are(signed_in: SignedIn) -> None:
    client = signed_in()
    assert 'data-count="/problems/count"' in shown(client, "/")
    trouble()
    assert shown(client, "/problems/count") == "6"
    Task.objects.all().delete()
    assert shown(client, "/problems/count") == "6"  # a number holds for half a minute
    with clock.at(noon(TODAY) + timedelta(minutes=1)):
        assert shown(client, "/problems/count") == "5"


def test_queries_do_not_grow_with_what_is_wrong(signed_in: SignedIn) -> None:
    def counted() -> int:
        with CaptureQueriesContext(connections["default"]) as asked:
            shown(client)
        return len(asked)

    house = trouble()
    client = signed_in()
    counted()
    few = counted()
    run = progress.begin("billdaily", house.provider, TODAY - timedelta(days=1))
    for number in range(30):
        batches.park(house.account().pk, run, "odd")
        progress.stop(f"job{number}", house.provider, TODAY, "too many")
    other = House(code="other")
    progress.finish(
        progress.begin("billdaily", other.provider, TODAY), {"counts": {"not_priced": 1}}
    )
    assert counted() <= few + 1  # more than are named are counted by one query more


def test_the_books_are_checked_each_night_and_hourly_while_something_is_wrong() -> None:
    house = House()
    account = house.account(5_00)
    overview.take_due()
    assert not overview.check_due()
    with clock.at(noon(TODAY) + timedelta(hours=15)):
        assert not overview.check_due()
    with clock.at(noon(TODAY) + timedelta(hours=17)):
        assert overview.check_due()
        LedgerAccount.objects.filter(pk=account.pk).update(balance_minor=6_00)
        overview.take_due()
        assert [one["invariant"] for one in overview.breached()] == [
            "per currency, debits equal credits", "every balance equals its transfers",
        ]  # fmt: skip
        assert not overview.check_due()
    with clock.at(noon(TODAY) + timedelta(hours=18, minutes=1)):
        assert overview.check_due()
