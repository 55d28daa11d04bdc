"""What tests of letters share: a shop at noon, its relay, and what is read of what arrived."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.message import EmailMessage

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.money import Money
from billclock.billing.notifications import notify
from billclock.billing.services import Outcome, Service, Verdict
from tests.billing.shop import Shop
from tests.outbox.relay import Relay, serving

ON = date(2027, 3, 1)
NEXT = date(2027, 4, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LOW = {"ends_on": date(2027, 3, 6), "need": Money(123456, "EUR"), "balance": Money(700, "EUR")}


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.at(NOON):
        yield


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    settings.PUBLIC_URL = "https://clock.example"
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        yield relay


@pytest.fixture
def shop() -> Shop:
    return Shop()


def low(account: Account, **facts: object) -> None:
    notify(account, "low_money", period=ON, threshold=5, on=ON, facts=LOW | facts)


def subject(mail: EmailMessage) -> str:
    # a reader of folded headers leaves the space at which they were folded
    return mail["Subject"].strip()


def text(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def page(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()


def renew(service: Service, amount: int = 1000, tax: int = 190) -> Charge:
    return Charge.objects.create(
        service=service, account=service.account, kind=ChargeKind.PERIOD, period_start=ON,
        period_end=NEXT, list_minor=amount, net_minor=amount, tax_minor=tax, on=ON,
    )  # fmt: skip


def refuse(service: Service, need: int = 1190) -> Verdict:
    Service.objects.filter(pk=service.pk).update(unfunded_since=ON)
    return Verdict.objects.create(
        service=service, on=ON, outcome=Outcome.UNFUNDED, need_minor=need, available_minor=5
    )
