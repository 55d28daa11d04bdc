"""One's own account: the second step, replayed codes, links by mail, and being asked again."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from billclock import clock, urls
from billclock.accounts.models import AuditRow, Role, User
from billclock.outbox.models import Message
from billclock.web.fresh import fresh
from tests.web.server import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
EMAIL = "anna@example.net"
LATER = timedelta(minutes=16)
ENOUGH = 4  # seconds in which a test uses its code, on a machine at work
FORM = {"text": "5 1 * * *\r\n<b>&amp;</b>", "tag": ["a", "b"]}


def changing(request: HttpRequest) -> HttpResponse:
    """Stands for any view that changes something: it answers with what reached it."""
    lines = [f"{key}={value}" for key, values in request.POST.lists() for value in values]
    return HttpResponse("\n".join(["changed", *lines]), content_type="text/plain")


urlpatterns = [*urls.urlpatterns, path("change", fresh(changing))]


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    cache.clear()


@pytest.fixture
def anna() -> User:
    return User.objects.create_user(EMAIL, PASSWORD, role=Role.ROOT)


@pytest.fixture
def passwordless(anna: User, client: Client) -> None:
    """Take Anna's password away, after she signed in."""
    anna.set_unusable_password()
    anna.save()
    client.force_login(anna)


@pytest.fixture
def client(anna: User) -> Client:
    client = Client()
    client.force_login(anna)
    return client


def sign_in(client: Client, password: str = PASSWORD) -> HttpResponse:
    return client.post("/sign-in", {"login": EMAIL, "password": password})


def code(secret: str, steps: int = 0) -> str:
    """Give a code that is good for some seconds still, for which it may wait."""
    left = 30 - time.time() % 30  # noqa: TID251 - allauth looks there too
    time.sleep(left if left < ENOUGH else 0)
    now = time.time()  # noqa: TID251
    return format_hotp_value(hotp_value(secret, int(now) // 30 + steps))


def set_up_app(client: Client) -> str:
    """Switch an authenticator app on through its page; give its secret."""
    page = client.get("/account/app").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)
    assert secret is not None
    answer = client.post("/account/app", {"code": code(secret[1])})
    assert answer.headers["Location"] == "/account/codes"
    return secret[1]


def next_code(secret: str) -> str:
    """Give a code that was not used: the one of this half minute, whatever was used before."""
    cache.clear()
    return code(secret)


def test_with_an_app_the_password_alone_opens_nothing(client: Client) -> None:
    secret = set_up_app(client)
    other = Client()
    assert sign_in(other).headers["Location"] == "/sign-in/code"
    assert other.get("/account").status_code == 302
    assert other.post("/sign-in/code", {"code": "000000"}).status_code == 200
    assert other.get("/account").status_code == 302
    other.post("/sign-in/code", {"code": next_code(secret)})
    assert other.get("/account").status_code == 200


def test_a_code_is_good_once(client: Client) -> None:
    secret = set_up_app(client)
    one, two = Client(), Client()
    sign_in(one)
    sign_in(two)
    used = next_code(secret)
    one.post("/sign-in/code", {"code": used})
    two.post("/sign-in/code", {"code": used})
    assert one.get("/account").status_code == 200
    assert two.get("/account").status_code == 302


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_of_another_minute_is_refused(client: Client, steps: int) -> None:
    secret = set_up_app(client)
    other = Client()
    sign_in(other)
    other.post("/sign-in/code", {"code": code(secret, steps)})
    assert other.get("/account").status_code == 302


def codes(client: Client) -> list[str]:
    page = client.get("/account/codes").content.decode()
    return [found.replace(" ", "") for found in re.findall(r"<li><code>([\d ]+)</code>", page)]


def test_a_recovery_code_opens_the_second_step_once(client: Client) -> None:
    set_up_app(client)
    first = codes(client)[0]
    for expected in (200, 302):
        other = Client()
        sign_in(other)
        other.post("/sign-in/code", {"code": first})
        assert other.get("/account").status_code == expected
    assert first not in codes(client)


def test_new_recovery_codes_end_the_old(client: Client) -> None:
    set_up_app(client)
    old = codes(client)
    client.post("/account/codes/new")
    assert len(codes(client)) == 10
    assert not set(old) & set(codes(client))


@pytest.mark.parametrize(
    "answer",
    ["[" * 50_000, "9" * 5000, "[1]", "null", "{}", '{"id":{},"response":{"userHandle":{}}}', "\0"],
)
def test_what_is_no_passkeys_answer_is_refused_whatever_it_is(anna: User, answer: str) -> None:
    stranger = Client()
    stranger.get("/sign-in/passkey", headers={"Accept": "application/json"})
    refused = stranger.post("/sign-in/passkey", {"credential": answer})
    assert refused.status_code in (200, 302, 400)
    assert stranger.get("/account").status_code == 302


def test_many_wrong_codes_have_to_wait(client: Client) -> None:
    secret = set_up_app(client)
    cache.clear()
    other = Client()
    sign_in(other)
    for guess in range(5):
        other.post("/sign-in/code", {"code": f"00000{guess}"})
    other.post("/sign-in/code", {"code": code(secret)})
    assert other.get("/account").status_code == 302


def test_the_database_does_not_know_the_apps_secret(client: Client) -> None:
    secret = set_up_app(client)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept


def test_with_another_secret_key_no_code_is_right(client: Client, settings: LazySettings) -> None:
    secret = set_up_app(client)
    settings.SECRET_KEY = "another one"
    other = Client()
    sign_in(other)
    assert other.post("/sign-in/code", {"code": next_code(secret)}).status_code == 200
    assert other.get("/account").status_code == 302


def test_switching_the_app_off_ends_the_recovery_codes(client: Client) -> None:
    set_up_app(client)
    assert client.get("/account/app/off").status_code == 200
    client.post("/account/app/off")
    assert not Authenticator.objects.exists()
    assert AuditRow.objects.filter(act="factor.remove").count() == 2


@pytest.mark.parametrize("many", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_of_a_thousand_wrong_passwords_five_are_tried(anna: User, many: int) -> None:
    for number in range(many):
        address = f"198.51.100.{number % 250}"
        Client(REMOTE_ADDR=address).post("/sign-in", {"login": EMAIL, "password": f"no {number}"})
    assert AuditRow.objects.filter(act="sign-in.refused").count() == 5
    client = Client(REMOTE_ADDR="203.0.113.9")
    sign_in(client)
    assert client.get("/account").status_code == 302, "even the right one has to wait"


def test_changing_the_password_ends_other_sessions_and_keeps_this_one(client: Client) -> None:
    other = Client()
    sign_in(other)
    new = "ledger paper of a clock"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/account/password", fields).status_code == 302
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert AuditRow.objects.filter(act="password.change").exists()


@pytest.mark.usefixtures("passwordless")
def test_who_signs_in_without_a_password_is_asked_for_a_first_one(client: Client) -> None:
    asked = client.get("/account/password", follow=True)
    assert asked.status_code == 200
    assert "Choose a password" in asked.content.decode()
    new = {"password1": "ledger paper of a clock", "password2": "ledger paper of a clock"}
    short = client.post("/account/password/first", {"password1": "short", "password2": "short"})
    assert "at least 10" in short.content.decode()
    assert client.post("/account/password/first", new).status_code == 302
    assert client.get("/account").status_code == 200
    assert AuditRow.objects.filter(act="password.change").count() == 1
    other = Client()
    assert sign_in(other, new["password1"]).status_code == 302
    assert other.get("/account").status_code == 200
    # who has one is asked for it first
    assert client.get("/account/password/first").url == "/account/password"


@pytest.mark.usefixtures("passwordless")
def test_an_account_without_a_password_is_not_told_of_one(anna: User, client: Client) -> None:
    page = client.get("/account").content.decode()
    assert "Nothing opens this account again" in page
    assert 'href="/account/password/first"' in page
    assert "A password alone opens this account" not in page
    anna.set_password(PASSWORD)
    anna.save()
    client.force_login(anna)
    page = client.get("/account").content.decode()
    assert "A password alone opens this account" in page
    assert "Nothing opens this account again" not in page


@pytest.mark.usefixtures("passwordless")
def test_who_has_nothing_to_show_is_led_to_a_link_instead_of_a_field(client: Client) -> None:
    page = client.get("/account/confirm").content.decode()
    assert "neither a password nor a second factor" in page
    assert 'href="/forgotten"' in page
    assert 'type="password"' not in page
    again = client.post("/account/confirm", {"password": PASSWORD})
    assert "neither a password nor a second factor" in again.content.decode()


def test_one_ends_another_session_from_the_page(client: Client) -> None:
    other = Client(headers={"user-agent": "Mozilla/5.0 (iPhone) CriOS/140.0 Safari/604.1"})
    sign_in(other)
    page = client.get("/account").content.decode()
    assert "Chrome on iPhone" in page
    (handle,) = re.findall(r'name="handle" value="(\w+)"', page)
    client.post("/account/sessions/end", {"handle": handle})
    assert other.get("/account").status_code == 302
    assert client.get("/account").status_code == 200


def test_one_ends_all_other_sessions_at_once(client: Client) -> None:
    others = [Client(), Client()]
    for other in others:
        sign_in(other)
    client.post("/account/sessions/end")
    assert [other.get("/account").status_code for other in others] == [302, 302]
    assert client.get("/account").status_code == 200


@pytest.fixture
def with_mail(settings: LazySettings) -> None:
    settings.SMTP = "smtp://localhost:25"


def link_in_mail() -> str:
    found = re.search(r"https?://\S+/password/\S+", Message.objects.latest("id").body)
    assert found is not None
    return urlsplit(found[0]).path


def test_a_forgotten_password_is_replaced_by_a_link_from_the_mail(
    anna: User, with_mail: None
) -> None:
    client = Client()
    client.post("/forgotten", {"email": "Anna@Example.net"})
    assert Message.objects.get().recipients == [EMAIL]
    path = link_in_mail()
    assert EMAIL in client.get(path).content.decode()
    assert client.get(path).status_code == 200, "looking does not use it up"
    assert 'class="err"' in client.post(path, {"password": "short"}).content.decode()
    new = "ledger paper of a clock"
    assert client.post(path, {"password": new}).headers["Location"] == "/sign-in"
    assert client.get("/account").status_code == 302, "the link does not sign in"
    assert client.post(path, {"password": new}).status_code == 410
    sign_in(client, new)
    assert client.get("/account").status_code == 200


def test_the_answer_does_not_tell_whose_address_it_is(anna: User, with_mail: None) -> None:
    answers = [
        (answer.status_code, answer.headers["Location"], answer.content)
        for email in (EMAIL, "nobody@example.net")
        for answer in [Client().post("/forgotten", {"email": email})]
    ]
    assert answers[0] == answers[1]
    assert Message.objects.count() == 1


def test_links_are_not_sent_without_end(anna: User, with_mail: None) -> None:
    answers = [Client().post("/forgotten", {"email": EMAIL}).status_code for _ in range(5)]
    assert answers[-1] == 429
    assert Message.objects.count() == 3


def test_without_a_mail_server_the_page_says_whom_to_ask(anna: User) -> None:
    assert "ask a root user" in Client().get("/forgotten").content.decode()
    Client().post("/forgotten", {"email": EMAIL})
    assert not Message.objects.exists()


def test_a_link_does_not_go_past_the_second_factor(client: Client, with_mail: None) -> None:
    set_up_app(client)
    Client().post("/forgotten", {"email": EMAIL})
    other, new = Client(), "ledger paper of a clock"
    other.post(link_in_mail(), {"password": new})
    assert sign_in(other, new).headers["Location"] == "/sign-in/code"


def test_a_user_is_told_by_mail_of_a_new_second_factor(
    client: Client, with_mail: None, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        set_up_app(client)
    assert "second factor was added" in Message.objects.get().body
    assert AuditRow.objects.get(act="factor.add", after="totp").actor == EMAIL


def test_a_user_is_told_by_mail_of_a_key_in_his_name(client: Client, with_mail: None) -> None:
    """It outlives the session of whoever made it, and the password."""
    client.post("/account/keys", {"name": "backup", "role": "viewer", "days": "0"})
    assert "key for programs was made" in Message.objects.get().body


@pytest.mark.urls("tests.web.test_account")
class TestBeingAskedAgain:
    """A form sent after a pause is kept while its user shows who he is."""

    def interrupted(self, client: Client) -> str:
        with clock.at(clock.now() + LATER):
            answer = client.post("/change?table=root", FORM)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/account/confirm?form=")
        return str(answer.headers["Location"])

    def test_who_was_not_idle_is_not_asked(self, client: Client) -> None:
        assert client.post("/change", FORM).content.startswith(b"changed")

    def test_reading_is_not_interrupted(self, client: Client) -> None:
        with clock.at(clock.now() + LATER):
            assert client.get("/change").content == b"changed"

    def test_the_form_comes_back_whole_after_the_password(self, client: Client) -> None:
        where = self.interrupted(client)
        with clock.at(clock.now() + LATER):
            assert client.post(where, {"password": "wrong"}).status_code == 200
            onward = client.post(where, {"password": PASSWORD}).headers["Location"]
            page = client.get(onward).content.decode()
            assert 'action="/change?table=root"' in page
            assert "5 1 * * *\r\n&lt;b&gt;&amp;amp;&lt;/b&gt;" in page
            assert page.count('name="tag"') == 2
            assert client.post("/change?table=root", FORM).content.startswith(b"changed")
            gone = client.get(onward)
        assert gone.status_code == 302, "once it is sent it is forgotten"

    def test_with_a_second_factor_the_password_is_not_enough(self, client: Client) -> None:
        secret = set_up_app(client)
        where = self.interrupted(client)
        with clock.at(clock.now() + LATER):
            client.post(where, {"password": PASSWORD})
            assert client.post("/change", FORM).status_code == 302
            assert client.post(where, {"code": next_code(secret)}).status_code == 302
            assert client.post("/change", FORM).status_code == 200

    def test_a_page_that_refreshes_itself_keeps_nobody_fresh(self, client: Client) -> None:
        start = clock.now()
        for minute in range(17):
            with clock.at(start + timedelta(minutes=minute)):
                client.get("/account", headers={"sec-fetch-mode": "cors"})
        with clock.at(start + LATER):
            assert client.post("/change").status_code == 302

    def test_who_goes_from_page_to_page_is_not_idle(self, client: Client) -> None:
        start = clock.now()
        for minute in range(1, 17):
            with clock.at(start + timedelta(minutes=minute)):
                client.get("/account", headers={"sec-fetch-mode": "navigate"})
        with clock.at(start + LATER):
            assert client.post("/change").status_code == 200

    def test_what_was_typed_is_kept_sealed_and_shown_to_nobody_else(self, client: Client) -> None:
        onward = self.interrupted(client).replace("confirm", "resume")
        session = client.session
        (kept,) = session["interrupted"].values()
        assert kept["path"] == "/change?table=root"
        assert "5 1 *" not in str(kept)
        with clock.at(clock.now() + LATER):
            answer = client.get(onward)
        assert answer.headers["Location"].startswith("/account/confirm?form=")
        kept["sealed"] = kept["sealed"][:-4] + "AAAA"
        session.save()
        assert client.get(onward).headers["Location"] == "/"

    def test_another_user_does_not_find_the_form(self, client: Client) -> None:
        onward = self.interrupted(client).replace("confirm", "resume")
        other = Client()
        other.force_login(User.objects.create_user("mallory@example.net"))
        assert other.get(onward).status_code == 302

    def test_the_secret_of_an_app_is_not_shown_after_a_pause(self, client: Client) -> None:
        with clock.at(clock.now() + LATER):
            answer = client.get("/account/app")
        assert answer.headers["Location"].startswith("/account/confirm")

    @pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "javascript:1"])
    def test_being_asked_leads_to_no_other_site(self, client: Client, onward: str) -> None:
        answer = client.post(f"/account/confirm?next={onward}", {"password": PASSWORD})
        assert answer.headers["Location"] == "/account"


def test_every_page_of_the_account_opens(client: Client, signed_in: Callable[..., Client]) -> None:
    set_up_app(client)
    for where in ("", "/app/off", "/codes", "/codes/new", "/passkeys/add", "/password", "/confirm"):
        assert client.get(f"/account{where}").status_code == 200, where


def test_the_number_of_queries_does_not_grow_with_sessions(
    client: Client, django_assert_max_num_queries
) -> None:
    for _ in range(10):
        sign_in(Client())
    with django_assert_max_num_queries(9):
        client.get("/account")


@pytest.mark.parametrize(
    ("host", "offered"),
    [("localhost:8000", True), ("clock.example.net", True), ("127.0.0.1", False), ("[::1]", False)],
)
def test_passkeys_are_offered_where_the_host_has_a_name(
    client: Client, settings: LazySettings, host: str, offered: bool
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = client.get("/account", headers={"host": host}).content.decode()
    assert ('href="/account/passkeys/add"' in page) is offered
