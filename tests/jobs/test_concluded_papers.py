"""Promise M8 of invoices closed, months invoiced, setups resolved: each day has its reason."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.accounts.models import Role, User
from billclock.billing import closing, invoicing, storing
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.payments import StoredMethod
from billclock.billing.provider import Closing
from billclock.jobs import registry
from tests.billing.charged import charge
from tests.billing.company import House
from tests.billing.tills import Till, scripted

pytestmark = pytest.mark.django_db

FIRST = date(2026, 12, 1)
DAY = timedelta(days=1)
DAYS = [FIRST + DAY * past for past in range(12)]
CLOSE, MONTH = "close_accounts", "payment_generate_postpaid"
STALLED = "clean_stalled_stored_methods"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = tmp_path
    with at(FIRST, 0), scripted():
        yield


def at(on: date, hour: int) -> clock.at:
    return clock.at(datetime(on.year, on.month, on.day, hour, tzinfo=UTC))


def told(job: str, on: date, what: str) -> str:
    report = registry.perform(job, on=on, explain=what)
    assert not report.failed, report.text()
    return next(line for line in report.text().splitlines() if f" on {on}: " in line
                or f" on {on}" in line.partition(": ")[2][:40])  # fmt: skip


@pytest.mark.parametrize("rule", [Closing.DAYS, Closing.PAID, Closing.SIGNED, Closing.NEVER])
def test_every_day_of_an_invoice_says_whether_it_was_closed(rule: Closing) -> None:
    dice, house = random.Random(rule), House()
    house.company.closing, house.company.closing_days = rule, 4
    house.company.save()
    account = house.account(kind=Account.Kind.POSTPAID)
    papers = [charged(house, account, str(number)) for number in range(4)]
    ran, closed = set(), set()
    for on in DAYS:
        if dice.random() < 0.7:
            with at(on, 2):
                before = set(Invoice.objects.exclude(closed_on=None).values_list("pk", flat=True))
                assert not registry.perform(CLOSE, on=on).failed
                ran.add(on)
                after = Invoice.objects.exclude(closed_on=None).exclude(pk__in=before)
                closed |= {(number, on) for number in after.values_list("number", flat=True)}
        with at(on, 15):
            acted(dice, papers, on)
    with at(DAYS[-1] + DAY * 3, 9):
        for on in DAYS:
            for number in Invoice.objects.values_list("number", flat=True):
                said = told(CLOSE, on, number)
                assert (f": closed on {on}" in said) == ((number, on) in closed), said
                unseen = re.search("never ran|did not run for|was done up to", said)
                assert not unseen or on not in ran, said
                if "so after the run" in said:  # paid or signed in the afternoon
                    paper = Invoice.objects.get(number=number)
                    assert on in (paper.paid_on, paper.signed_on), said
    assert bool(closed) == (rule != Closing.NEVER)


def charged(house: House, account: Account, key: str) -> Invoice:
    made = invoicing.draft(account, house.company, [charge(house, account, 10_00)], key=key)
    return invoicing.issue(made, FIRST)


def acted(dice: random.Random, papers: list[Invoice], on: date) -> None:
    paper = Invoice.objects.get(pk=dice.choice(papers).pk)
    if paper.state == Invoice.State.ISSUED:
        if dice.random() < 0.6:
            closing.sign(paper, on)
        Invoice.objects.filter(pk=paper.pk, paid_on=None).update(paid_on=on)


def test_what_was_opened_again_is_still_known_as_closed() -> None:
    house = House()
    house.company.closing, house.company.closing_days = Closing.DAYS, 0
    house.company.save()
    paper = charged(house, house.account(kind=Account.Kind.POSTPAID), "k")
    with at(FIRST, 2):
        registry.perform(CLOSE, on=FIRST)
    root = User.objects.create_user("root@example.net", role=Role.ROOT)
    with at(FIRST + DAY, 9):
        closing.reopen(Invoice.objects.get(pk=paper.pk), root)
        said = told(CLOSE, FIRST, paper.number)
    assert f"closed on {FIRST}, and opened again on {FIRST + DAY} by root@example.net" in said


@pytest.mark.parametrize("late", [0, 2])
def test_every_day_of_an_account_says_whether_a_month_was_invoiced(late: int) -> None:
    house = House()
    owing, idle = (house.account(kind=Account.Kind.POSTPAID) for _ in range(2))
    prepaid = house.account()
    charge(house, owing, 10_00, on=FIRST - DAY)
    day = FIRST + DAY * late
    with at(day, 2):
        assert not registry.perform(MONTH, on=day).failed
    with at(day + DAY * 3, 9):
        for on in (FIRST, FIRST + DAY, FIRST + DAY * 2, FIRST + DAY * 4):
            said = told(MONTH, on, owing.number)
            assert (f": invoiced on {on}: " in said) == (on == day), said
            if on != day:
                waits = f"done on {day} only" if on < day else f"was issued on {day}"
                assert waits in said
            nothing = "left nothing to be paid" if on >= day else f"done on {day} only"
            assert nothing in told(MONTH, on, idle.number)
            assert "not by the month" in told(MONTH, on, prepaid.number)


@pytest.mark.parametrize("ran", [True, False])
def test_every_day_of_a_setup_says_what_became_of_it(ran: bool) -> None:
    till = Till()
    till.method.settings["page"] = "https://gateway.example"
    till.method.save()
    with at(FIRST, 12):
        storing.begin(till.account, till.method, "https://us.example")
    key = StoredMethod.objects.latest("changed_at").setup_key
    for past in range(4) if ran else ():
        for hour in (2, 14):
            with at(FIRST + DAY * past, hour):
                assert not registry.perform(STALLED, on=FIRST + DAY * past).failed
    with at(FIRST + DAY * 5, 9):
        said = [told(STALLED, FIRST + DAY * past, key) for past in range(-1, 4)]
        assert registry.perform(STALLED, on=FIRST, explain="none").failed
    assert f"it was begun on {FIRST} only" in said[0]
    assert "had 24 hours to be finished" in said[1]
    if ran:
        assert f"resolved on {FIRST + DAY}: forgotten" in said[2]
        assert all(f"was resolved on {FIRST + DAY}, forgotten" in one for one in said[3:])
    else:
        assert all("never ran" in one for one in said[3:])
