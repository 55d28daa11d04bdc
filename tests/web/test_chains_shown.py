"""Webhooks in Settings: chosen, masked, told; a chain's runs lead to each other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock import clock
from billclock.accounts.models import AuditRow
from billclock.scheduler import chosen, heartbeat
from billclock.scheduler.models import Entry, Run, TableHook

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
URL = "https://me:pa55w@example.org/hook/s3cret"


def test_a_heartbeat_is_chosen_and_shown_without_its_secret(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    table("0 1 * * * /bin/a\n")
    client = signed_in()
    secret = "https://hc.example.org/ping/secret-of-ours"
    page = client.post("/settings/heartbeat", {"table": "root", "url": secret}, follow=True)
    told = page.content.decode()
    assert "https://hc.example.org/… is called once a minute from now on." in told
    assert "secret-of-ours" not in told
    assert chosen.in_force().heartbeat_url == secret
    row = AuditRow.objects.get(act="heartbeat.choose")
    assert (row.before, row.after) == ("", "https://hc.example.org/…")
    client.post("/settings/heartbeat", {"table": "root", "url": "file:///etc/passwd"})
    client.post("/settings/heartbeat", {"table": "root", "url": ""})
    assert chosen.in_force().heartbeat_url == secret
    client.post("/settings/heartbeat", {"table": "root", "do": "remove"})
    assert chosen.in_force().heartbeat_url == ""


def test_a_heartbeat_of_the_environment_stays(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    table("0 1 * * * /bin/a\n")
    settings.GIVEN = frozenset({"HEARTBEAT_URL"})
    settings.HEARTBEAT_URL = "https://own.example.org/"
    client = signed_in()
    assert "BILLCLOCK_HEARTBEAT_URL gives it" in client.get("/settings").content.decode()
    new = {"table": "root", "url": "https://other.example.org/"}
    page = client.post("/settings/heartbeat", new, follow=True)
    assert "none from the environment" in page.content.decode()
    assert chosen.in_force().heartbeat_url == "https://own.example.org/"


def test_a_heartbeat_that_nobody_hears_is_a_problem(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    table("0 1 * * * /bin/a\n")
    settings.HEARTBEAT_URL = "https://hc.example.org/ping/secret"
    start, client = clock.now(), signed_in()
    for minute, fault in ((0, ""), (1, "HTTP Error 500"), (4, "HTTP Error 500")):
        with clock.at(start + timedelta(minutes=minute)):
            heartbeat.note(settings.HEARTBEAT_URL, fault)
            assert "is not heard" not in client.get("/problems").content.decode()
    with clock.at(start + timedelta(minutes=6)):
        heartbeat.note(settings.HEARTBEAT_URL, "HTTP Error 500")
        page = client.get("/problems").content.decode()
        assert "is not heard" in page
        assert "hc.example.org/… was last reached" in page
        assert "HTTP Error 500" in page
        assert "secret" not in page
    settings.HEARTBEAT_URL = ""
    with clock.at(start + timedelta(minutes=6)):
        assert "is not heard" not in client.get("/problems").content.decode()


def test_a_webhook_is_chosen_and_shown_without_its_secrets(table: Write, signed_in: SignIn) -> None:
    table("0 1 * * * /bin/a\n")
    client = signed_in()
    client.post("/settings/webhook", {"table": "root", "url": URL, "when": "failure"})
    assert TableHook.objects.get().url == URL
    page = client.get("/settings").content.decode()
    assert "https://example.org/…" in page
    assert "pa55w" not in page
    assert "s3cret" not in page
    client.post("/settings/webhook", {"table": "root", "url": "", "when": "always"})
    row = TableHook.objects.get()
    assert (row.url, row.when) == (URL, "always")
    client.post("/settings/webhook", {"table": "root", "url": "ftp://x/", "when": "always"})
    assert TableHook.objects.get().url == URL
    client.post("/settings/webhook", {"table": "root", "do": "remove"})
    assert not TableHook.objects.exists()


def test_the_runs_of_a_chain_lead_to_each_other(table: Write, signed_in: SignIn) -> None:
    one, two = table("## A\n0 1 * * * /bin/a\n## B\n0 2 * * * /bin/b\n")
    at = clock.now()
    first = Run.objects.create(entry=one, started=at, finished=at, outcome="succeeded")
    second = Run.objects.create(
        entry=two, started=at, finished=at, outcome="failed", trigger="chain", cause=first.pk
    )
    client = signed_in()
    assert f'/runs/{second.pk}"' in client.get(f"/runs/{first.pk}").content.decode()
    assert f'/runs/{first.pk}"' in client.get(f"/runs/{second.pk}").content.decode()
    assert f'/runs/{second.pk}"' in client.get("/runs?trigger=chain").content.decode()
