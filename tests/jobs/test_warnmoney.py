"""warnmoney: letters where money runs out, once a threshold; top-ups by the client's rules."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import autopay, forecast, ledger, paying
from billclock.billing.catalog import Cycle, ProductType
from billclock.billing.clients import Account
from billclock.billing.ledger import Cause, Kind, LedgerAccount, Move
from billclock.billing.models import (
    Invoice,
    Notice,
    Payment,
    PaymentMethod,
    Provider,
    Service,
    StoredMethod,
    Watermark,
)
from billclock.jobs import registry, telling
from billclock.jobs.report import Exit, Report
from billclock.outbox.delivery import Result, deliver
from billclock.outbox.models import Message
from tests.billing.shop import Shop
from tests.outbox.relay import Relay

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

ON = date(2027, 3, 1)
NIGHT = datetime(2027, 3, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def night(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path):
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = tmp_path
    with clock.at(NIGHT):
        yield


def run(on: date = ON, **how) -> Report:
    with clock.at(datetime(on.year, on.month, on.day, 1, tzinfo=UTC)):
        return registry.perform("warnmoney", on=on, **how)


def told() -> list[tuple[str, int]]:
    payloads = [message.payload for message in Message.objects.order_by("id")]
    return [(payload["kind"], payload["threshold"]) for payload in payloads]


def short_in(shop: Shop, days: int, price: int = 1000) -> Account:
    """Open an account without money for what renews so many days from now."""
    account = shop.account()
    shop.service(account, shop.sold(price), ON + days * DAY)
    return account


def card(
    shop: Shop, account: Account, decline: str = "", least: int = 0, **limits: object
) -> PaymentMethod:
    """Give an account a card at the simulated gateway, for automatic payment."""
    method, _ = PaymentMethod.objects.get_or_create(
        code="card",
        defaults={
            "name": "Card", "plugin": "simulated", "provider": shop.provider, "currency_id": "EUR",
            "settings": {"faults": "none", "seed": "1"}, "least_minor": least,
        },
    )  # fmt: skip
    made = paying.gateway(method).peer.card(clock.now(), account.number, decline)
    stored = StoredMethod.objects.create(
        client=account.client, method=method, state=StoredMethod.State.USABLE,
        changed_at=clock.now(), setup_key=f"card {account.number}", token=made["token"],
        gateway_account=made["account"], masked=made["label"],
    )  # fmt: skip
    Account.objects.filter(pk=account.pk).update(autopay=stored, **limits)
    return method


def balance(account: Account) -> int:
    return LedgerAccount.objects.get(pk=account.pk).balance_minor


def test_nothing_is_told_or_taken_ahead_of_its_day(shop: Shop):
    account = short_in(shop, 5)
    card(shop, account)
    ahead = ON + 3 * DAY
    stopped = registry.perform("warnmoney", on=ahead)
    assert stopped.exit_code == Exit.FAILED
    assert "2027-03-04 has not begun: acme has 2027-03-01" in stopped.text()
    assert (
        "would stop and ask first" in registry.perform("warnmoney", on=ahead, dry_run=True).text()
    )
    assert (told(), balance(account), Watermark.objects.count()) == ([], 0, 0)
    confirmed = registry.perform("warnmoney", on=ahead, confirm=True)
    assert "no balance is topped up ahead of it" in confirmed.text()
    assert (told(), balance(account)) == ([("low_money", 2)], 0)


# letters


def test_a_letter_goes_out_at_each_threshold(shop: Shop):
    short_in(shop, 11)
    for n in range(13):
        assert run(ON + n * DAY).exit_code == Exit.DONE
    assert told() == [("low_money", threshold) for threshold in (10, 5, 4, 3, 2, 1, 0)]


def test_letters_fire_on_crossing_and_the_most_urgent_wins(shop: Shop):
    Provider.objects.update(low_money_days=[10, 7, 3])
    short_in(shop, 14)
    run()
    run(ON + 6 * DAY)
    run(ON + 12 * DAY)
    assert told() == [("low_money", 10), ("low_money", 3)]
    assert Notice.objects.get(why_not="superseded").threshold == 7


def test_new_money_means_new_letters(shop: Shop):
    account = short_in(shop, 5)
    run()
    clearing = ledger.account(Kind.CLEARING, "bank", "EUR")
    ledger.post([Move(clearing, account.funds, 10, Cause.PAYMENT, 1)], on=ON + DAY)
    run(ON + DAY)
    assert told() == [("low_money", 5), ("low_money", 4)]
    periods = set(Notice.objects.exclude(message="").values_list("period", flat=True))
    assert periods == {date(2020, 1, 1), ON + DAY}


def test_who_can_pay_or_owes_nothing_is_left_alone(shop: Shop):
    shop.service(shop.account(balance=1000), shop.sold(1000), ON)
    shop.account()
    short_in(shop, 12)
    assert run().done == 0


def test_daily_charges_bring_the_end_near(shop: Shop):
    account = shop.account(balance=1000)
    shop.service(account, shop.sold(3100, cycle=Cycle.DAILY), ON)
    run()
    assert told() == [("low_money", 10)]


def test_a_letter_says_how_long_and_how_much(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example", balance=300)
    shop.service(account, shop.sold(1000), ON + 5 * DAY)
    run()
    assert deliver() == Result(sent=1)
    said = relay.mails[0].get_body(("plain",)).get_content()
    assert "The balance is €3.00. With your services as they are, it lasts until March 6" in said
    assert "€7.00 more is needed" in said


def test_money_that_came_before_the_letter_left_silences_it(shop: Shop, relay: Relay):
    account = short_in(shop, 5)
    run()
    shop.pay(account, 1000)
    assert deliver() == Result(dropped=1)


def test_credit_is_told_near_and_at_its_limit(shop: Shop):
    near = shop.account(kind=Account.Kind.CREDIT, limit=1000, balance=-800)
    shop.account(kind=Account.Kind.CREDIT, limit=1000, balance=-1000)
    shop.account(kind=Account.Kind.CREDIT, limit=1000, balance=-700)
    run()
    run(ON + DAY)
    assert sorted(told()) == [("credit_near", 0), ("credit_reached", 0)]
    shop.pay(near, -200)
    run(ON + 2 * DAY)
    assert sorted(told())[1:] == [("credit_reached", 0), ("credit_reached", 0)]


def test_a_rerun_writes_no_second_letter_and_no_second_charge(shop: Shop):
    account = short_in(shop, 5)
    other = short_in(shop, 6)
    method = card(shop, account)
    run()
    before = told()
    Watermark.objects.all().delete()
    run()
    assert told() == before
    assert len(paying.gateway(method).peer.captures()) == 1
    assert balance(account) == 1000
    assert balance(other) == 0


def test_a_flood_of_letters_waits_for_leave(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "FEW", 1)
    for _ in range(2):
        short_in(shop, 5)
    assert run().exit_code == Exit.FAILED
    assert told() == []
    assert run(confirm=True).done == 2


# top-ups


def test_a_balance_is_topped_up_for_the_month_and_nobody_is_warned(shop: Shop):
    account = short_in(shop, 20, price=15000)
    shop.pay(account, 1000)
    card(shop, account)
    report = run()
    assert report.exit_code == Exit.DONE
    assert balance(account) == 15000
    assert told() == [("payment_received", 0)]
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.purpose) == (14000, Payment.Purpose.TOP_UP)
    assert payment.state == Payment.State.CREDITED
    assert run(ON + DAY).done == 0


def test_a_declined_top_up_is_told_and_left_to_its_own_schedule(shop: Shop):
    account = short_in(shop, 5)
    method = card(shop, account, decline="insufficient_funds")
    run()
    assert sorted(told()) == [("low_money", 5), ("top_up_failed", 1)]
    run(ON + DAY)
    payment = Payment.objects.get()
    assert (payment.tries, payment.next_try_on) == (1, ON + 3 * DAY)
    assert paying.gateway(method).peer.captures() == []
    assert sorted(told()) == [("low_money", 4), ("low_money", 5), ("top_up_failed", 1)]


def test_a_decline_is_told_in_words(shop: Shop, relay: Relay):
    account = short_in(shop, 25)
    card(shop, account, decline="expired_card")
    run()
    deliver()
    said = relay.mails[0].get_body(("plain",)).get_content()
    assert "€10.00 could not be taken by automatic payment: the card has expired" in said


def test_the_monthly_limit_cuts_a_top_up_short(shop: Shop):
    account = short_in(shop, 5)
    card(shop, account, autopay_most_minor=600)
    run()
    assert balance(account) == 600
    assert sorted(told()) == [("low_money", 5), ("payment_received", 0)]


def test_a_used_up_limit_takes_nothing_and_says_so(shop: Shop, relay: Relay):
    account = short_in(shop, 25)
    method = card(shop, account, autopay_most_minor=600, least=700)
    report = run()
    assert "nothing taken, the limit of automatic payments" in report.text()
    assert paying.gateway(method).peer.captures() == []
    deliver()
    said = relay.mails[0].get_body(("plain",)).get_content()
    assert "the most you allowed for a month has been taken" in said
    run(ON + DAY)
    assert told() == [("top_up_failed", 0)]


def test_the_limit_counts_a_sliding_month(shop: Shop):
    account = short_in(shop, 60)
    method = card(shop, account, autopay_most_minor=1000)
    for day, minor in ((date(2027, 4, 23), 900), (date(2027, 4, 24), 300)):
        payment = paying.request(
            account, method, minor, key=f"old {day}", purpose=Payment.Purpose.TOP_UP, on=day,
            stored=StoredMethod.objects.get(),
        )  # fmt: skip
        Payment.objects.filter(pk=payment.pk).update(state=Payment.State.CREDITED, credited_on=day)
    assert autopay.taken(account, date(2027, 5, 23)) == 300
    assert autopay.taken(account, date(2027, 4, 24)) == 1200


def test_the_limit_counts_a_top_up_on_the_day_its_money_was_taken(shop: Shop):
    """A declined one is tried for a fortnight: it was asked for long before it was taken."""
    account = short_in(shop, 60)
    method = card(shop, account, autopay_most_minor=1000)
    payment = paying.request(
        account, method, 900, key="declined at first", purpose=Payment.Purpose.TOP_UP,
        on=date(2027, 4, 20), stored=StoredMethod.objects.get(),
    )  # fmt: skip
    taken = date(2027, 5, 4)
    assert autopay.taken(account, taken) == 0
    for state, credited in ((Payment.State.IN_PROGRESS, None), (Payment.State.CREDITED, taken)):
        Payment.objects.filter(pk=payment.pk).update(state=state, credited_on=credited)
        assert autopay.taken(account, date(2027, 5, 25)) == 900
    assert autopay.taken(account, date(2027, 6, 4)) == 0


def test_a_card_replaced_is_tried_in_the_same_forecast(shop: Shop):
    account = short_in(shop, 5)
    card(shop, account, decline="expired_card")
    run()
    StoredMethod.objects.update(setup_key="old")
    card(shop, account)
    run(ON + DAY)
    assert balance(account) == 1000


def test_a_flood_of_top_ups_takes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "FEW", 1)
    for _ in range(2):
        method = card(shop, short_in(shop, 25))
    report = run()
    assert report.exit_code == Exit.FAILED
    assert "2 balances topped up, usual are 0" in report.text()
    assert paying.gateway(method).peer.captures() == []
    assert run(confirm=True).exit_code == Exit.DONE
    assert len(paying.gateway(method).peer.captures()) == 2


def test_a_dry_run_takes_nothing_and_tells_nobody(shop: Shop):
    account = short_in(shop, 5)
    method = card(shop, account)
    report = run(dry_run=True)
    assert "acme: 1 balances would be topped up by 10.00 EUR" in report.text()
    assert paying.gateway(method).peer.captures() == []
    assert told() == []
    assert not Payment.objects.exists()


def test_explain_tells_the_forecast_and_the_letters(shop: Shop):
    account = short_in(shop, 5)
    run()
    said = run(explain=account.number).text()
    assert "it can spend 0.00 EUR, the month needs 10.00 EUR; the money ends on 2027-03-06" in said
    assert "2027-03-01 low_money, threshold 5" in said
    assert "10 5 4 3 2 1 0 days before" in said
    shop.pay(account, 5000)
    assert "lasts for the month" in run(explain=account.number).text()
    assert "no account 'x'" in run(explain="x").text()


def test_explain_of_one_account_is_what_the_set_says(shop: Shop):
    account = short_in(shop, 5)
    (of_set,) = forecast.short(shop.provider, ON)
    assert forecast.outlook(account, ON) == of_set


# automatic invoices


@pytest.fixture
def asking(shop: Shop) -> Shop:
    Provider.objects.update(automatic_invoices=True)
    shop.provider.refresh_from_db()
    return shop


def requests(account: Account) -> list[tuple[date, int, list[str]]]:
    found = Invoice.objects.filter(account=account, kind=Invoice.Kind.REQUEST).order_by("id")
    return [
        (made.issued_on, made.total_minor, sorted(line.text for line in made.lines.all()))
        for made in found
    ]


def test_a_request_is_written_for_what_ends_soon_and_once(asking: Shop):
    account = asking.account(balance=5)
    for days, name in ((3, "a"), (9, "b"), (10, "c")):
        asking.service(account, asking.sold(1000), ON + days * DAY, name=name)
    for n in range(3):
        run(ON + n * DAY)
    expected = [(ON, 2000, ["Web S, a", "Web S, b"]), (ON + DAY, 1000, ["Web S, c"])]
    assert requests(account) == expected
    assert told().count(("invoice", 0)) == 2


def test_a_request_nobody_followed_is_written_anew(asking: Shop):
    Provider.objects.update(low_money_days=[3])
    account = short_in(asking, 2)
    run()
    run(ON + DAY)
    assert len(requests(account)) == 1
    Service.objects.update(paid_until=ON + 5 * DAY)
    run(ON + 3 * DAY)
    Service.objects.update(paid_until=ON + 2 * DAY)
    run(ON + 4 * DAY)
    assert [day for day, *_ in requests(account)] == [ON, ON + 3 * DAY, ON + 4 * DAY]


def test_requests_are_off_by_default(shop: Shop):
    account = short_in(shop, 3)
    run()
    assert requests(account) == []


def test_some_are_never_asked(asking: Shop):
    credit = asking.account(kind=Account.Kind.CREDIT, limit=10)
    asking.service(credit, asking.sold(1000), ON)
    hourly = short_in(asking, 2)
    asking.service(hourly, asking.sold(100_000, cycle=Cycle.HOURLY), ON)
    domain = asking.account()
    kind = ProductType.objects.create(code="domain", name="Domain", domain=True)
    asking.service(domain, asking.sold(1000, type=kind), ON)
    paid = asking.account(balance=1000)
    asking.service(paid, asking.sold(1000), ON)
    run()
    assert not Invoice.objects.exists()


def test_a_flood_of_requests_waits_for_leave(asking: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "FEW", 1)
    for _ in range(2):
        short_in(asking, 2)
    assert "2 requests to pay, usual are 0" in run().failed["acme"]
    assert not Invoice.objects.exists()
    run(dry_run=True)
    assert not Invoice.objects.exists()
    run(confirm=True)
    assert Invoice.objects.count() == 2
