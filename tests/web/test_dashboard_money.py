"""Money on the overview: what was reckoned, in the currency asked for, for who may see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import Role
from billclock.billing import currencies, ledger, overview, sealing
from billclock.billing.catalog import Price
from billclock.billing.ledger import Cause, LedgerAccount, Move
from billclock.billing.reckonings import Reckoning
from billclock.jobs import registry
from billclock.scheduler.models import Entry
from tests.billing.company import TODAY, House, noon

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
LINE = "15 0 * * * /usr/local/mgr5/sbin/billmaintain --command billdaily\n"


@pytest.fixture(autouse=True)
def today():
    with clock.at(noon(TODAY)):
        yield


@pytest.fixture
def house() -> House:
    """Three services a month: two were renewed yesterday, the third ends tomorrow without money."""
    made = House()
    with clock.at(noon(TODAY - timedelta(days=1))):
        for _ in range(2):
            made.service(made.account(500_00), paid_until=TODAY - timedelta(days=1))
        sealing.seal(TODAY - timedelta(days=3))
        sealing.seal(TODAY - timedelta(days=2))
        registry.perform("billdaily", on=TODAY - timedelta(days=1))
    registry.perform("billdaily", on=TODAY)
    made.service(made.account(5_00), paid_until=TODAY + timedelta(days=1))
    clearing = ledger.account(ledger.Kind.CLEARING, "card", "EUR")
    payer = LedgerAccount.objects.filter(kind=ledger.Kind.FUNDS).earliest("pk")
    ledger.post([Move(clearing, payer, 25_00, Cause.PAYMENT, source=1)], on=TODAY)
    return made


def cards(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/dashboard{query}")
    assert answer.status_code == 200
    bands = answer.context["bands"]
    return {one.card.name: one.facts for _band, found in bands for one in found}


def test_before_anything_was_reckoned_money_is_left_out(signed_in: SignedIn, house: House) -> None:
    assert not {"money", "books", "tonight", "lasting"} & cards(signed_in(Role.VIEWER)).keys()


def test_money_in_and_out_day_by_day(signed_in: SignedIn, house: House) -> None:
    overview.take_due()
    money = cards(signed_in(Role.VIEWER))["money"]
    told = {one.name: one.told for one in money["figures"]}
    assert told["Received today"] == "€25.00"
    assert told["Charged today"] == "€0.00"
    assert money["label"] == "€25.00 received, €23.80 charged in 30 days"
    assert "Fri 20 Nov: €25.00 received, €0.00 charged" in [bar.word for bar in money["chart"].bars]


def test_the_ledger_adds_up_from_a_sealed_day_to_now(signed_in: SignedIn, house: House) -> None:
    overview.take_due()
    books = cards(signed_in(Role.VIEWER))["books"]
    assert books["since"] == "Clients' balances, sealed 18 Nov"
    assert books["before"] == "€1,000.00"
    lines = {one.name: one.change for one in books["lines"]}
    assert lines["Charges"] == "− €20.00"
    assert lines["Tax on charges"] == "− €3.80"
    assert lines["Payments"] == "+ €25.00"
    assert books["now"] == "€1,006.20"
    assert books["checked"] == "checked today 12:00: something does not hold"  # our payment
    assert books["bad"]
    assert books["sealed"] == "sealed up to 19 Nov"


def test_the_next_billing_is_rehearsed_and_changes_nothing(
    signed_in: SignedIn, house: House, table: Callable[[str], list[Entry]]
) -> None:
    table(LINE)
    before = LedgerAccount.objects.values_list("pk", "balance_minor")
    held = list(before)
    overview.take_due()
    facts = cards(signed_in(Role.VIEWER))["tonight"]
    (night,) = facts["nights"]
    assert (night.time, night.sums, night.told) == ("21 Nov", [], "0 renewals; 1 lacks money")
    assert facts["when"] == "tomorrow 00:15"
    assert list(before.all()) == held


def test_what_billing_would_stop_at_is_said_the_day_before(
    signed_in: SignedIn, house: House
) -> None:
    for _ in range(11):
        house.service(house.account(50_00), months=3, paid_until=TODAY + timedelta(days=1))
    Price.objects.filter(months=3).delete()
    overview.take_due()
    facts = cards(signed_in(Role.VIEWER))["tonight"]
    assert "11 services due on 2026-11-21 have no price any more" in facts["nights"][0].question
    assert facts["off"]


def test_whose_money_ends_soon(signed_in: SignedIn, house: House) -> None:
    overview.take_due()
    facts = cards(signed_in(Role.VIEWER))["lasting"]
    assert facts["label"] == "1 account runs dry, 1 of them within a week"
    assert facts["missing"] == "€6.90"


def test_another_currency_is_shown_where_it_is_asked_for(signed_in: SignedIn, house: House) -> None:
    currencies.find("JPY").save()
    yen = House(code="yen", currency="JPY", tax_ppm=0)
    yen.account(900)
    overview.take_due()
    client = signed_in(Role.VIEWER)
    assert cards(client)["money"]["currencies"] == [("EUR", True), ("JPY", False)]
    assert cards(client, "?currency=JPY")["books"]["now"] == "¥900"
    assert cards(client, "?currency=<b>")["books"]["now"] == "€1,006.20"


def test_who_has_only_some_tables_sees_no_money(signed_in: SignedIn, house: House) -> None:
    overview.take_due()
    assert "money" not in cards(signed_in(Role.OPERATOR, tables="root"))


def test_the_page_s_queries_do_not_grow_with_the_books(signed_in: SignedIn, house: House) -> None:
    def counted() -> int:
        Reckoning.objects.all().delete()
        overview.take_due()
        with CaptureQueriesContext(connections["default"]) as asked:
            cards(client)
        return len(asked)

    client = signed_in(Role.VIEWER)
    cards(client)
    few = counted()
    for _ in range(5):
        house.service(house.account(5_00), paid_until=TODAY + timedelta(days=1))
    assert counted() == few
