"""The overview: today's runs by outcome, what comes, who is needed, figures, changes, and cards."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import translation

from billclock import clock
from billclock.accounts.audit import note
from billclock.accounts.models import Role
from billclock.billing import statistics
from billclock.scheduler.models import Entry, Outcome, Slot
from billclock.web import dashboard
from billclock.web.dashboard_card import Band, Card
from tests.billing.company import House
from tests.web.conftest import beat, ran
from tests.web.server import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]

NOON = datetime(2026, 10, 24, 12, 40, tzinfo=UTC)
TABLE = """## Daily billing
0 1 * * * /bin/bill
## Polling
*/30 * * * * /bin/poll
## Switched off
#0 14 * * * /bin/off
"""


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def entries(table: Callable[..., list[Entry]]) -> list[Entry]:
    return table(TABLE)


def cards(client: Client) -> dict[str, dict]:
    answer = client.get("/dashboard")
    assert answer.status_code == 200
    bands = answer.context["bands"]
    return {shown.card.name: shown.facts for _band, found in bands for shown in found}


def test_todays_runs_are_counted_by_outcome_and_lead_to_their_lists(
    signed_in: SignedIn, entries: list[Entry]
) -> None:
    for hour in range(3):
        ran(entries[1], NOON - timedelta(hours=hour))
    ran(entries[0], NOON.replace(hour=1), outcome=Outcome.FAILED, exit_code=1)
    ran(entries[0], NOON - timedelta(days=1))  # yesterday's
    ran(entries[1], NOON, outcome="", finished=None, exit_code=None)
    Slot.objects.create(entry=entries[0], planned=NOON, claimed_at=NOON, outcome="missed", count=4)
    client = signed_in()
    facts = cards(client)["dial"]
    ends = {str(one.mark.word): (one.count, one.url) for one in facts["counts"]}
    assert {word: count for word, (count, _url) in ends.items()} == {
        "running": 1, "succeeded": 3, "failed": 1, "missed": 4
    }  # fmt: skip
    assert facts["counts"][1].words == "3 succeeded"
    with translation.override("ru"):
        assert facts["counts"][2].words == "ошибка: 1"
    assert facts["started"] == "5"
    listed = client.get(ends["failed"][1]).context["lines"]
    assert [line.title for line in listed] == ["Daily billing"]


def test_what_is_to_come_today_is_on_the_dial_and_the_next_in_order(
    signed_in: SignedIn, entries: list[Entry]
) -> None:
    found = cards(signed_in())
    assert found["dial"]["due_count"] == "22"  # every half hour from 13:00 to 23:30
    told = [(one.time, one.title) for one in found["next"]["next"]]
    assert told == [("13:00", "Polling"), ("Tomorrow 01:00", "Daily billing")]


def test_the_dial_has_a_bar_for_each_quarter_within_its_rim(
    signed_in: SignedIn, entries: list[Entry]
) -> None:
    ran(entries[1], NOON)
    facts = cards(signed_in())["dial"]
    assert facts["past"].count("M") == 1
    assert facts["due"].count("M") == 22
    numbers = [float(text) for text in re.findall(r"[\d.]+", facts["due"])]
    assert all(40 < number < 380 for number in numbers)
    assert facts["hand"].startswith("rotate(190.00")


def test_what_needs_a_person_is_named_or_nothing_is_needed(
    signed_in: SignedIn, entries: list[Entry]
) -> None:
    beat(NOON)
    client = signed_in()
    assert "Nothing needs a person." in client.get("/dashboard").content.decode()
    for hour in range(3):
        at = NOON - timedelta(hours=hour)
        ran(entries[1], at, outcome=Outcome.FAILED, exit_code=7)
    needed = cards(client)["needed"]
    assert "Polling" in [one.name for one in needed["cards"]]


def test_figures_of_past_days_are_drawn(signed_in: SignedIn) -> None:
    client = signed_in()
    assert "No day was counted yet" in client.get("/dashboard").content.decode()
    for n in (1, 2, 3):
        day = date(2026, 10, 24) - timedelta(days=n)
        statistics.record("runs", day, {"billdaily: succeeded": 1500, "sync: timed out": n})
        statistics.record("milliseconds", day, {"billdaily": 60_000, "<b>x": 1000})
        statistics.record("bytes", day, {"billclock.sqlite3": n * 2**20})
    page = client.get("/dashboard")
    text = page.content.decode()
    assert "4,506 runs in 3 days, 6 failed" in text
    assert "3 min" in text
    assert "<b>x" not in text
    found = {s.card.name: s.facts for _band, shown in page.context["bands"] for s in shown}
    assert len(found["runs"]["chart"].bars) == 2 * 30 - 2 * 27
    assert found["sizes"]["parts"] == [("billclock.sqlite3", "1.0\xa0MB")]


def test_the_latest_changes_are_told_without_sign_ins(signed_in: SignedIn) -> None:
    note("anna@example.net", "sign-in", "anna@example.net")
    note("anna@example.net", "rates.create", "rates/1: USD/EUR 2026-10-24")
    note("anna@example.net", "rate-pairs.upload", "rate-pairs/1: USD/EUR")
    changes = cards(signed_in())["changes"]["changes"]
    assert [change.what for change in changes] == ["Pairs: Upload now", "Rates: created"]


def test_a_viewer_reads_of_crontabs_and_not_the_trail(
    signed_in: SignedIn, entries: list[Entry]
) -> None:
    note("anna@example.net", "users.secret", "not for everybody")
    changes = cards(signed_in(Role.VIEWER))["changes"]["changes"]
    assert [change.subject for change in changes] == ["root"]


def test_who_has_one_crontab_sees_its_day_alone(
    signed_in: SignedIn, table: Callable[..., list[Entry]], entries: list[Entry]
) -> None:
    own = table("## Own\n0 14 * * * /bin/own\n", "sam")
    ran(entries[0], NOON)
    ran(own[0], NOON)
    Slot.objects.create(entry=entries[0], planned=NOON, claimed_at=NOON, outcome="missed")
    found = cards(signed_in(Role.VIEWER, tables="sam"))
    assert found.keys() == {"dial", "next", "needed", "changes"}
    assert found["dial"]["started"] == "1"
    assert [one.title for one in found["next"]["next"]] == ["Own"]


def test_a_card_that_fails_says_so_and_the_others_are_there(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_look: object) -> None:
        raise RuntimeError("no such figure")

    broken = Card("mrr", "Recurring", Band.MONEY, "dashboard/runs.html", fail)
    empty = Card("none", "Not yet", Band.MONEY, "dashboard/runs.html", lambda _look: None)
    monkeypatch.setattr(dashboard, "CARDS", (*dashboard.CARDS, broken, empty))
    answer = signed_in().get("/dashboard")
    text = answer.content.decode()
    assert "This could not be shown; the log says why." in text
    assert "Not yet" not in text
    assert [band for band, _cards in answer.context["bands"]] == ["today", "money", "usage"]


def test_a_day_with_a_clock_change_and_an_empty_house_are_drawn(signed_in: SignedIn) -> None:
    with clock.at(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)):
        assert "No job is on" in signed_in().get("/dashboard").content.decode()


def test_signing_in_leads_to_the_overview(signed_in: SignedIn) -> None:
    signed_in()  # makes the user
    from billclock.accounts.models import User

    user = User.objects.get()
    user.set_password(PASSWORD)
    user.save()
    answer = Client().post("/sign-in", {"login": user.email, "password": PASSWORD})
    assert answer.headers["Location"] == "/dashboard"


def test_the_number_of_queries_is_fixed(
    signed_in: SignedIn, table: Callable[..., list[Entry]], django_assert_max_num_queries
) -> None:
    client = signed_in()
    table(TABLE)
    client.get("/dashboard")
    for database in ("default", "scheduler"):
        from django.db import connections

        with django_assert_max_num_queries(40, connection=connections[database]) as first:
            client.get("/dashboard")
        entries = table(TABLE + "".join(f"{n} 3 * * * /bin/j{n}\n" for n in range(30)))
        for entry in entries:
            ran(entry, NOON, outcome=Outcome.FAILED, exit_code=1)
        most = len(first.captured_queries)
        with django_assert_max_num_queries(most, connection=connections[database]):
            client.get("/dashboard")


def test_new_books_say_what_to_enter_first_until_there_is_a_provider(signed_in: SignedIn) -> None:
    root, viewer = signed_in(), signed_in(Role.VIEWER)
    shown = root.get("/dashboard").content.decode()
    for path in ("/providers/new", "/companies/new", "/products/new", "/clients/new"):
        assert f'href="{path}"' in shown
        assert root.get(path).status_code == 200
    assert "billclock demo" in shown
    assert "begin" not in cards(viewer)
    House()
    assert "begin" not in cards(root)
