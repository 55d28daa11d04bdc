"""Sessions: where a user is signed in, what is kept of it, and how it ends."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, RequestFactory

from billclock import clock
from billclock.accounts import freshness, sessions
from billclock.accounts.models import Session, User
from billclock.accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@example.net", "a clock of ledger paper")


def visit(client: Client, at: datetime, **how: object) -> int:
    with clock.at(at):
        return client.get("/account", **how).status_code


def test_a_session_knows_its_user_its_device_and_when_it_was_last_used(anna: User) -> None:
    client = Client(headers={"user-agent": FIREFOX})
    with clock.at(NOON):
        client.force_login(anna)
    visit(client, NOON + timedelta(minutes=5), REMOTE_ADDR="192.0.2.7")
    (session,) = sessions.of(anna)
    assert session.since == NOON
    assert session.seen == NOON + timedelta(minutes=5)
    assert (session.address, session.agent) == ("192.0.2.7", FIREFOX)


def test_use_is_noted_once_a_minute_and_at_once_from_another_address(anna: User) -> None:
    client = Client()
    with clock.at(NOON):
        client.force_login(anna)
    visit(client, NOON + timedelta(seconds=59))
    # the first visit after signing in brings the address that the sign-in of this test had not
    first = sessions.of(anna)[0].seen
    visit(client, first + timedelta(seconds=59))
    assert sessions.of(anna)[0].seen == first
    visit(client, first + timedelta(seconds=59), REMOTE_ADDR="192.0.2.8")
    assert sessions.of(anna)[0].seen == first + timedelta(seconds=59)


def test_an_ended_session_opens_nothing_and_others_go_on(anna: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(anna)
    handle = Session.objects.get(session_key=there.session.session_key).handle
    assert sessions.end(anna, handle) is not None
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


def test_nobody_ends_the_session_of_another(anna: User) -> None:
    client, mallory = Client(), User.objects.create_user("mallory@example.net")
    client.force_login(anna)
    handle = sessions.of(anna)[0].handle
    assert sessions.end(mallory, handle) is None
    assert client.get("/account").status_code == 200


def test_a_handle_is_not_the_key(anna: User) -> None:
    client = Client()
    client.force_login(anna)
    page = client.get("/account").content.decode()
    assert sessions.of(anna)[0].session_key not in page


def test_signing_in_lets_go_of_sessions_that_are_over(anna: User) -> None:
    with clock.at(NOON):
        Client().force_login(anna)
    Session.objects.update(expire_date=clock.now() - timedelta(days=1))
    Client().force_login(anna)
    assert Session.objects.count() == 1


def test_a_user_who_lay_idle_for_fifteen_minutes_is_no_longer_fresh() -> None:
    session = SessionStore()
    with clock.at(NOON):
        freshness.prove(session)
    with clock.at(NOON + timedelta(minutes=14, seconds=59)):
        assert freshness.is_fresh(session)
        freshness.stay(session)
    with clock.at(NOON + timedelta(minutes=29)):
        assert freshness.is_fresh(session)
    with clock.at(NOON + timedelta(minutes=30)):
        assert not freshness.is_fresh(session)
        freshness.stay(session)
        assert not freshness.is_fresh(session), "coming back is no proof"


def test_a_clock_set_back_makes_nobody_fresh() -> None:
    session = SessionStore()
    with clock.at(NOON):
        freshness.prove(session)
    with clock.at(NOON - timedelta(seconds=1)):
        assert not freshness.is_fresh(session)


def test_noting_the_use_brings_back_no_old_data(anna: User) -> None:
    client = Client()
    client.force_login(anna)
    key = client.session.session_key
    request = RequestFactory().get("/")
    request.session = SessionStore(key)
    assert "kept" not in request.session
    other = SessionStore(key)
    other["kept"] = "meanwhile"
    other.save()
    with clock.at(clock.now() + timedelta(minutes=2)):
        sessions.see(request)
    assert SessionStore(key)["kept"] == "meanwhile"
