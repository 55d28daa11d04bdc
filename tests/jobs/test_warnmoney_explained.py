"""Promise M8 of letters about money: each of them, and each day without one, has its reason."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import forecast, money_letters
from billclock.billing.catalog import Cycle
from billclock.billing.clients import Account
from billclock.billing.models import Notice, Service
from billclock.jobs import registry
from tests.billing.shop import Shop
from tests.jobs.test_warnmoney import card

pytestmark = pytest.mark.django_db

FIRST = date(2027, 3, 1)
DAYS = [FIRST + timedelta(days=day) for day in range(22)]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = tmp_path


def explained(account: Account, on: date) -> str:
    """Give what the job says of an account's date in its first line."""
    report = registry.perform("warnmoney", on=on, explain=account.number)
    assert not report.failed
    return str(report.text().splitlines()[0])


def opened(shop: Shop, dice: random.Random) -> list[Account]:
    accounts = [shop.account(balance=dice.choice((0, 0, 2_00, 20_00))) for _ in range(4)]
    accounts.append(shop.account(kind=Account.Kind.CREDIT, limit=10_00, balance=-5_00))
    for account in accounts:
        for _ in range(dice.randrange(1, 3)):
            cycle = dice.choice((Cycle.PERIODIC, Cycle.DAILY))
            until = FIRST + timedelta(days=dice.randrange(1, 25))
            shop.service(account, shop.sold(dice.randrange(1_00, 15_00), cycle=cycle), until)
    card(shop, accounts[0], autopay_most_minor=4_00)
    card(shop, accounts[1], decline="insufficient_funds")
    return accounts


def happen(shop: Shop, dice: random.Random, accounts: list[Account]) -> None:
    for account in accounts:
        what = dice.randrange(10)
        if what == 0:
            shop.pay(account, dice.randrange(1, 9_00))
        elif what == 1:
            Service.objects.filter(account=account).update(auto_renew=bool(dice.randrange(2)))


def written(account: Account, on: date) -> list[str]:
    names = [kind.name for kind in money_letters.KINDS]
    found = Notice.objects.filter(account=account, on=on, kind__in=names).exclude(message="")
    return [f"{one.kind} {one.threshold}" for one in found.order_by("id")]


def hold(account: Account, on: date, said: str) -> None:
    """Compare the reason of a day without a letter with what is so."""
    outlook = {one.account: one for one in forecast.short(account.provider, on)}.get(account.pk)
    if "lasts for the month" in said:
        assert outlook is None
    elif "the first letter goes out" in said:
        assert outlook is not None
        assert (outlook.ends_on - on).days > max(account.provider.low_money_days)
    elif since := re.search(r"days was written on (\S+),", said):
        names = written(account, date.fromisoformat(since[1]))
        superseded = Notice.objects.filter(account=account, on=since[1], message="")
        assert names or superseded.exists()
    else:
        assert "did not run" in said or "was done up to" in said or "under way" in said, said


@pytest.mark.parametrize("seed", range(2))
def test_no_letter_and_no_day_without_one_lacks_its_reason(seed: int) -> None:
    dice = random.Random(seed)
    with clock.at(datetime.combine(FIRST, datetime.min.time(), UTC)):
        shop = Shop()
        accounts = opened(shop, dice)
    for on in DAYS:
        with clock.at(datetime.combine(on, datetime.min.time(), UTC) + timedelta(hours=1)):
            if on == FIRST or dice.random() < 0.85:
                assert not registry.perform("warnmoney", on=on).failed
            for account in accounts:
                said = explained(account, on)
                assert f"told on {on}: {', '.join(written(account, on))}" in said or (
                    f"no letter on {on}: " in said and not written(account, on)
                )
                if "no letter" in said:
                    hold(account, on, said)
            happen(shop, dice, accounts)
    with clock.at(datetime.combine(DAYS[-1], datetime.min.time(), UTC) + timedelta(days=9)):
        for on in DAYS[:-1]:
            for account in accounts:
                names, said = written(account, on), explained(account, on)
                assert (f"told on {on}: {', '.join(names)}" in said) is bool(names), said
                assert re.search(r": (told|no letter) on \S+: \S", said), said
    assert Notice.objects.exclude(message="").count() > 5
