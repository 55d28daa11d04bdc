"""The parts of a run's page: what was executed, what it found, what happened, what changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from billclock import clock
from billclock.accounts import audit
from billclock.accounts.models import Role
from billclock.cron.veiling import is_secret
from billclock.scheduler import output, samples
from billclock.scheduler.models import Entry, Outcome, Run, Slot
from billclock.scheduler.samples import Sample
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

SignIn = Callable[..., Client]
Write = Callable[..., list[Entry]]


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_run_shows_the_command_it_had_though_the_line_changed_since(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("## Copy\n0 3 * * * /bin/old --to a\\%b%input\n")
    run = ran(entry, clock.now(), started=clock.now())
    table("## Copy\n0 3 * * * /bin/new\n")
    page = shown(signed_in(), f"/runs/{run.pk}?show=command")
    assert "/bin/old --to a%b" in page
    assert "Standard input" in page


def test_the_environment_is_of_its_time_and_hides_secrets(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("COLOUR=green\nDB_PASSWORD=hunter2\n* * * * * /bin/a\n")
    run = ran(entry, clock.now(), started=clock.now())
    table("COLOUR=blue\nDB_PASSWORD=hunter3\n* * * * * /bin/a\n")
    page = shown(signed_in(), f"/runs/{run.pk}?show=environment")
    assert "green" in page
    assert "blue" not in page
    assert "DB_PASSWORD" in page
    assert "hunter" not in page
    assert "BILLCLOCK_RUN" in page


def test_how_a_run_was_asked_to_run_is_told_and_its_secrets_are_not(
    table: Write, signed_in: SignIn
) -> None:
    line = (
        "# billclock: env=\"TOKEN=hunter2 MODE='two words'\" workdir=/srv success=0,3 memory=1G\n"
    )
    (entry,) = table(f"{line}0 3 * * * /bin/a\n")
    run = ran(entry, clock.now(), started=clock.now())
    client = signed_in()
    command = shown(client, f"/runs/{run.pk}?show=command")
    for words in ("/srv", "0,3", "1G"):
        assert f"<td>{words}</td>" in command
    environment = shown(client, f"/runs/{run.pk}?show=environment")
    assert "two words" in environment
    table(line.replace("memory=1G", "") + "5 3 * * * /bin/a\n")
    failed = ran(entry, clock.now(), outcome=Outcome.FAILED)
    changes = shown(client, f"/runs/{failed.pk}?show=changes")
    assert "MODE=&#x27;two words&#x27;" in changes
    for page in (command, environment, changes):
        assert "hunter2" not in page


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("API_TOKEN", "x", True),
        ("PGPASSWORD", "x", True),
        ("AWS_SECRET_ACCESS_KEY", "x", True),
        ("SSH_KEY", "x", True),
        ("DATABASE", "postgres://user:word@host/db", True),
        ("MIRROR", "https://host/path", False),
        ("KEYBOARD", "us", False),
        ("PATH", "/bin", False),
        ("ODD", "http://[", True),
    ],
)
def test_what_may_be_a_secret(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) is secret


def test_changes_are_those_since_the_last_success(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("## Copy\nTOKEN=one\n0 3 * * * /bin/copy\n")
    ran(entry, clock.now(), started=clock.now())
    table("## Copy\nTOKEN=two\n5 4 * * * /bin/copy\n")
    failed = ran(entry, clock.now(), outcome=Outcome.FAILED)
    page = shown(signed_in(), f"/runs/{failed.pk}?show=changes")
    assert "0 3 * * * /bin/copy" in page
    assert "5 4 * * * /bin/copy" in page
    assert "TOKEN=one" not in page


def test_without_a_success_there_is_nothing_to_compare_with(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    run = ran(entry, clock.now(), outcome=Outcome.FAILED)
    assert "never succeeded before" in shown(signed_in(), f"/runs/{run.pk}?show=changes")


def test_events_are_told_in_their_order(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    now = clock.now() - timedelta(seconds=60)
    slot = Slot.objects.create(entry=entry, planned=now, claimed_at=now - timedelta(seconds=1))
    first = ran(entry, now, slot=slot, outcome=Outcome.FAILED, exit_code=4)
    later = now + timedelta(seconds=5)
    run = ran(entry, later, 90, slot=slot, attempt=2, outcome=Outcome.STOPPED, signal=15, pid=77)
    audit.note("anna@example.net", "run.stop", str(run.pk))
    page = shown(signed_in(), f"/runs/{run.pk}?show=events").partition('class="happened"')[2]
    words = ["Due and claimed", "Attempt 1: failed", "process 77", "Asked to stop", "signal 15"]
    places = [page.index(word) for word in words]
    assert places == sorted(places)
    assert f'href="/runs/{first.pk}"' in page


def test_a_jobs_report_becomes_effects(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    told, plain = ran(entry, clock.now()), ran(entry, clock.now())
    report = b'{"done": 12, "failed": {"client <7>": "no money"}, "figures": {"EUR": "18.20"}}\n'
    output.write_all(told.pk, b"begun\n" + report)
    output.write_all(plain.pk, b'{"done": 1}\n')
    client = signed_in()
    page = shown(client, f"/runs/{told.pk}?show=effects")
    for word in (">12<", "18.20", "client &lt;7&gt;", "no money"):
        assert word in page
    assert "show=effects" not in shown(client, f"/runs/{plain.pk}")


def test_samples_become_curves_and_times(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    run = ran(entry, clock.now(), 60)
    output.write_all(run.pk, b"early\nlater\n")
    for sample in (Sample(5.0, 1.0, 1024, 6), Sample(6.0, 1.5, 4096, 6), Sample(20, 3, 99, 12)):
        samples.add(output.path(run.pk), sample)
    page = shown(signed_in(), f"/runs/{run.pk}")
    assert "Memory: peak 4.0\xa0MB" in page
    assert "peak 50 %" in page
    assert 'data-since="0:20">later' in page
    assert '<li data-n="1">early' in page


def test_samples_that_are_damaged_are_passed_over(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    run = ran(entry, clock.now())
    output.write_all(run.pk, b"x\n")
    samples.path(output.path(run.pk)).write_bytes(b"\xff\n1 2 3\n1 1 1 1\n2 nan")
    shown(signed_in(), f"/runs/{run.pk}")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"outcome": "", "started": None, "finished": None}, "Waiting for its turn"),
        ({"outcome": "", "finished": None}, "Running, without output yet"),
        ({"outcome": Outcome.LOST}, "Nobody knows how the run ended"),
        ({"output_size": 10}, "The output is no longer kept"),
        ({"outcome": Outcome.SKIPPED, "started": None}, "The run never began"),
    ],
)
def test_states_without_output_say_which_they_are(
    table: Write, signed_in: SignIn, values: dict[str, object], word: str
) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    run = ran(entry, clock.now(), **values)
    assert word in shown(signed_in(), f"/runs/{run.pk}")


def test_silence_is_told(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    for _ in range(3):
        ran(entry, clock.now(), 38)
    began = clock.now() - timedelta(minutes=4)
    run = ran(entry, began, outcome="", finished=None)
    page = shown(signed_in(), f"/runs/{run.pk}")
    assert "quiet for 4 min" in page
    assert "the last runs took 38 s on average" in page


def test_only_who_may_run_stops_and_repeats(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    over = ran(entry, clock.now())
    going = ran(entry, clock.now(), outcome="", finished=None)
    viewer = signed_in(Role.VIEWER)
    for run, act in ((going, "stop"), (over, "again")):
        assert f"/runs/{run.pk}/{act}" not in shown(viewer, f"/runs/{run.pk}")
        assert viewer.post(f"/runs/{run.pk}/{act}").status_code == 403
    operator = signed_in(Role.OPERATOR)
    assert f"/runs/{going.pk}/stop" in shown(operator, f"/runs/{going.pk}")
    assert f"/runs/{over.pk}/again" in shown(operator, "/runs")


def test_without_the_daemon_a_run_can_not_be_repeated_and_says_so(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    run = ran(entry, clock.now())
    back = {"back": "?outcome=failed"}
    answer = signed_in().post(f"/runs/{run.pk}/again", back, follow=True)
    assert answer.redirect_chain == [("/runs?outcome=failed", 302)]
    assert "the scheduler is not running" in answer.content.decode()
    assert Run.objects.count() == 1


def test_a_page_takes_a_fixed_number_of_queries(
    table: Write, signed_in: SignIn, django_assert_num_queries
) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    client = signed_in()
    for number in (3, 60):
        runs = [ran(entry, clock.now()) for _ in range(number)]
        with django_assert_num_queries(8, using="scheduler"):
            shown(client, f"/runs/{runs[-1].pk}")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"signal": 15, "exit_code": None}, "signal 15<small>SIGTERM</small>"),
        ({"exit_code": 127}, "127<small>the program was not found</small>"),
        ({"exit_code": 137}, "137<small>as after SIGKILL</small>"),
        ({"exit_code": 3}, "3</dd>"),
    ],
)
def test_what_a_number_means_is_said_beside_it(
    table: Write, signed_in: SignIn, values: dict[str, object], words: str
) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    run = ran(entry, clock.now(), outcome=Outcome.FAILED, **values)
    assert words in shown(signed_in(), f"/runs/{run.pk}")


def test_only_a_run_that_is_tried_again_has_attempts_to_come(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("# billclock: retries=2 memory=100M\n* * * * * /bin/a\n")
    at = clock.now()
    slot = Slot.objects.create(entry=entry, planned=at, claimed_at=at)
    client = signed_in()
    planned = shown(client, f"/runs/{ran(entry, at, slot=slot, started=at).pk}")
    assert "1 of 3" in planned
    assert "of 100.0\xa0MB allowed" in planned
    by_hand = ran(entry, at, planned=None, started=at, trigger="manual")
    assert "1 of 3" not in shown(client, f"/runs/{by_hand.pk}")


def test_a_run_that_goes_on_says_when_it_should_end(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/a\n")
    now = clock.now()
    for _ in range(3):
        ran(entry, now, 600)
    client = signed_in()
    for ago, word in ((1, "about 1"), (700, "later than usual")):
        with clock.at(now.replace(hour=12)):
            began = clock.now() - timedelta(seconds=ago)
            run = ran(entry, began, outcome="", finished=None)
            assert word in shown(client, f"/runs/{run.pk}")
