"""A company that does not exist: of any size, the same each time, living by the table."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.conf import settings

from billclock import clock
from billclock.billing import by_hand, fingerprint
from billclock.billing.clients import Account, Client
from billclock.billing.errors import BillingError
from billclock.billing.invoices import Invoice
from billclock.billing.payments import BankEntry, Payment, PaymentMethod
from billclock.billing.provider import Provider
from billclock.billing.services import Service, Status, Task, Verdict
from billclock.billing.verifying import breaches
from billclock.cron.crontab import Crontab
from billclock.jobs import registry
from billclock.outbox.models import Message, State
from billclock.simulation import company, office, outside
from billclock.simulation.advance import live
from billclock.simulation.table import moments
from billclock.web.sections import all_sections

START = date(2026, 2, 26)
ZONE = clock.server_zone()
BEGIN = datetime(2026, 2, 26, tzinfo=ZONE)

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


@pytest.fixture
def provider(tmp_path, monkeypatch):
    for name in ("HOME", "DATA"):
        monkeypatch.setattr(settings, name, tmp_path)
    with clock.at(BEGIN):
        provider = company.found(company.Size(120), START)
        outside.give_cards(provider)
        outside.furnish_panel(provider)
    return provider


def test_every_kind_of_account_and_service_is_there(provider):
    assert set(Account.objects.values_list("kind", flat=True)) == {1, 2, 3}
    assert set(Account.objects.values_list("currency", flat=True)) == {"EUR", "USD", "JPY", "KWD"}
    assert set(Service.objects.values_list("product__cycle", flat=True)) == {1, 2, 3, 4}
    states = {Status.ORDERED, Status.ACTIVE, Status.STOPPED, Status.DELETED}
    assert set(Service.objects.values_list("status", flat=True)) == states
    assert Service.objects.count() == 120
    assert list(breaches()) == []


def test_who_is_refused_for_a_debt_does_not_end_the_company(provider):
    accounts = Account.objects.filter(kind=Account.Kind.PREPAID).select_related("provider")
    with clock.at(BEGIN + timedelta(hours=10)):
        for account in accounts:
            debt = by_hand.Wish(by_hand.HandEntry.Sort.CORRECTION, -(10**6), "owed", True)
            by_hand.enter(account, debt, by="staff", key=account.number)
        office.day(provider, START)
    assert not Service.objects.filter(product__code="demo-rack", name__startswith="rack-").exists()
    assert list(breaches()) == []


def test_books_that_are_there_are_left_alone(provider):
    with pytest.raises(BillingError, match="a folder of its own"):
        company.found(company.Size(1), START)


def test_a_week_of_the_table_bills_tells_and_is_paid(provider):
    lived = live(registry.default_table(), BEGIN, BEGIN + timedelta(days=7), provider=provider)
    assert lived.runs["billdaily"] == 7
    assert lived.runs["autosuspend"] == 7 * 24
    assert lived.failures == {}
    assert Verdict.objects.filter(outcome=1).count() > 50
    assert Payment.objects.exclude(credited_on=None).exists()
    assert Message.objects.filter(channel="letter", state=State.SENT).exists()
    assert list(breaches()) == []
    assert [section.name for section in all_sections() if not section.rows().exists()] == []
    ended = Task.objects.exclude(done_at=None)
    assert ended.exists()
    assert Invoice.objects.filter(kind=Invoice.Kind.INVOICE).exclude(number="").exists()
    assert {"matched", "waiting"} <= {
        "matched" if entry.payment_id else "waiting" for entry in BankEntry.objects.all()
    }
    gateways_are_down()
    before = set(Payment.objects.values_list("pk", flat=True))
    for day in range(7, 14):
        with clock.at(BEGIN + timedelta(days=day, hours=10)):
            outside.day(provider)
    # by who comes another day; who pays by transfer needs no gateway
    asked = Payment.objects.exclude(pk__in=before).filter(method__plugin="simulated")
    assert asked.exists()
    assert not asked.exclude(credited_on=None).exists()


def gateways_are_down() -> None:
    nobody = {"faults": "none", "seed": "1", "address": "http://127.0.0.1:9"}
    PaymentMethod.objects.filter(plugin="simulated").update(settings=nobody)


def test_the_same_time_lived_twice_is_the_same(tmp_path, monkeypatch):
    from django.db import transaction

    taken = []
    for again in ("one", "two"):
        (tmp_path / again).mkdir()
        for name in ("HOME", "DATA"):
            monkeypatch.setattr(settings, name, tmp_path / again)
        with transaction.atomic():
            with clock.at(BEGIN):
                provider = company.found(company.Size(60), START)
                outside.give_cards(provider)
                outside.furnish_panel(provider)
            live(registry.default_table(), BEGIN, BEGIN + timedelta(days=4), provider=provider)
            taken.append(fingerprint.take())
            transaction.set_rollback(True)
    assert taken[0] == taken[1]


def test_the_table_s_moments_come_in_order_and_only_for_jobs_of_ours():
    table = registry.default_table() + b"* * * * * /bin/true\n#0 0 * * * billmaintain --command x\n"
    found = list(moments(table, BEGIN, BEGIN + timedelta(days=1)))
    assert [due.at for due in found] == sorted(due.at for due in found)
    names = {due.job.name for due in found}
    assert {"billdaily", "autosuspend", "recurring"} <= names
    active = sum(entry.active for entry in Crontab.parse(registry.default_table()).entries)
    assert len(names) <= active
    first = next(due for due in found if due.job.name == "billdaily")
    assert (first.at.hour, first.at.minute) == (0, 15)
    assert Provider.objects.count() == 0


def test_clients_have_names_of_several_countries_and_the_same_each_time(provider):
    called = dict(Client.objects.values_list("number", "name"))
    assert len(called) == Account.objects.count()
    assert len(set(called.values())) > len(called) * 0.9
    assert any("а" <= letter <= "я" for letter in called["C1"])
    assert called["C4"].endswith(("GmbH", "KG", "e. K."))
