"""Letters on screen: delivery, the sandboxed look, once more; own words with preview and faults."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock.accounts.models import Role
from billclock.billing import invoicing
from billclock.billing.clients import Account
from billclock.billing.invoice_lines import Line
from billclock.billing.letters import previewing
from billclock.billing.notifications import Notice, Telling, Template, notify_many
from billclock.billing.services import Service
from billclock.outbox.models import Message, State
from tests.billing.shop import Shop

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
OWN = {
    "provider": "", "kind": "invoice", "language": "en", "subject": "{{ number }}",
    "text": "Dear {{ client }}, {{ total }}.", "html": "",
}  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    return Shop()


def told(shop: Shop, account: Account | None = None) -> Notice:
    """Tell an account of a request to pay."""
    account = account or shop.account("ann@client.example")
    count = Notice.objects.count()
    invoicing.request_payment(account, [Line(f"Deposit {count}", 10_00)], key=f"k{count}")
    return Notice.objects.latest("pk")


def page(browser: Client, address: str, **query: str) -> str:
    answer = browser.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode().partition("<main")[2]


def give_up(notice: Notice, why: str = "550 no such user") -> None:
    Message.objects.filter(dedupe_key=notice.message).update(
        state=State.FAILED, last_error=why, recipients=["ann@client.example"],
        refused={"ann@client.example": why},
    )  # fmt: skip


def test_a_letter_that_was_given_up_is_found_and_sent_again(
    shop: Shop, signed_in: SignedIn
) -> None:
    browser = signed_in(Role.ROOT)
    lost, waits = told(shop), told(shop)
    give_up(lost)
    shown = page(browser, "/letters", state="failed")
    assert f'/letters/{lost.pk}"' in shown
    assert f'/letters/{waits.pk}"' not in shown
    assert "550 no such user" in page(browser, f"/letters/{lost.pk}")
    data = {"act": "again", "entry": [str(lost.pk), str(waits.pk)], "confirmed": "yes"}
    browser.post("/letters/act", data)
    assert Message.objects.get(dedupe_key=lost.message).state == State.QUEUED
    assert Message.objects.get(dedupe_key=lost.message).outstanding == ["ann@client.example"]
    assert f'/letters/{lost.pk}"' in page(browser, "/letters", state="queued")


def test_superseded_letters_say_so(shop: Shop, signed_in: SignedIn) -> None:
    account = shop.account()
    on = shop.provider.today()
    notify_many([Telling(account.pk, "expiring", on, why_not="superseded")], on=on)
    notice = Notice.objects.get()
    browser = signed_in(Role.VIEWER)
    assert "superseded" in page(browser, "/letters", state="untold")
    assert "more urgent letter" in page(browser, f"/letters/{notice.pk}")


def test_a_letter_is_shown_in_a_sandbox_without_the_readers_links(
    shop: Shop, signed_in: SignedIn
) -> None:
    notice = told(shop)
    browser = signed_in(Role.VIEWER)
    shown = page(browser, f"/letters/{notice.pk}")
    assert "<iframe" in shown
    assert " sandbox " in shown
    assert "ann@client.example" in shown
    answer = browser.get(f"/letters/{notice.pk}/page/0")
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "€10.00" in answer.content.decode()
    assert browser.get(f"/letters/{notice.pk}/page/9").status_code == 404
    assert (
        "default-src 'none'; script-src 'self'"
        in browser.get("/letters")["Content-Security-Policy"]
    )


def test_a_letter_that_cannot_be_written_says_why(shop: Shop, signed_in: SignedIn) -> None:
    account = shop.account()
    on = shop.provider.today()
    notify_many([Telling(account.pk, "expiring", on, subject=999)], on=on)
    shown = page(signed_in(Role.VIEWER), f"/letters/{Notice.objects.get().pk}")
    assert Service.__name__ in shown
    assert "<iframe" not in shown


def test_lists_have_a_fixed_number_of_queries(shop: Shop, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    counts = []
    for _more in range(2):
        told(shop)
        page(browser, "/letters")
        with CaptureQueriesContext(connection) as queries:
            page(browser, "/letters")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_own_words_are_written_looked_at_and_taken_away(shop: Shop, signed_in: SignedIn) -> None:
    notice = told(shop)
    browser = signed_in(Role.ROOT)
    look = browser.post("/letter-templates/preview", OWN)
    assert "Dear Ann Client, €10.00." in look.content.decode()
    assert look["Content-Security-Policy"].startswith("sandbox")
    assert not Template.objects.exists()
    browser.post("/letter-templates/new", OWN)
    own = Template.objects.get()
    shown = page(browser, f"/letter-templates/{own.pk}")
    assert "newest letter of this kind" in shown
    assert "Dear Ann Client" in page(browser, f"/letters/{notice.pk}")
    again = browser.post("/letter-templates/new", OWN)
    assert "There is one like this already." in again.content.decode()
    browser.post("/letter-templates/act",
                 {"act": "remove", "entry": str(own.pk), "confirmed": "yes"})  # fmt: skip
    assert "Dear Ann Client" not in page(browser, f"/letters/{notice.pk}")


def test_words_of_a_kind_that_was_never_sent_are_shown_on_made_up_facts(
    shop: Shop, signed_in: SignedIn
) -> None:
    browser = signed_in(Role.ROOT)
    browser.post("/letter-templates/new", OWN | {"kind": "expiring", "text": "{{ service }}"})
    shown = page(browser, f"/letter-templates/{Template.objects.get().pk}")
    assert "made-up facts" in shown
    assert "shop.example" in shown


@pytest.mark.parametrize(
    "hostile",
    [
        "{% load static %}", "{% include '/etc/passwd' %}", "{% debug %}", "a\n{% if %}",
        "{{ 1|safe }}", "{% csrf_token %}", "{% now 'Y' %}", "{% url 'jobs' %}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_words_that_reach_out_are_refused_at_their_field(
    shop: Shop, signed_in: SignedIn, part: str, hostile: str
) -> None:
    browser = signed_in(Role.ROOT)
    for address in ("/letter-templates/new", "/letter-templates/preview"):
        answer = browser.post(address, OWN | {part: hostile})
        assert answer.status_code == 422
    if "\n" in hostile and part != "subject":
        assert "line 2" in answer.content.decode()
    assert not Template.objects.exists()


def test_a_letter_is_written_to_a_client_once_and_as_it_was_typed(
    shop: Shop, signed_in: SignedIn
) -> None:
    account, browser = shop.account("ann@client.example"), signed_in()
    sent = {
        "act": "write", "entry": str(account.pk), "confirmed": "yes", "token": "7",
        "subject": "About {{ balance }}", "text": "<b>Two</b>\n\nparts",
    }  # fmt: skip
    for _twice in range(2):
        browser.post("/client-accounts/act", sent)
    notice = Notice.objects.get(kind="written")
    letter = previewing.of_notice(notice).letters[0]
    assert letter.subject == "About {{ balance }}"
    assert "<b>Two</b>\n\nparts" in letter.body
    assert "&lt;b&gt;Two&lt;/b&gt;" in letter.payload["html"]
    for path in ("/letters", f"/letters/{notice.pk}", f"/client-accounts/{account.pk}"):
        shown = page(browser, path)
        assert "About {{ balance }}" in shown, path
        assert "A letter from staff</" not in shown.replace("staff</option>", ""), path
