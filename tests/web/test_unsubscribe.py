"""The way out of letters: a page for people, one click for programs, for nobody else's letters."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from billclock import clock
from billclock.billing.clients import Contact
from billclock.billing.letters import readers
from billclock.billing.notice_kinds import KINDS, LOW_MONEY, NOT_RENEWED
from tests.billing.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact() -> Contact:
    with clock.at(datetime(2027, 3, 1, tzinfo=UTC)):
        Shop().account("ann@client.example")
    return Contact.objects.get()


@pytest.fixture
def address(contact: Contact) -> str:
    link = readers.link(contact, LOW_MONEY)
    return link[link.index("/letters/") :]


def test_the_page_shows_what_would_end_and_ends_nothing(
    client: Client, contact: Contact, address: str
):
    shown = client.get(address)
    assert shown.status_code == 200
    assert "The money runs out" in shown.content.decode()
    assert "ann@client.example" in shown.content.decode()
    assert readers.subscribed(contact, LOW_MONEY)


def test_the_button_ends_the_kind_and_the_next_takes_it_up_again(
    client: Client, contact: Contact, address: str
):
    ended = client.post(address, {"do": "stop"})
    assert "You get no more of these letters" in ended.content.decode()
    assert not readers.subscribed(contact, LOW_MONEY)
    assert readers.subscribed(contact, KINDS["renewed"])
    assert "Leave these letters off?" in client.post(address, {"do": "again"}).content.decode()
    assert readers.subscribed(contact, LOW_MONEY)


def test_one_click_of_a_mail_program_needs_no_cookie(contact: Contact, address: str):
    program = Client(enforce_csrf_checks=True)
    answer = program.post(
        address, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert not readers.subscribed(contact, LOW_MONEY)
    program.post(address, "List-Unsubscribe=One-Click", content_type="text/plain")
    assert not readers.subscribed(contact, LOW_MONEY)


def test_the_page_speaks_the_readers_language(client: Client, contact: Contact, address: str):
    Contact.objects.update(language="ru")
    assert "Больше не получать эти письма?" in client.get(address).content.decode()
    Contact.objects.update(language="xx")
    assert "Leave these letters off?" in client.get(address).content.decode()


@pytest.mark.parametrize(
    "spoil", [lambda a: a + "x", lambda a: a[:-3], lambda a: a[: a.rindex("/") + 2]]
)
def test_a_spoilt_link_ends_nothing_and_says_so(
    client: Client, contact: Contact, address: str, spoil
):
    for answer in (client.get(spoil(address)), client.post(spoil(address))):
        assert answer.status_code == 404
        assert "This link is no use" in answer.content.decode()
    assert readers.subscribed(contact, LOW_MONEY)


def test_what_must_be_known_has_no_way_out(contact: Contact):
    assert readers.link(contact, NOT_RENEWED) == ""


def test_other_methods_are_refused(client: Client, address: str):
    assert client.delete(address).status_code == 405
