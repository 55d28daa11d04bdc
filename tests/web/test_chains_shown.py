"""Webhooks in Settings: chosen, masked, told; a chain's runs lead to each other."""

from collections.abc import Callable

import pytest
from django.test import Client

from billclock import clock
from billclock.scheduler.models import Entry, Run, TableHook

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
URL = "https://me:pa55w@example.org/hook/s3cret"


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
