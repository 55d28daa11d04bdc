"""Money entered by hand: once a key, within the floor, undone by what names it; on both engines."""

from __future__ import annotations

from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from billclock import clock
from billclock.billing import by_hand, engine, following, insert_only, ledger
from billclock.billing import fingerprint as books
from billclock.billing.by_hand import HandEntry, Wish
from billclock.billing.clients import Account
from billclock.billing.daily import run
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.explaining import explain_service
from billclock.billing.ledger import Cause, Kind, LedgerAccount, Transfer
from billclock.billing.payments import Arrival
from billclock.billing.verifying import breaches
from tests.billing.company import TODAY, House, noon
from tests.billing.engines import committed, join

GOODWILL, CORRECTION = HandEntry.Sort.GOODWILL, HandEntry.Sort.CORRECTION
both = pytest.mark.usefixtures("engine")


def enter(
    account: Account, minor: int, key: str = "k", reason: str = "the disk failed", **more: bool
) -> tuple[HandEntry, bool]:
    with clock.at(noon(TODAY)):
        return by_hand.enter(account, Wish(GOODWILL, minor, reason, **more), by="eve", key=key)


def balance(account: Account) -> int:
    return LedgerAccount.objects.get(pk=account.pk).balance_minor


@both
def test_money_is_given_once_a_key_with_who_and_why() -> None:
    house = House()
    account = house.account()
    entry, new = enter(account, 12_50)
    assert (new, enter(account, 12_50)) == (True, (entry, False))
    assert (entry.by, entry.reason, entry.on) == ("eve", "the disk failed", TODAY)
    moved = Transfer.objects.get(cause=Cause.MANUAL)
    assert (moved.source, moved.credit_id, moved.amount_minor) == (entry.pk, account.pk, 12_50)
    assert (moved.debit.kind, moved.debit.owner) == (Kind.BY_HAND, house.provider.code)
    assert balance(account) == 12_50
    assert list(breaches()) == []


@both
@pytest.mark.parametrize("other", ["amount", "reason", "account"])
def test_a_key_of_something_else_is_refused(other: str) -> None:
    house = House()
    account = house.account()
    enter(account, 5_00)
    to = house.account() if other == "account" else account
    with pytest.raises(BillingError, match=r"key k was used .*; give each entry a key of its own"):
        enter(
            to, 6_00 if other == "amount" else 5_00, reason="x" if other == "reason" else
            "the disk failed",
        )  # fmt: skip
    assert (balance(account), HandEntry.objects.count()) == (5_00, 1)


@both
@pytest.mark.parametrize(
    ("kind", "money", "limit", "blocked", "most"),
    [
        (Account.Kind.PREPAID, 20_00, 0, False, 20_00),
        (Account.Kind.PREPAID, 0, 0, False, 0),
        (Account.Kind.CREDIT, 0, 30_00, False, 30_00),
        (Account.Kind.CREDIT, 10_00, 30_00, True, 10_00),
        (Account.Kind.POSTPAID, 0, 0, False, 10**9),
    ],
)
def test_what_an_account_may_not_spend_is_not_taken(
    kind: Account.Kind, money: int, limit: int, *, blocked: bool, most: int
) -> None:
    account = House().account(money, kind, limit)
    account.credit_blocked = blocked
    account.save()
    if kind != Account.Kind.POSTPAID:
        with pytest.raises(NotEnoughMoneyError):
            enter(account, -(most + 1))
        assert (balance(account), HandEntry.objects.count()) == (money, 0)
    if most:
        enter(account, -most)
    assert balance(account) == money - most
    enter(account, -1, key="past", past_floor=True)
    assert balance(account) == money - most - 1
    assert list(breaches()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("minor", "reason", "said"),
    [
        (0, "x", "0 is no amount to be entered"),
        (by_hand.MOST + 1, "x", "is no amount to be entered"),
        (100, "  ", "money is not moved without a reason"),
        (100, "x" * 301, "in at most 300 letters"),
    ],
)
def test_what_cannot_be_entered_is_refused(minor: int, reason: str, said: str) -> None:
    account = House().account(1_00)
    with pytest.raises(BillingError, match=said):
        enter(account, minor, reason=reason)
    assert not HandEntry.objects.exists()


@pytest.mark.django_db
def test_a_closed_client_is_given_nothing() -> None:
    account = House().account()
    account.client.closed = True
    account.client.save()
    with pytest.raises(BillingError, match="is closed; open it again first"):
        enter(account, 100)


@both
@pytest.mark.parametrize("minor", [7_00, -7_00])
def test_an_entry_is_taken_back_once_by_a_transfer_that_names_it(minor: int) -> None:
    account = House().account(10_00)
    entry, _new = enter(account, minor)
    back, new = by_hand.take_back(entry, "typed twice", by="adam")
    again, second = by_hand.take_back(entry, "typed twice", by="adam")
    assert (new, second, again) == (True, False, back)
    assert (back.amount_minor, back.takes_back, back.by) == (-minor, entry, "adam")
    reversal = Transfer.objects.get(cause=Cause.REVERSAL)
    assert reversal.reverses == Transfer.objects.get(cause=Cause.MANUAL)
    assert balance(account) == 10_00
    with pytest.raises(BillingError, match="enter the money anew"):
        by_hand.take_back(back, "no", by="adam")
    assert list(breaches()) == []


@both
def test_what_was_spent_is_taken_back_only_past_the_floor() -> None:
    account = House().account()
    entry, _new = enter(account, 10_00)
    enter(account, -4_00, key="spent")
    with pytest.raises(NotEnoughMoneyError):
        by_hand.take_back(entry, "no goodwill", by="eve")
    by_hand.take_back(entry, "no goodwill", by="eve", past_floor=True)
    assert balance(account) == -4_00


@both
def test_what_waited_for_money_is_renewed_and_explained() -> None:
    house = House()
    account = house.account()
    service = house.service(account)
    with clock.at(noon(TODAY)):
        run.bill(house.provider, TODAY, run.Plan())
        service.refresh_from_db()
        assert service.unfunded_since == TODAY
        enter(account, 50_00)
        assert Arrival.objects.filter(account=account).exists()
        assert following.attempt(account).renewed == 1
    assert not Arrival.objects.exists()
    service.refresh_from_db()
    assert service.paid_until > TODAY
    told = [fact.text for fact in explain_service(service.number, TODAY).facts]
    assert "goodwill 50.00 EUR by eve: the disk failed" in told


@both
def test_the_books_hash_tells_another_reason_from_this_one() -> None:
    account = House().account()
    before = books.take()
    with transaction.atomic():
        enter(account, 100)
        one = books.take()
        transaction.set_rollback(True)
    enter(account, 100, reason="another")
    assert len({before["books"], one["books"], books.take()["books"]}) == 3
    assert one["transfers"] == books.take()["transfers"]


@both
@pytest.mark.parametrize(
    "planted",
    [
        "DELETE FROM billing_transfer WHERE cause = 13",
        "UPDATE billing_transfer SET amount_minor = amount_minor + 1 WHERE cause = 13",
        "DELETE FROM billing_transfer WHERE cause = 12",
        "UPDATE billing_handentry SET amount_minor = -amount_minor WHERE takes_back_id IS NULL",
    ],
)
def test_an_entry_that_the_ledger_does_not_say_is_found(planted: str) -> None:
    account = House().account()
    entry, _new = enter(account, 100)
    by_hand.take_back(entry, "no", by="eve")
    insert_only.lift(connection)
    engine.execute(planted)
    found = {breach.invariant for breach in breaches()}
    insert_only.guard(connection)
    assert "money entered by hand is what was posted" in found


@both
def test_a_transfer_by_hand_without_its_entry_is_found() -> None:
    account = House().account()
    ours = ledger.account(Kind.BY_HAND, "x", "EUR")
    ledger.post([ledger.Move(ours, account.funds, 5, Cause.MANUAL, 4711)], on=TODAY)
    assert [one.invariant for one in breaches()] == ["no transfer without its source"]


@both
@pytest.mark.parametrize("act", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_an_entry_stays_as_it_was_written(act: str) -> None:
    enter(House().account(), 100)
    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic():
        engine.execute(act.format("billing_handentry"))


@pytest.mark.postgres
@pytest.mark.django_db
def test_two_that_send_one_form_at_once_enter_it_once() -> None:
    with committed() as entry:
        account = House().account()
        made: list[tuple[int, bool]] = []

        def send() -> None:
            theirs = join(entry)
            try:
                found, new = enter(account, 3_00)
                made.append((found.pk, new))
            finally:
                theirs.close()

        threads = [Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(new for _key, new in made) == [False, False, False, True]
        assert len({key for key, _new in made}) == 1
        assert balance(account) == 3_00
