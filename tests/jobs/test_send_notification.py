"""send_notification: one letter an account and period, when there is something to say."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing import ledger
from billclock.billing.clients import Account, Contact
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Cause, Kind, Move
from billclock.billing.letters import readers
from billclock.billing.notice_kinds import FINANCE_MONTHLY, FINANCE_WEEKLY
from billclock.billing.notifications import notify
from billclock.billing.services import Task
from billclock.jobs import registry
from billclock.jobs.report import Report
from billclock.outbox.delivery import Result, deliver
from billclock.outbox.models import Message
from tests.billing.shop import Shop
from tests.outbox.relay import Relay

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

FIRST = date(2027, 3, 1)  # a Monday
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def night(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    with clock.at(datetime(2027, 3, 1, 3, tzinfo=UTC)):
        yield


def run(on: date = FIRST, **how) -> Report:
    """Run for a date, on it or later."""
    at = max(clock.now(), datetime(on.year, on.month, on.day, 1, tzinfo=UTC))
    with clock.at(at):
        return registry.perform("send_notification", on=on, **how)


def told() -> list[tuple[str, int, str]]:
    payloads = [message.payload for message in Message.objects.order_by("id")]
    return [(p["kind"], p["account"], p["period"]) for p in payloads]


def weekly(account: Account) -> None:
    readers.choose(account.client.contacts.get(), FINANCE_WEEKLY, on=True)


def paid_in(account: Account, minor: int, on: date) -> None:
    clearing = ledger.account(Kind.CLEARING, "card", "EUR")
    source = 100 + Message.objects.count() + minor
    ledger.post([Move(clearing, account.funds, minor, Cause.PAYMENT, source)], on=on)


def spent(account: Account, minor: int, on: date) -> None:
    revenue = ledger.account(Kind.REVENUE, "acme/hosting", "EUR")
    ledger.post([Move(account.funds, revenue, minor, Cause.CHARGE, minor)], on=on)


def owing(shop: Shop) -> Account:
    return shop.account(balance=-500)


def test_a_month_is_told_on_its_first_day_and_once(shop: Shop):
    account = owing(shop)
    assert run().done == 1
    assert run().done == 0
    for n in range(1, 31):
        assert run(FIRST + n * DAY).done == 0
    assert run(date(2027, 4, 1)).done == 1
    assert told() == [
        ("finance_monthly", account.pk, "2027-03-01"),
        ("finance_monthly", account.pk, "2027-04-01"),
    ]


def test_a_week_is_told_on_mondays_to_who_asked_for_it(shop: Shop):
    account = owing(shop)
    owing(shop)
    weekly(account)
    readers.choose(account.client.contacts.get(), FINANCE_MONTHLY, on=False)
    for n in range(1, 16):
        run(FIRST + n * DAY)
    assert told() == [
        ("finance_weekly", account.pk, "2027-03-08"),
        ("finance_weekly", account.pk, "2027-03-15"),
    ]


def test_of_missed_periods_the_latest_alone_is_told(shop: Shop):
    account = owing(shop)
    weekly(account)
    run(FIRST - 3 * DAY)
    assert told() == []
    run(FIRST + 40 * DAY, confirm=True)
    assert told() == [
        ("finance_weekly", account.pk, "2027-04-05"),
        ("finance_monthly", account.pk, "2027-04-01"),
    ]


def test_who_has_nothing_to_hear_of_gets_nothing(shop: Shop):
    shop.account(balance=100)
    shop.service(shop.account(balance=100), shop.sold(), date(2027, 6, 1))
    assert run().done == 0


@pytest.mark.parametrize(
    "what", ["debt", "invoice", "closed invoice", "renewal", "money in", "money out"]
)
def test_each_of_these_is_something_to_say(shop: Shop, relay: Relay, what: str):
    account = shop.account(balance=-1 if what == "debt" else 0)
    if what.endswith("invoice"):
        Invoice.objects.create(
            key="k", company=shop.company, account=account, currency="EUR", number="N-1",
            net_minor=1200, covered_minor=200, due_on=FIRST, issued_on=FIRST,
            state="closed" if what == "closed invoice" else "issued",
        )  # fmt: skip
    if what == "renewal":
        shop.service(account, shop.sold(1500), FIRST + 9 * DAY, name="a.example")
    if what == "money in":
        paid_in(account, 70, date(2027, 2, 3))
    if what == "money out":
        paid_in(account, 70, date(2027, 1, 3))
        spent(account, 70, date(2027, 2, 3))
    assert run().done == 1
    assert deliver() == Result(sent=1)
    words = {
        "debt": "You owe €0.01.",
        "invoice": "Unpaid invoices\n\n- N-1 (due on March 1, 2027): €10.00\n",
        "closed invoice": "- N-1 (due on March 1, 2027): €10.00\n",
        "renewal": "Coming charges\n\n- a.example (Web S) (renews on March 10, 2027): €15.00\n",
        "money in": "- Money in: €0.70\n",
        "money out": "- Balance before (February 1, 2027): €0.70\n",
    }
    assert words[what] in relay.mails[0].get_body(("plain",)).get_content()


def test_a_statement_adds_up(shop: Shop, relay: Relay):
    account = shop.account()
    paid_in(account, 1000, date(2027, 1, 31))
    paid_in(account, 500, date(2027, 2, 1))
    spent(account, 300, date(2027, 2, 28))
    spent(account, 50, date(2027, 3, 1))
    run()
    deliver()
    said = relay.mails[0].get_body(("plain",)).get_content()
    assert (
        "- Balance before (February 1, 2027): €10.00\n- Money in: €5.00\n- Money out: -€3.00\n"
        "- Balance after (February 28, 2027): €12.00\n"
    ) in said
    assert "The balance of account acme-1 is €11.50." in said


def test_what_is_settled_before_the_letter_leaves_is_not_told(shop: Shop, relay: Relay):
    account = owing(shop)
    run()
    shop.pay(account, 500)
    assert deliver() == Result(dropped=1)


def test_a_client_without_an_address_is_not_written_to(shop: Shop):
    account = owing(shop)
    account.client.contacts.update(email="")
    assert run().done == 0


def test_what_nobody_took_becomes_a_task(shop: Shop, relay: Relay):
    account = shop.account("")
    notify(account, "suspended", period=FIRST, on=FIRST, facts={"why": "no money"})
    deliver()
    assert "1 letters nobody took became tasks" in run().text()
    assert Task.objects.get().account == account
    assert "became tasks" not in run(FIRST + DAY).text()


def test_explain_tells_who_gets_what(shop: Shop):
    account = owing(shop)
    run()
    said = run(explain=account.number).text()
    email = Contact.objects.get().email
    assert f"{email} does not get finance_weekly" in said
    assert f"{email} gets finance_monthly" in said
    assert "finance_monthly, threshold 0, about 2027-03-01: queued" in said
