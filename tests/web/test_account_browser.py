"""Second factors in a real browser: an app, a passkey alone and as second step; without script."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, BrowserContext, Page

from tests.web.conftest import listen
from tests.web.server import PASSWORD, Server

pytestmark = pytest.mark.chromium

MAKE = """
from billclock.accounts.models import Role, User
User.objects.create_user({email!r}, {password!r}, role=Role.ROOT)
"""
FORGET_CODES = "from django.core.cache import cache; cache.clear()"
FORGET_FRESHNESS = """
from billclock.accounts.models import Session
from billclock.accounts.sessions import SessionStore
for row in Session.objects.exclude(user=None):
    store = SessionStore(row.session_key)
    store["fresh"] = 0
    store.save()
"""
NUMBERS = count(1)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def email(server: Server) -> str:
    """Make a root user of this test's own."""
    address = f"anna.{next(NUMBERS)}@example.net"
    server.python(FORGET_CODES + MAKE.format(email=address, password=PASSWORD))
    return address


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    made = browser.new_context(**getattr(request, "param", {}))
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, server: Server, complaints: list[str]) -> Page:
    opened = context.new_page()
    listen(opened, server.address, complaints)
    return opened


def sign_in(page: Page, server: Server, email: str) -> None:
    page.goto(f"{server.address}/sign-in?next=/account")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/sign-out")
    page.get_by_role("button", name="Sign out").last.click()


def code(secret: str) -> str:
    now = time.time()  # noqa: TID251 - the server looks at the real clock too
    return format_hotp_value(hotp_value(secret, int(now) // 30))


def set_up_app(page: Page) -> str:
    page.get_by_role("link", name="Set up").click()
    picture = page.get_by_role("img", name="A picture of the secret")
    assert picture.evaluate("image => image.naturalWidth") > 0
    secret = page.locator(".secret").inner_text()
    page.get_by_label("Code that the app shows").fill(code(secret))
    page.get_by_role("button", name="Switch on").click()
    assert page.locator(".codes li").count() == 10
    return secret


def plug_in(context: BrowserContext, page: Page) -> Any:
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return devices


def add_passkey(page: Page, *, alone: bool = True) -> None:
    page.get_by_role("link", name="Add").click()
    page.get_by_label("Name, for you").fill("Laptop")
    page.get_by_label("Sign in with it alone").set_checked(alone)
    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/account/codes")


def test_a_passkey_signs_in_alone(
    server: Server, context: BrowserContext, page: Page, email: str, complaints: list[str]
) -> None:
    plug_in(context, page)
    sign_in(page, server, email)
    add_passkey(page)
    page.goto(f"{server.address}/account")
    assert page.get_by_text("Laptop").first.is_visible()
    sign_out(page, server)
    page.goto(f"{server.address}/sign-in?next=/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_label("Your account").wait_for()
    page.goto(f"{server.address}/account")
    assert email in page.locator(".head").inner_text()
    assert [said for said in complaints if not said.startswith("Clear-Site-Data")] == []


def test_a_passkey_is_the_second_step_after_the_password(
    server: Server, context: BrowserContext, page: Page, email: str
) -> None:
    plug_in(context, page)
    sign_in(page, server, email)
    add_passkey(page, alone=False)
    sign_out(page, server)
    sign_in(page, server, email)
    assert page.get_by_role("heading", name="Second step").is_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Your account").wait_for()


def test_a_passkey_that_is_refused_leaves_the_sign_in_page_with_a_word(
    server: Server, context: BrowserContext, page: Page
) -> None:
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    refusing = AUTHENTICATOR | {"isUserVerified": False}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": refusing})
    page.goto(f"{server.address}/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("The passkey was not used").wait_for()


def test_a_passkey_shows_who_one_is_after_a_pause(
    server: Server, context: BrowserContext, page: Page, email: str
) -> None:
    plug_in(context, page)
    sign_in(page, server, email)
    add_passkey(page)
    server.python(FORGET_FRESHNESS)
    page.goto(f"{server.address}/users/invite")
    page.get_by_label("E-mail address").fill(f"new.{email}")
    page.get_by_label("Operator").check()
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Send it now").click()
    link = page.get_by_label("The link").input_value()
    assert link.startswith(f"{server.address}/password/")
    page.goto(f"{server.address}/users")
    assert "Operator" in page.get_by_role("row", name=f"new.{email}").inner_text()


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_an_app_and_being_asked_again_work(
    server: Server, page: Page, email: str
) -> None:
    sign_in(page, server, email)
    secret = set_up_app(page)
    sign_out(page, server)
    sign_in(page, server, email)
    server.python(FORGET_CODES)
    page.get_by_label("Code from your app").fill(code(secret))
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("heading", name="Your account").is_visible()
    server.python(FORGET_FRESHNESS + FORGET_CODES)
    page.goto(f"{server.address}/users/invite")
    page.get_by_label("E-mail address").fill(f"new.{email}")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("Code from your app").fill(code(secret))
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Send it now").click()
    assert page.get_by_label("The link").is_visible()


def test_who_signs_in_types_at_once_in_each_step(server: Server, page: Page, email: str) -> None:
    sign_in(page, server, email)
    secret = set_up_app(page)
    sign_out(page, server)
    page.goto(f"{server.address}/sign-in")
    assert page.get_by_label("E-mail address").get_attribute("autocomplete") == "username"
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Second step").wait_for()
    server.python(FORGET_CODES)
    page.keyboard.type(code(secret))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Second step").wait_for(state="detached")
    assert "/sign-in" not in page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_screens_fit_every_width_and_what_one_presses_is_large_enough(
    server: Server, browser: Browser, email: str, theme: Any, complaints: list[str]
) -> None:
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text))
    sign_in(page, server, email)
    for path in ("account", "account/app", "account/passkeys/add", "users", "users/invite",
                 "users/1", "audit", "audit/1", "account/confirm"):  # fmt: skip
        page.goto(f"{server.address}/{path}")
        for width in (2200, 1360, 1024, 820, 641, 390, 360):
            page.set_viewport_size({"width": width, "height": 900})
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, f"{path} is {wider} pixels too wide for {width}"
        small = page.evaluate(
            """[...document.querySelectorAll("main button, main .b, main input, main select")]
                .filter(e => e.checkVisibility() && !e.closest(".check"))
                .filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)"""
        )
        assert small == [], path
    context.close()
    assert [said for said in complaints if "username fields" not in said] == []
