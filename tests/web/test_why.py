"""Why: the panel of services, accounts, payments, documents and stored methods on lived days."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billclock import clock
from billclock.accounts.models import Role
from billclock.billing import by_hand, invoicing
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.payments import Payment, StoredMethod
from billclock.billing.services import Service
from billclock.jobs import registry
from tests.billing.charged import charge
from tests.billing.company import House
from tests.billing.tills import scripted
from tests.jobs.test_concluded import DAYS, FIRST, happen, moment, stocked

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
DAY = timedelta(days=1)
JOBS = (
    "recurring", "billdaily", "autosuspend", "autoprolong_disabled_for_items", "warnmoney",
    "warnupdateexpiredate", "payment_generate_postpaid", "close_accounts", "send_notification",
)  # fmt: skip
OBJECTS = {
    "services": Service, "client-accounts": Account, "payments": Payment, "invoices": Invoice,
    "stored-methods": StoredMethod,
}  # fmt: skip
NAMES = re.compile(
    r"<code>.*?</code>|[\w.-]+@[\w.-]+|\bUTC\b|\b(?:acme|ac|card|EUR|S|P|cacme)[\w-]*"
    r"|[A-Z]{3}|bob|ann|settled|\((?:resume|suspend)\)"
    "|" + "|".join(JOBS) + "|clean_stalled_stored_methods"
)


@pytest.fixture
def house(settings: object) -> Iterator[House]:
    """A company that lived some days, with every kind of object and of reason."""
    dice = random.Random(3)
    with clock.at(moment(FIRST, 0, 0)), scripted():
        made = stocked(dice)
        owing = made.account(kind=Account.Kind.POSTPAID)
        paper = invoicing.draft(owing, made.company, [charge(made, owing, 10_00)], key="k")
        invoicing.issue(paper, FIRST)
        wish = by_hand.Wish(by_hand.HandEntry.Sort.GOODWILL, 1_00, "42")
        by_hand.enter(owing, wish, by="ada@example.net", key="k")
        for on in DAYS:
            for hour, job in enumerate(JOBS):
                with clock.at(moment(on, hour, 1)):
                    registry.perform(job, on=on, confirm=True)
            with clock.at(moment(on, 15, 0)):
                happen(made, dice, on)
        with clock.at(moment(DAYS[-1] + DAY, 9, 0)):
            yield made


def panel(browser: Client, section: str, key: int, on: date, language: str = "en") -> str:
    address = reverse(f"{section}_one", args=[key])
    answer = browser.get(f"{address}?on={on}", headers={"accept-language": language})
    assert answer.status_code == 200
    text = answer.content.decode()
    return text[text.index('id="panel-why"') :].partition("</section>")[0]


def test_every_object_tells_in_russian_of_every_day(house: House, signed_in: SignedIn) -> None:
    browser, dice, english = signed_in(Role.VIEWER), random.Random(5), set()
    for section, model in OBJECTS.items():
        for key in model.objects.values_list("pk", flat=True):
            for on in dice.sample([FIRST - DAY, *DAYS, DAYS[-1] + DAY * 2], 4):
                shown = panel(browser, section, key, on, "ru")
                for said in re.findall(r"<dd>(.*?)</dd>|<span>([^<]*)</span>", shown):
                    text = html.unescape("".join(said))
                    if re.search("[A-Za-z]{3,}", NAMES.sub("", text)):
                        english.add(text)
    assert not english, "\n".join(sorted(english))


def test_each_record_leads_to_its_page(house: House, signed_in: SignedIn) -> None:
    browser = signed_in(Role.VIEWER)
    seen = set()
    for section, model in OBJECTS.items():
        for key in model.objects.values_list("pk", flat=True):
            for on in random.Random(key).sample(DAYS, 3):
                shown = panel(browser, section, key, on)
                for link in re.findall(r'<a href="(/[^"?]+)"', shown):
                    if link not in seen:
                        assert browser.get(link).status_code == 200
                    seen.add(link)
    for place in ("services", "payments", "invoices", "charges", "letters", "hand-entries"):
        assert any(link.startswith(f"/{place}/") for link in seen), place


def test_the_panel_takes_a_fixed_number_of_queries(house: House, signed_in: SignedIn) -> None:
    browser = signed_in(Role.VIEWER)
    account = Account.objects.filter(services__isnull=False).first()
    assert account is not None
    on = DAYS[3]
    charge(house, account, 1_00, on=on)
    asked = []
    for _more in range(3):
        panel(browser, "client-accounts", account.pk, on)
        with CaptureQueriesContext(connection) as queries:
            panel(browser, "client-accounts", account.pk, on)
        asked.append(len(queries))
        for _each in range(4):
            charge(house, account, 1_00, on=on)
    assert len(set(asked)) == 1, asked
