"""What a run's page offers to do: its job is muted, and a stop is watched until the kill."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock import clock
from billclock.accounts import audit
from billclock.accounts.models import Role
from billclock.scheduler.models import Entry, Outcome, Run, Snooze
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

SignIn = Callable[..., Client]
Write = Callable[..., list[Entry]]
TABLE = "## Copy\n# billclock: grace=30s\n0 3 * * * /bin/copy\n"


def page(client: Client, run: Run) -> str:
    return client.get(f"/runs/{run.pk}").content.decode()


def fields(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent to an address, with those of its first button."""
    form = next(one for one in html.split("<form ")[1:] if f'action="{action}"' in one)
    form = form.partition("</form>")[0]
    return {
        **dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)),
        **dict(re.findall(r'<button class="b" name="(\w+)" value="([^"]*)"', form)[:1]),
    }


def test_a_job_stops_mailing_from_its_run_and_its_output_is_kept(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    (entry,) = table(TABLE)
    client = signed_in()
    run = ran(entry, clock.now())
    html = page(client, run)
    assert 'action="/problems/aside"' not in html
    told = client.post("/jobs/act", fields(html, "/jobs/act"), follow=True).content.decode()
    assert "Report: Never: Copy" in told
    assert 'value="undo' in told or "/undo" in told
    assert (settings.SPOOL / "root").read_text().endswith("/bin/copy >/dev/null 2>&1\n")


def test_a_failures_problem_is_put_aside_from_its_run(table: Write, signed_in: SignIn) -> None:
    (entry,) = table(TABLE)
    run = ran(entry, clock.now(), outcome=Outcome.FAILED, exit_code=1)
    client = signed_in(Role.OPERATOR)
    html = page(client, run)
    assert 'action="/jobs/act"' not in html
    given = fields(html, "/problems/aside")
    assert given["for"] == "hour"
    assert "1 problem was put aside" in client.post(
        "/problems/aside", given, follow=True
    ).content.decode()  # fmt: skip
    assert Snooze.objects.filter(key=given["key"]).exists()
    assert "Mute…" not in page(signed_in(Role.VIEWER), run)


def test_a_stop_is_counted_down_to_the_kill(table: Write, signed_in: SignIn) -> None:
    (entry,) = table(TABLE)
    now = clock.now()
    run = Run.objects.create(entry=entry, started=now)
    client = signed_in()
    assert "TERM)" not in page(client, run)
    audit.note("anna@example.net", "run.stop", str(run.pk), table="root")
    with clock.at(now + timedelta(seconds=10)):
        assert re.search(r"killed in (19|20|21) s\.", page(client, run))
    with clock.at(now + timedelta(seconds=40)):
        assert "and killed (KILL)" in page(client, run)
    Run.objects.filter(pk=run.pk).update(outcome=Outcome.STOPPED, finished=now)
    assert "TERM)" not in page(client, run)
