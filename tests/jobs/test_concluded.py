"""Promise M8 of the other jobs: each act, and each day without one, has its reason."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import stopping
from billclock.billing.clients import Account
from billclock.billing.letters import readers
from billclock.billing.models import Notice, Service
from billclock.billing.notice_kinds import FINANCE_WEEKLY
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payments import Attempt
from billclock.billing.services import Reason
from billclock.jobs import registry
from tests.billing.company import House
from tests.billing.tills import Till, scripted

pytestmark = pytest.mark.django_db

FIRST = date(2026, 11, 20)
DAYS = [FIRST + timedelta(days=day) for day in range(12)]
AT = {  # the default table's order within a day
    "recurring": (0, 1), "billdaily": (0, 15), "autoprolong_disabled_for_items": (0, 30),
    "warnupdateexpiredate": (1, 0), "send_notification": (3, 0),
}  # fmt: skip
BY_SERVICE = ("autoprolong_disabled_for_items", "warnupdateexpiredate")
LETTERS = {
    "warnupdateexpiredate": ("expiring", "updates_ending"),
    "autoprolong_disabled_for_items": ("renewal_off",),
    "send_notification": ("finance_weekly", "finance_monthly"),
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = tmp_path
    with clock.at(moment(FIRST, 0, 0)), scripted():
        yield


def moment(on: date, hour: int, minute: int) -> datetime:
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=UTC)


@dataclass
class Lived:
    """A span that was lived: what each run saw and did, by job, date and object."""

    ran: set[tuple[str, date]] = field(default_factory=set)
    did: dict[tuple[str, date, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[tuple[str, date, str], Service] = field(default_factory=dict)


def stocked(dice: random.Random) -> House:
    """Make a company whose services end soon: with and without money, cards, renewal, updates."""
    till = Till()
    house = till.house
    for _each in range(5):
        account = house.account(dice.choice((0, 0, 15_00, 60_00)))
        if dice.random() < 0.7:
            readers.choose(account.client.contacts.get(), FINANCE_WEEKLY, on=True)
        for _every in range(2):
            until = FIRST + timedelta(days=dice.randrange(0, 12))
            service = house.service(account, paid_until=until)
            if dice.random() < 0.3:
                service.updates_until = FIRST + timedelta(days=dice.randrange(14))
            service.save()
    for how in (*("",) * 2, DeclineClass.INSUFFICIENT_FUNDS, DeclineClass.TEMPORARY):
        account = till.account if not how else house.account()
        card = till.card(how)
        card.client = account.client
        card.save()
        until = FIRST + timedelta(days=dice.randrange(0, 6))
        house.service(account, paid_until=until, stored_method=card)
    return house


def live(house: House, dice: random.Random) -> Lived:
    lived = Lived()
    for on in DAYS:
        for job, at in AT.items():
            if on == FIRST or dice.random() < 0.85 or job == "billdaily":
                with clock.at(moment(on, *at)):
                    run(lived, job, on)
        with clock.at(moment(on, 15, 0)):
            happen(house, dice, on)
    return lived


def run(lived: Lived, job: str, on: date) -> None:
    notices = set(Notice.objects.values_list("pk", flat=True))
    tries = set(Attempt.objects.values_list("pk", flat=True))
    for service in Service.objects.select_related("account"):
        lived.seen[job, on, service.number] = service
    report = registry.perform(job, on=on)
    assert not report.failed, report.text()
    lived.ran.add((job, on))
    if job == "recurring":
        for attempt in Attempt.objects.exclude(pk__in=tries).select_related("payment__account"):
            lived.did[job, on, attempt.payment.account.number].append(attempt.payment.number)
    made = Notice.objects.exclude(pk__in=notices).exclude(message="").select_related("account")
    for notice in made.filter(kind__in=LETTERS.get(job, ())):
        lived.did[job, on, whom(job, notice)].append(notice.kind)


def whom(job: str, notice: Notice) -> str:
    if job == "send_notification":
        return notice.account.number
    theirs = Service.objects.filter(account=notice.account)
    if job == "warnupdateexpiredate":
        return theirs.get(pk=notice.subject).number
    return theirs.get(renewal_switches=notice.subject).number


def happen(house: House, dice: random.Random, on: date) -> None:
    for service in Service.objects.select_related("account"):
        what = dice.randrange(20)
        if what < 3:
            stopping.set_auto_renew(service, on=not service.auto_renew, by="ann")
        elif what == 3 and not service.stopped_for:
            stopping.suspend(service, Reason.STAFF, on=on, by="bob")
        elif what in (4, 5) and service.stopped_for & Reason.STAFF:
            stopping.lift(service, Reason.STAFF, on=on, why="settled")
        elif what == 6:
            house.pay(service.account, 12_00, on)


def explained(job: str, on: date, what: str) -> str:
    report = registry.perform(job, on=on, explain=what)
    assert not report.failed, report.text()
    return next(line for line in report.text().splitlines() if f" on {on}: " in line)


@pytest.mark.parametrize("seed", range(2))
def test_no_act_and_no_day_without_one_lacks_its_reason(seed: int) -> None:
    dice = random.Random(seed)
    lived = live(stocked(dice), dice)
    acted: dict[str, int] = defaultdict(int)
    with clock.at(moment(DAYS[-1] + timedelta(days=9), 9, 0)):
        numbers = list(Service.objects.values_list("number", flat=True))
        accounts = list(Account.objects.values_list("number", flat=True))
        for job in (*LETTERS, "recurring"):
            for on in DAYS:
                for what in numbers if job in BY_SERVICE else accounts:
                    said = explained(job, on, what)
                    did = lived.did[job, on, what]
                    assert bool(did) == bool(re.search(r": (told|tried) on ", said)), said
                    assert all(one in said for one in did if job != BY_SERVICE[0]), said
                    acted[job] += bool(did)
                    if not did:
                        hold(lived, job, on, what, said.partition(f" on {on}: ")[2])
    assert all(acted[job] > 1 for job in (*LETTERS, "recurring")), acted


def hold(lived: Lived, job: str, on: date, what: str, why: str) -> None:
    """Compare the reason of a day without an act with what the run of that date saw."""
    assert why
    unseen = re.search("never ran|did not run for|was done up to", why)
    assert bool(unseen) == ((job, on) not in lived.ran), why
    assert "it was changed after" not in why
    service: Any = lived.seen.get((job, on, what))
    if unseen or service is None:
        return
    if "renewed by itself" in why:
        assert service.auto_renew, why
    if "it stood since" in why:
        assert service.stopped_for, why
    if "switched on on" in why or "had not been switched off" in why:
        assert service.auto_renew, why
    end = re.match(
        r"(?:the switch of \S+: )?the end was (?:(-?\d+) days away, )?on (\S+?)[,;]", why
    )
    if end:
        assert end[2] == str(service.paid_until), why
    for written in re.findall(r"written on (\S+?)(?:,|$)", why):
        assert lived.did[job, date.fromisoformat(written), what], why
