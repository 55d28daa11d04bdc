"""Promise M8 of accounts: what was charged and stopped on each date, or why nothing."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from billclock import clock
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.concluding import billed, records, stops
from billclock.billing.models import Service, Suspension
from billclock.billing.services import Outcome, Status
from billclock.billing.verdicts import FOR_USE
from billclock.jobs import registry
from billclock.outbox.models import Message, State
from tests.billing.charged import DECEMBER, charge, reverse
from tests.billing.company import House
from tests.jobs.test_concluded import (
    DAYS,
    FIRST,
    _here,  # noqa: F401 - a fixture
    happen,
    moment,
    stocked,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
JOBS = {"recurring": (0, 1), "billdaily": (0, 15), "autosuspend": (6, 2)}


@dataclass
class Lived:
    """What was so when autosuspend ran: who was stopped by it, who was unpaid after it."""

    ran: set[date] = field(default_factory=set)
    stopped: dict[tuple[date, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    unpaid: dict[tuple[date, str], set[str]] = field(default_factory=lambda: defaultdict(set))


def lived(dice: random.Random) -> Lived:
    house, seen = stocked(dice), Lived()
    for on in DAYS:
        for job, at in JOBS.items():
            if job == "autosuspend" and dice.random() < 0.2:
                continue
            with clock.at(moment(on, *at)):
                before = set(Suspension.objects.values_list("pk", flat=True))
                report = registry.perform(job, on=on, confirm=True)
                assert not report.failed, report.text()
                look(seen, before, on) if job == "autosuspend" else send(dice)
        with clock.at(moment(on, 15, 0)):
            happen(house, dice, on)
    return seen


def send(dice: random.Random) -> None:
    """Let most letters go out."""
    for message in Message.objects.filter(sent_at=None):
        if dice.random() < 0.8:
            Message.objects.filter(pk=message.pk).update(sent_at=clock.now(), state=State.SENT)


def look(seen: Lived, before: set[int], on: date) -> None:
    seen.ran.add(on)
    for stop in Suspension.objects.exclude(pk__in=before).select_related("service__account"):
        seen.stopped[on, stop.service.account.number].add(stop.service.number)
    left = Service.objects.filter(status=Status.ACTIVE, stopped_for=0, unfunded_since__isnull=False)
    for service in left.filter(auto_renew=True).select_related("account"):
        seen.unpaid[on, service.account.number].add(service.number)


@pytest.mark.parametrize("seed", range(4))
def test_each_stop_and_each_day_without_one_has_its_reason(seed: int) -> None:
    seen = lived(random.Random(seed))
    said_of = defaultdict(int)
    with clock.at(moment(DAYS[-1] + DAY, 9, 0)):
        for on in DAYS:
            for account in Account.objects.select_related("provider", "client", "group"):
                said = stops.concluded(account, on)
                stopped = seen.stopped[on, account.number]
                assert all(number in said for number in stopped), (said, stopped)
                quiet = said.startswith(f"nothing stopped on {on}: ")
                moved = Suspension.objects.filter(service__account=account)
                assert quiet == (
                    not moved.filter(on=on).exists() and not moved.filter(lifted_on=on).exists()
                ), said
                for number in stopped:
                    told = registry.perform("autosuspend", on=on, explain=number).text()
                    assert told.startswith(f"{number}: stopped on {on} for "), told
                    assert "told on" not in told or "superseded" not in told
                if quiet:
                    said_of[hold(seen, account, on, said.partition(": ")[2])] += 1
                said_of["stopped"] += bool(stopped)
    assert min(said_of[what] for what in ("stopped", "unseen", "unpaid", "nothing")) > 0, said_of


def hold(seen: Lived, account: Account, on: date, why: str) -> str:
    """Compare the reason of a day without a stop with what was so after that day's run."""
    if re.search("never ran|did not run for|was done up to", why):
        assert on not in seen.ran, why
        return "unseen"
    assert on in seen.ran, why
    unpaid = seen.unpaid[on, account.number]
    named = set(re.findall(r"(\S+) was unpaid;", why))
    assert named == unpaid, (why, unpaid)
    if unpaid:
        over = re.search("its grace was over on (\\S+) only", why)
        assert over or "did not know of it" in why or "put off" in why, why
        assert not over or date.fromisoformat(over[1]) > on, why
        return "unpaid"
    return "ended" if "had ended" in why else "nothing"


@pytest.mark.parametrize("seed", range(2))
def test_each_charge_and_each_renewal_refused_is_told(seed: int) -> None:
    lived(random.Random(seed))
    told = refused = 0
    with clock.at(moment(DAYS[-1] + DAY, 9, 0)):
        for on in [FIRST - DAY, *DAYS]:
            for account in Account.objects.select_related("provider"):
                said = billed.concluded(account, on)
                made = Charge.objects.filter(account=account, on=on).exclude(kind=ChargeKind.PAUSE)
                assert bool(re.search("(^|; )charged (on|besides)", said)) == made.exists(), said
                for charge in made:
                    keys = {fact.key for fact in records.of_account(account, on)}
                    assert charge.pk in keys
                told += made.exists()
                lacking = {
                    number for number in account.services.values_list("number", flat=True)
                    if last(number, on) == "UNFUNDED"
                }  # fmt: skip
                named = re.search("for lack of money: ([^;]+)", said)
                assert set(named[1].split(", ") if named else ()) == lacking, said
                refused += bool(lacking)
    assert min(told, refused) > 1


def last(number: str, on: date) -> str:
    given = Service.objects.get(number=number).verdicts.filter(on=on, sequence__lt=FOR_USE)
    verdict = given.order_by("-sequence").first()
    return Outcome(verdict.outcome).name if verdict else ""


def test_what_was_taken_back_is_told_on_its_day() -> None:
    house = House()
    account = house.account(100_00)
    made = charge(house, account, 10_00, on=FIRST - DAY * 5)
    kept = charge(house, account, 20_00, on=FIRST - DAY * 5)
    reverse(made)
    assert billed.concluded(account, DECEMBER) == f"taken back on {DECEMBER}: 1 charge, 11.90 EUR"
    facts = [fact for fact in records.of_account(account, DECEMBER) if fact.kind == "charge"]
    assert [fact.key for fact in facts] == [made.pk] != [kept.pk]
    assert facts[0].text.endswith("taken back: it was down")
