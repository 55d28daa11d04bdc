"""`billclock verify`: every invariant turns red where its breach is planted, and else is green."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from billclock.billing import by_hand, fingerprint, insert_only, sealing
from billclock.billing import engine as sql
from billclock.billing.charges import Charge, Reversal
from billclock.billing.daily import run
from billclock.billing.ledger import LedgerAccount, Transfer
from billclock.billing.services import Reason, Service
from billclock.billing.verifying import breaches
from billclock.commands import verify
from billclock.commands.billclock import parser_of as arguments_of
from tests.billing.company import TODAY, House

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def house() -> House:
    house = House()
    for _ in range(3):
        house.service(house.account(50_00))
    house.service(house.account(1_00))
    run.bill(house.provider, TODAY, run.Plan())
    sealing.seal(TODAY)
    assert list(breaches()) == []
    return house


PLANTED = {
    "per currency, debits equal credits":
        "UPDATE billing_ledgeraccount SET balance_minor = balance_minor + 1 WHERE kind = 2",
    "every balance equals its transfers":
        "UPDATE billing_ledgeraccount SET balance_minor = balance_minor + 1 WHERE kind = 1",
    "a transfer stays within one currency": "UPDATE billing_transfer SET currency = 'USD'",
    "a service's charged periods tile":
        "UPDATE billing_charge SET period_start = '2026-11-22', period_end = '2026-12-20' "
        "WHERE net_minor > 0",
    "a service is paid until its last charged period ends":
        "UPDATE billing_service SET paid_until = '2030-01-01'",
    "no charge without its transfers": "DELETE FROM billing_transfer WHERE cause = 2",
    "no transfer without its source":
        "UPDATE billing_transfer SET source = source + 100000 WHERE cause IN (1, 2)",
    "a charge is of its service's account":
        "UPDATE billing_charge SET account_id = account_id + 100000",
    "a service is stopped for its suspensions": "UPDATE billing_service SET stopped_for = 4",
    "a letter is in the outbox once": "DELETE FROM outbox_message",
    "every billing run left each due service with an outcome": "DELETE FROM billing_verdict",
    "a sealed day stays as it was": "UPDATE billing_transfer SET amount_minor = amount_minor + 1",
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_breach_is_found(house, name):
    insert_only.lift(connection)
    sql.execute(PLANTED[name])
    found = {breach.invariant for breach in breaches()}
    insert_only.guard(connection)
    assert name in found


@pytest.mark.parametrize("reason", [Reason.MONEY, Reason.ADDON, Reason.EXPIRED])
def test_a_stop_by_billing_without_its_verdict_is_found(house, reason):
    service = Service.objects.earliest("id")
    service.suspensions.create(reason=reason, on=TODAY)
    Service.objects.filter(pk=service.pk).update(stopped_for=reason)
    told = [breach.what for breach in breaches()]
    assert told == [f"service {service.number} was suspended on {TODAY} without a verdict"]


def test_missing_triggers_are_found(house):
    insert_only.lift(connection)
    assert "the books are only added to" in {breach.invariant for breach in breaches()}
    insert_only.guard(connection)


@pytest.mark.parametrize("table", insert_only.TABLES)
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_books_cannot_be_changed(house, table, act):
    charge = Charge.objects.earliest("id")
    Reversal.objects.create(charge=charge, on=TODAY, why="planted")
    wish = by_hand.Wish(by_hand.HandEntry.Sort.GOODWILL, 1, "planted")
    by_hand.enter(charge.account, wish, by="eve", key="k")
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
        sql.execute(act.format(table))


def test_a_day_is_sealed_once_and_the_next_seal_follows_on_it(house):
    assert sealing.seal(TODAY) is None
    assert sealing.seal(TODAY - timedelta(days=1)) is None
    house.pay(house.account(), 5)
    later = sealing.seal(date(2026, 12, 1))
    assert later is not None
    assert later.transfers == 1
    assert list(sealing.check()) == []


def test_the_fingerprint_does_not_depend_on_keys():
    before = LedgerAccount.objects.count()
    one = _told()
    LedgerAccount.objects.create(kind=1, owner="gap", currency="EUR", exponent=2)
    assert before == 0
    assert Transfer.objects.count() > 0
    assert one["books"] == fingerprint.take()["books"]


def _told() -> dict[str, str]:
    house = House()
    house.service(house.account(50_00))
    run.bill(house.provider, TODAY, run.Plan())
    return fingerprint.take()


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_the_command_says_it_in_words_and_as_json(capsys):
    planted = House()
    planted.account(50_00)
    args = arguments_of("verify").parse_args([])
    assert verify.told(args) == 0
    assert "0 breached" in capsys.readouterr().out
    sql.execute(PLANTED["every balance equals its transfers"])
    assert verify.told(arguments_of("verify").parse_args(["--json"])) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["breaches"][0]["invariant"]
    assert len(told["hash"]["books"]) == 64
