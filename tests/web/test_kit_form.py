"""Form, detail and acts of a section: errors at the field, nothing overwritten, asked first."""

from collections.abc import Callable
from datetime import date

import pytest
from django.conf import LazySettings
from django.test import Client as Browser

from billclock.accounts.models import AuditRow
from billclock.billing.clients import Client
from tests.web.conftest import proven
from tests.web.office import LimitForm

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Browser]
TYPED = {"number": "C1", "name": "Alder", "registered_on": "2026-10-24"}


@pytest.fixture(autouse=True)
def office(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = "tests.web.office"


@pytest.fixture
def browser(signed_in: SignedIn) -> Browser:
    """A root user who has just shown who he is."""
    return proven(signed_in())


@pytest.fixture
def alder() -> Client:
    return Client.objects.create(number="C1", name="Alder", registered_on=date(2026, 10, 24))


def texts(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_a_row_is_made_and_written_down(browser: Browser) -> None:
    answer = browser.post("/patrons/new", TYPED)
    made = Client.objects.get()
    assert answer.headers["Location"] == f"/patrons/{made.pk}"
    assert (made.number, made.registered_on) == ("C1", date(2026, 10, 24))
    row = AuditRow.objects.get(act="patrons.create")
    assert row.subject == f"patrons/{made.pk}: Alder"
    assert "registered_on: 2026-10-24" in row.after


def test_a_new_form_is_filled_as_the_address_says(browser: Browser) -> None:
    page = browser.get("/patrons/new?name=Alder&never=x").content.decode()
    assert 'value="Alder"' in page


def test_what_is_wrong_stands_on_top_and_at_its_field(browser: Browser) -> None:
    answer = browser.post("/patrons/new", {**TYPED, "registered_on": "someday"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<a href="#id_registered_on">' in page
    assert 'aria-describedby="id_registered_on_helptext id_registered_on_error"' in page
    assert 'id="id_registered_on_error"' in page
    assert 'value="someday"' in page
    assert not Client.objects.exists()


def test_an_error_of_the_books_is_shown_where_it_belongs(browser: Browser, alder: Client) -> None:
    answer = browser.post("/patrons/new", TYPED)
    assert answer.context["form"].errors["number"] == ["C1 is another client's number"]
    answer = browser.post(f"/patrons/{alder.pk}/edit", {**TYPED, "name": "nobody"})
    assert answer.context["form"].non_field_errors() == ["nobody is no client; give a name"]
    assert not AuditRow.objects.filter(act__startswith="patrons").exists()


def test_a_row_is_changed_and_the_trail_has_both(browser: Browser, alder: Client) -> None:
    form = browser.get(f"/patrons/{alder.pk}/edit").context["form"]
    typed = {**TYPED, "name": "Alder & Sons", "never_suspended": "on", "seen": form.stamp}
    answer = browser.post(f"/patrons/{alder.pk}/edit", typed, follow=True)
    assert "Saved: Alder &amp; Sons" in answer.content.decode()
    row = AuditRow.objects.get(act="patrons.change")
    assert "name: Alder\nregistered_on: 2026-10-24\nnever_suspended: False" in row.before
    assert "name: Alder & Sons\nregistered_on: 2026-10-24\nnever_suspended: True" in row.after


def test_what_somebody_else_saved_meanwhile_is_shown_before_it_is_replaced(
    browser: Browser, alder: Client
) -> None:
    stamp = browser.get(f"/patrons/{alder.pk}/edit").context["form"].stamp
    Client.objects.update(name="Alder AG")
    typed = {**TYPED, "name": "Alder GmbH", "seen": stamp}
    answer = browser.post(f"/patrons/{alder.pk}/edit", typed)
    assert answer.status_code == 422
    assert answer.context["changed"] == [("Name", "Alder AG")]
    assert Client.objects.get().name == "Alder AG"
    typed["seen"] = answer.context["form"].stamp
    browser.post(f"/patrons/{alder.pk}/edit", typed)
    assert Client.objects.get().name == "Alder GmbH"


def test_a_row_shows_facts_state_and_panels(browser: Browser, alder: Client) -> None:
    for name in ("Birch", "Cedar", "Fir"):
        Client.objects.create(number=name, name=name, registered_on=date(2026, 1, 1))
    answer = browser.get(f"/patrons/{alder.pk}")
    page = answer.content.decode()
    assert [shown["panel"].name for shown in answer.context["panels"]] == ["others"]
    assert "Birch" in page
    assert "Cedar" in page
    assert "Fir" not in page
    assert "The first 2 are shown." in page
    assert page.count("#lock") + page.count("#check") >= 1
    assert "24 Oct 2026" in page


@pytest.mark.parametrize("path", ["/patrons/0", "/patrons/x", "/patrons/" + "9" * 40])
def test_a_row_that_is_not_there_is_told(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_an_act_asks_first_and_then_is_done(browser: Browser, alder: Client) -> None:
    asked = browser.post("/patrons/act", {"act": "close", "entry": [alder.pk], "back": "?open=1"})
    assert "It buys no more." in asked.content.decode()
    assert "Alder" in asked.content.decode()
    alder.refresh_from_db()
    assert not alder.closed
    done = browser.post(
        "/patrons/act",
        {"act": "close", "entry": [alder.pk], "back": "?open=1", "confirmed": "yes"},
        follow=True,
    )
    assert done.redirect_chain == [("/patrons?open=1", 302)]
    assert texts(done) == ["Close: Alder"]
    assert AuditRow.objects.get(act="patrons.close").subject == f"patrons/{alder.pk}: Alder"


def test_one_failure_keeps_no_other_row_from_an_act(browser: Browser, alder: Client) -> None:
    busy = Client.objects.create(number="2", name="Busy Ltd", registered_on=date(2026, 1, 1))
    shut = Client.objects.create(
        number="3", name="Shut", registered_on=date(2026, 1, 1), closed=True
    )
    keys = [busy.pk, shut.pk, alder.pk]
    sent = {"act": "close", "entry": keys, "confirmed": "yes"}
    done = browser.post("/patrons/act", sent, follow=True)
    assert texts(done) == [
        "Close: Alder",
        "Busy Ltd: Busy Ltd has services; close them first",
        "Shut: It is closed already.",
    ]
    alder.refresh_from_db()
    assert alder.closed


def test_an_act_of_one_row_has_a_form_with_its_errors(browser: Browser, alder: Client) -> None:
    sent = {"one": f"limit:{alder.pk}", "back": str(alder.pk)}
    asked = browser.post("/patrons/act", sent)
    assert 'name="limit"' in asked.content.decode()
    sent = {"act": "limit", "entry": [alder.pk], "back": str(alder.pk), "confirmed": "yes"}
    wrong = browser.post("/patrons/act", {**sent, "currency": "EUR", "limit": "1.234"})
    assert wrong.context["form"].errors["limit"][0].startswith("'1.234' has 3 decimals")
    unlucky = browser.post("/patrons/act", {**sent, "currency": "EUR", "limit": "0.13"})
    assert "is unlucky" in unlucky.context["form"].errors["limit"][0]
    done = browser.post("/patrons/act", {**sent, "currency": "EUR", "limit": "12.50"}, follow=True)
    assert done.redirect_chain == [(f"/patrons/{alder.pk}", 302)]
    assert texts(done) == ["limit of Alder: 1250"]


def test_an_act_about_no_row_stands_above_the_list(browser: Browser, alder: Client) -> None:
    assert 'value="count"' in browser.get("/patrons").content.decode()
    assert texts(browser.post("/patrons/act", {"act": "count"}, follow=True)) == ["1 counted"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"act": "nothing"}, 400), ({}, 400), ({"act": "close", "entry": ["x"]}, 400)],
)
def test_an_act_that_is_none_is_refused(browser: Browser, sent: dict, status: int) -> None:
    assert browser.post("/patrons/act", sent).status_code == status


def test_an_act_without_rows_says_so(browser: Browser) -> None:
    done = browser.post("/patrons/act", {"act": "close"}, follow=True)
    assert texts(done) == ["Nothing is ticked: tick the rows first."]


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/users", "javascript:x"]
)
def test_the_way_back_leads_nowhere_else(browser: Browser, alder: Client, back: str) -> None:
    done = browser.post("/patrons/act", {"act": "count", "back": back})
    assert done.headers["Location"] == "/patrons"


@pytest.mark.parametrize(
    ("typed", "minor"), [("12.5", 1250), ("1,234.50", 123450), ("", None), ("-3", -300)]
)
def test_an_amount_is_read_in_the_currency_of_its_form(typed: str, minor: int | None) -> None:
    form = LimitForm({"currency": "EUR", "limit": typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["limit"] == minor


def test_an_amount_of_no_currency_is_told(browser: Browser) -> None:
    form = LimitForm({"currency": "XXY", "limit": "1"})
    assert not form.is_valid()
    assert "XXY" in form.errors["limit"][0]
