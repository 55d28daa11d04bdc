"""Behind a reverse proxy the client's own address counts, and nothing that he says of himself."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from billclock.accounts.models import AuditRow, Role, Session, User
from billclock.web.proxies import client
from tests.web.server import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
EMAIL = "anna@example.net"
TRUSTED = [ip_network(word) for word in ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")]


@pytest.mark.parametrize(
    ("peer", "passed_on", "found"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("127.0.0.1", "1.1.1.1, 192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "1.1.1.1,, 192.0.2.7,", "192.0.2.7"),
        ("192.0.2.7", "1.1.1.1", "192.0.2.7"),
        ("192.0.2.7", "127.0.0.1", "192.0.2.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.9", "10.0.0.9"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7, <script>", "127.0.0.1"),
        ("::ffff:127.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "[2001:dead::7]:443", "2001:dead::7"),
        ("127.0.0.1", "192.0.2.7:5123", "192.0.2.7"),
        ("127.0.0.1", "2001:dead::7", "2001:dead::7"),
        ("", "192.0.2.7", ""),
        ("/run/web.sock", "192.0.2.7", "/run/web.sock"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_is_the_client(
    peer: str, passed_on: str, found: str
) -> None:
    assert client(peer, passed_on, TRUSTED) == found


@pytest.fixture
def anna() -> User:
    cache.clear()
    return User.objects.create_user(EMAIL, PASSWORD, role=Role.ROOT)


def sign_in(peer: str, passed_on: str, password: str) -> int:
    browser = Client(REMOTE_ADDR=peer, headers={"x-forwarded-for": passed_on})
    return browser.post("/sign-in", {"login": EMAIL, "password": password}).status_code


@pytest.fixture
def behind_a_proxy(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = TRUSTED


@pytest.mark.usefixtures("behind_a_proxy")
def test_audit_and_sessions_have_the_clients_address(anna: User) -> None:
    assert sign_in("127.0.0.1", "1.1.1.1, 192.0.2.7", PASSWORD) == 302
    assert AuditRow.objects.get(act="sign-in").address == "192.0.2.7"
    assert Session.objects.get(user=anna).address == "192.0.2.7"


@pytest.mark.parametrize("trusted", [[], TRUSTED])
def test_an_address_that_a_stranger_writes_counts_for_nothing(
    anna: User, settings: LazySettings, trusted: list[object]
) -> None:
    settings.TRUSTED_PROXIES = trusted
    assert sign_in("192.0.2.7", "127.0.0.1", PASSWORD) == 302
    assert AuditRow.objects.get(act="sign-in").address == "192.0.2.7"


@pytest.mark.usefixtures("behind_a_proxy")
def test_limits_of_signing_in_count_by_client_and_not_by_proxy_or_forgery(
    anna: User, settings: LazySettings
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # 45 are made

    def tried(path: Callable[[int], str]) -> int:
        """Count the wrong passwords that were looked at, each for a user of its own."""
        before = AuditRow.objects.filter(act="sign-in.refused").count()
        for number in range(15):
            email = f"user{number}@example.net"
            browser = Client(REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": path(number)})
            browser.post("/sign-in", {"login": email, "password": "no"})
        return AuditRow.objects.filter(act="sign-in.refused").count() - before

    for number in range(15):
        User.objects.create_user(f"user{number}@example.net", PASSWORD)
    assert tried(lambda number: f"10.9.9.9, 203.0.113.{number}, 198.51.100.1") == 10
    cache.clear()
    assert tried(lambda number: f"203.0.113.{number}") == 15


def test_a_browser_is_told_to_keep_to_https_where_the_public_address_is_such(
    settings: LazySettings,
) -> None:
    assert "Strict-Transport-Security" not in Client().get("/sign-in").headers
    settings.HTTPS = True
    for path in ("/sign-in", "/nothing", "/static/nothing.css"):
        answer = Client().get(path)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
