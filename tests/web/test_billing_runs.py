"""Runs of billing jobs on the screen: what they stopped at, Allow; accounts that were parked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing import batches, progress
from billclock.billing.progress import JobRun, Parked
from billclock.billing.provider import Provider
from billclock.jobs import registry
from billclock.scheduler import control
from billclock.scheduler.models import Entry
from tests.billing.company import TODAY, House, noon
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
LINE = "## Daily billing\n15 0 * * * /usr/local/mgr5/sbin/billmaintain --command billdaily\n"


@pytest.fixture(autouse=True)
def today():
    with clock.at(noon(TODAY)):
        yield


@pytest.fixture
def house() -> House:
    made = House()
    for _ in range(2):
        made.service(made.account(500_00), paid_until=TODAY - timedelta(days=20))
    return made


@pytest.fixture
def asking(house: House) -> JobRun:
    """A billdaily that found too many dates to be billed at once."""
    begun = progress.begin("billdaily", house.provider, TODAY - timedelta(days=30))
    progress.finish(begun, {"counts": {"renewed": 3}, "charged": {"EUR": 35_70}})
    registry.perform("billdaily", on=TODAY)
    return JobRun.objects.asking().get()


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_says_what_each_run_did_and_which_one_waits(
    signed_in: SignedIn, asking: JobRun
) -> None:
    page = shown(signed_in(Role.VIEWER), "/billing-runs")
    assert "waits for a person" in page
    assert "3 renewed, €35.70" in page
    waiting = shown(signed_in(Role.OPERATOR), "/billing-runs?state=asking")
    assert "3 renewed" not in waiting
    assert f"/billing-runs/{asking.pk}" in waiting


def test_its_page_asks_its_question_and_rehearses_what_it_would_do(
    signed_in: SignedIn, asking: JobRun
) -> None:
    client = signed_in()
    page = shown(client, f"/billing-runs/{asking.pk}")
    assert "30 dates, 2026-10-22 to 2026-11-20, would be billed at once" in page
    assert "would be renewed" not in page
    preview = f"/billing-runs/{asking.pk}/preview"
    assert f'action="{preview}"><input type="hidden" name="csrfmiddlewaretoken"' in page
    assert client.get(preview).status_code == 405
    assert "2 would be renewed (23.80 EUR)" in client.post(preview).content.decode()
    assert not JobRun.objects.filter(on=TODAY, state=JobRun.State.DONE).exists()


def test_allow_asks_says_what_comes_next_and_is_written_down(
    signed_in: SignedIn, asking: JobRun, table: Callable[[str], list[Entry]]
) -> None:
    table(LINE)
    client = signed_in()
    one = {"one": f"allow:{asking.pk}", "back": str(asking.pk)}
    assert "though it passed its limit" in client.post("/billing-runs/act", one).content.decode()
    done = client.post("/billing-runs/act", one | {"confirmed": "yes"}, follow=True)
    page = done.content.decode()
    assert "It goes on at its next moment, tomorrow 00:15" in page
    assert "allowed, goes on" in page
    asking.refresh_from_db()
    assert asking.allowed_by == "root@example.net"
    assert AuditRow.objects.get(act="billing-runs.allow").subject.startswith("billing-runs/")
    again = client.post("/billing-runs/act", one | {"confirmed": "yes"}, follow=True)
    assert "It waits for no answer." in again.content.decode()
    assert registry.perform("billdaily", on=TODAY).exit_code == 0


def test_who_allows_without_a_line_is_told_to_run_it_by_hand(
    signed_in: SignedIn, asking: JobRun
) -> None:
    act = {"act": "allow", "entry": str(asking.pk), "confirmed": "yes"}
    done = signed_in().post("/billing-runs/act", act, follow=True)
    assert "No table has this job: run it by hand." in done.content.decode()


def test_a_job_is_run_at_once_by_the_scheduler(
    signed_in: SignedIn,
    asking: JobRun,
    table: Callable[[str], list[Entry]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (entry,) = table(LINE)
    asked = []

    def ask(what: str, **how: object) -> dict[str, int]:
        asked.append((what, how["entry"]))
        return {"run": 7}

    monkeypatch.setattr(control, "ask", ask)
    done = signed_in(Role.OPERATOR).post(
        "/billing-runs/act", {"one": f"run:{asking.pk}"}, follow=True
    )
    assert asked == [("run-now", entry.pk)]
    assert "Run 7 was started." in done.content.decode()


def test_what_waits_no_longer_is_not_rehearsed(signed_in: SignedIn, asking: JobRun) -> None:
    progress.finish(asking, {})
    answer = signed_in(Role.OPERATOR).post(f"/billing-runs/{asking.pk}/preview")
    assert answer.headers["Location"] == f"/billing-runs/{asking.pk}"


def test_an_operator_allows_nothing(signed_in: SignedIn, asking: JobRun) -> None:
    act = {"act": "allow", "entry": str(asking.pk), "confirmed": "yes"}
    assert signed_in(Role.OPERATOR).post("/billing-runs/act", act).status_code == 403
    assert JobRun.objects.asking().exists()


def test_a_parked_account_is_shown_with_its_reason_and_released(
    signed_in: SignedIn, house: House
) -> None:
    run = progress.begin("billdaily", house.provider, TODAY)
    account = house.account()
    batches.park(account.pk, run, "<b>figures</b> do not agree")
    client = signed_in()
    page = shown(client, "/parked")
    assert "&lt;b&gt;figures&lt;/b&gt; do not agree" in page
    assert account.number in page
    key = Parked.objects.get().pk
    act = {"one": f"release:{key}", "confirmed": "yes"}
    done = client.post("/parked/act", act, follow=True)
    assert f"Account {account.number} is billed again" in done.content.decode()
    assert not Parked.objects.exists()
    assert AuditRow.objects.get(act="parked.release").actor == "root@example.net"


@pytest.mark.parametrize("path", ["/billing-runs", "/parked"])
def test_the_number_of_queries_does_not_grow(signed_in: SignedIn, house: House, path: str) -> None:
    client = signed_in(Role.VIEWER)
    counts = []
    for more in range(3):
        run = progress.begin("billdaily", house.provider, TODAY - timedelta(days=more))
        progress.finish(run, {"counts": {"renewed": 1, "parked": 1}, "charged": {"EUR": 1}})
        batches.park(house.account().pk, run, "odd")
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        counts.append(len(asked))
    assert counts[1] == counts[2]


def test_a_run_left_behind_waits_for_nobody(signed_in: SignedIn) -> None:
    provider: Provider = House().provider
    progress.stop("autosuspend", provider, TODAY - timedelta(days=1), "too many")
    progress.finish(progress.begin("autosuspend", provider, TODAY), {"stopped": 2})
    assert not JobRun.objects.asking().exists()
    assert "stopped, and left behind" in shown(signed_in(Role.VIEWER), "/billing-runs")


def test_a_finished_runs_page_tells_its_figures_and_its_ranges(
    signed_in: SignedIn, house: House
) -> None:
    begun = progress.begin("billdaily", house.provider, TODAY - timedelta(days=1))
    progress.finish(begun, {})
    registry.perform("billdaily", on=TODAY)
    run = JobRun.objects.get(on=TODAY)
    page = shown(signed_in(Role.VIEWER), f"/billing-runs/{run.pk}")
    assert "€23.80" in page
    assert "2 renewed, €23.80, 2 charges" in page  # of the range of its accounts
    assert "periods" in page


def test_the_page_of_a_run_leads_to_what_its_job_did(
    signed_in: SignedIn, house: House, table: Callable[[str], list[Entry]]
) -> None:
    (entry,) = table(LINE)
    run = ran(entry, clock.now() - timedelta(seconds=1), seconds=2)
    done = progress.begin("billdaily", house.provider, TODAY)
    progress.finish(done, {"counts": {"renewed": 2}, "charged": {}})
    page = shown(signed_in(Role.VIEWER), f"/runs/{run.pk}?show=effects")
    assert f'href="/billing-runs/{done.pk}"' in page
    charged = f"/charges?on_since={TODAY}&amp;on_until={TODAY}"
    assert f'<th scope="row">renewed</th><td class="num"><a href="{charged}">2</a>' in page
    own = signed_in(Role.OPERATOR, tables="root")
    assert "billing-runs" not in shown(own, f"/runs/{run.pk}?show=effects")
