"""The Problems page: what is told, what one click does, who may, and why a job did not run."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.outbox.models import Message, State
from billclock.scheduler import output
from billclock.scheduler.models import Entry, Incident, Outcome, Pause, Run, Slot, Snooze, Trigger
from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables
from tests.web.conftest import beat, ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)  # a Saturday
HOUR = timedelta(hours=1)

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    with clock.at(NOON):
        beat(NOON)


@pytest.fixture
def signed_in(signed_in: SignIn) -> SignIn:
    """Sign in at the time of the tests: who was idle since is asked who he is."""

    def sign_in(*who: object) -> Client:
        with clock.at(NOON):
            return signed_in(*who)

    return sign_in


def shown(client: Client, path: str = "/problems", **headers: str) -> str:
    with clock.at(NOON):
        return client.get(path, headers=headers).content.decode()


def posted(client: Client, path: str, **fields: object) -> str:
    """Post a form and give the page that it leads to."""
    with clock.at(NOON):
        return client.post(path, fields, follow=True).content.decode()


def text(page: str) -> str:
    """The words of a page's main part, one blank between pieces."""
    main, words, inside = page[page.index("<main") :], "", False
    for char in main:
        inside = char == "<" or (inside and char != ">")
        words += " " if inside or char == ">" else char
    return " ".join(words.split())


@contextmanager
def daemon(path: Path, answers: dict[str, dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """A daemon's ear at a socket: it answers by what is asked, and keeps what it was asked."""
    heard: list[dict[str, Any]] = []
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(str(path))
        ear.listen()

        def listen() -> None:
            while True:
                peer, _ = ear.accept()
                with peer:
                    heard.append(json.loads(peer.makefile().readline()))
                    peer.sendall(json.dumps(answers[heard[-1]["do"]]).encode() + b"\n")

        threading.Thread(target=lambda: suppress_closed(listen), daemon=True).start()
        yield heard
        ear.shutdown(socket.SHUT_RDWR)


def suppress_closed(listen: Callable[[], None]) -> None:
    try:
        listen()
    except OSError:
        return


def test_without_problems_the_page_says_so(table: Write, signed_in: SignIn) -> None:
    table("0 1 * * * /bin/true\n")
    assert "Nothing needs a person." in shown(signed_in())


def test_a_failing_job_is_told_with_its_last_line_and_its_remedies(
    table: Write, signed_in: SignIn
) -> None:
    (job,) = table("## sync items\n0 * * * * /bin/sync\n")
    ran(job, NOON - 2 * HOUR, outcome="failed", exit_code=1)
    run = ran(job, NOON - HOUR, outcome="failed", exit_code=1)
    output.write_all(run.pk, b"working\nthe registrar \x1b[31manswered\x1b[0m 503\n\n")
    page = shown(signed_in())
    words = text(page)
    assert "sync items fails since today 10:00" in words
    assert "Failed with exit code 1, 2 times in a row: the registrar answered 503" in words
    assert f'href="/runs/{run.pk}"' in page
    assert "Run now" in words


def test_a_program_that_is_not_found_is_said_in_words(table: Write, signed_in: SignIn) -> None:
    jobs = table("0 * * * * /bin/a\n5 * * * * /bin/b\n")
    for hours, job in enumerate(jobs, 1):
        ran(job, NOON - hours * HOUR, outcome="failed", exit_code=127)
    words = text(shown(signed_in()))
    assert "2 jobs fail since today 10:00" in words
    assert "The shell does not find the program (exit code 127)" in words
    assert "Run all now" in words


@pytest.mark.parametrize(
    ("role", "run", "edit"), [(Role.ROOT, 1, 1), (Role.OPERATOR, 1, 0), (Role.VIEWER, 0, 0)]
)
def test_each_role_sees_the_remedies_it_may_use(
    table: Write, signed_in: SignIn, role: Role, run: int, edit: int
) -> None:
    (job, _) = table("0 * * * * /bin/a\n0 * * * * /bin/b\n5 0 * 0 * /bin/bad\n")
    ran(job, NOON - HOUR, outcome="failed", exit_code=1)
    words = text(shown(signed_in(role)))
    assert ("Run now" in words, "Fix the line" in words) == (bool(run), bool(edit))
    assert ("Put aside" in words) == bool(run)


ACTS = [
    ("/problems/run", Role.OPERATOR),
    ("/problems/fix", Role.ROOT),
    ("/problems/clock", Role.OPERATOR),
    ("/problems/mail", Role.OPERATOR),
    ("/problems/aside", Role.OPERATOR),
    ("/problems/wake", Role.OPERATOR),
    ("/problems/catch-up/1", Role.ROOT),
    ("/problems/switch-on/1", Role.ROOT),
]


@pytest.mark.parametrize(("path", "least"), ACTS)
def test_an_act_is_refused_to_a_lesser_role_to_get_and_without_a_token(
    signed_in: SignIn, path: str, least: Role
) -> None:
    with clock.at(NOON):
        viewer = signed_in(Role.VIEWER)
        assert viewer.post(path).status_code == 403
        if least is Role.ROOT:
            assert signed_in(Role.OPERATOR).post(path).status_code == 403
        root = signed_in(Role.ROOT)
        assert root.get(path).status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = root.cookies
        assert strict.post(path).status_code == 403
        assert Client().post(path).status_code == 302, "to the sign-in"


def test_nobody_reaches_into_another_table(table: Write, signed_in: SignIn) -> None:
    (theirs,) = table("#0 1 * * * /bin/theirs\n", "www-data")
    table("5 0 * 0 * /bin/bad\n", "backup")
    ran(theirs, NOON - HOUR, outcome="failed")
    client = signed_in(Role.ROOT, "root")
    page = shown(client)
    assert "/bin/theirs" not in page
    assert "backup" not in page
    with clock.at(NOON):
        assert client.get(f"/problems?entry={theirs.pk}&at=2026-11-21T01:00").status_code == 404
        for path in ("catch-up", "switch-on"):
            assert client.post(f"/problems/{path}/{theirs.pk}").status_code == 404
        assert client.post("/problems/run", {"entry": theirs.pk}).status_code == 404
    assert not AuditRow.objects.filter(act__regex="^(job|line|clock|mail|problem)").exists()


def test_lines_are_put_right_with_one_click_and_it_can_be_undone(
    table: Write, signed_in: SignIn, home: Path
) -> None:
    before = "5 0 * 0 * /bin/one\n# kept\n0 6,18\u00a0* * * /bin/two\n0 1 * * * /bin/good\n"
    table(before)
    client = signed_in()
    page = shown(client)
    assert "2 lines of root can&#x27;t be read" in text(page)
    assert "0 6,18 * * * /bin/two" in page
    fields = hidden(page, "/problems/fix")
    after = posted(client, "/problems/fix", **fields)
    assert "Put right in root: line 1, 3" in after
    fixed = (home / "spool" / "root").read_text(encoding="utf-8")
    assert fixed == "5 0 * 1 * /bin/one\n# kept\n0 6,18 * * * /bin/two\n0 1 * * * /bin/good\n"
    row = AuditRow.objects.get(act__startswith="line")
    assert (row.act, row.table, row.actor) == ("line.fix", "root", "root@example.net")
    assert "5 0 * 0 * /bin/one" in row.before
    assert "5 0 * 1 * /bin/one" in row.after
    with clock.at(NOON):
        on_disk: Table = Tables().table("root")
        on_disk.undo(on_disk.versions[0].number, author="x")
    assert (home / "spool" / "root").read_text(encoding="utf-8") == before


def hidden(page: str, action: str) -> dict[str, list[str]]:
    """The hidden fields of the first form that posts to an address."""
    form = page[page.index(f'action="{action}"') :]
    form = form[: form.index("</form>")]
    fields: dict[str, list[str]] = {}
    for piece in form.split('<input type="hidden" name="')[1:]:
        name, _, rest = piece.partition('" value="')
        fields.setdefault(name, []).append(rest.partition('"')[0])
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def test_a_line_that_changed_meanwhile_is_left_alone(
    table: Write, signed_in: SignIn, home: Path
) -> None:
    table("5 0 * 0 * /bin/one\n")
    client = signed_in()
    fields = hidden(shown(client), "/problems/fix")
    text_now = "5 0 * 0 * /bin/one\n0 1 * * * /bin/new\n"
    (home / "spool" / "root").write_text(text_now, encoding="utf-8")
    assert "was changed since the page was shown" in posted(client, "/problems/fix", **fields)
    assert (home / "spool" / "root").read_text(encoding="utf-8") == text_now
    assert not AuditRow.objects.filter(act__regex="^(job|line|clock|mail|problem)").exists()


def test_a_second_entry_of_the_same_minute_is_switched_off(
    table: Write, signed_in: SignIn, home: Path
) -> None:
    table("0 1 * * * /bin/a\n0 1 * * 0 /bin/a\n")
    client = signed_in()
    page = shown(client)
    assert "starts twice in the same minute" in page
    posted(client, "/problems/fix", **hidden(page, "/problems/fix"))
    assert (home / "spool" / "root").read_text(encoding="utf-8").endswith("\n#0 1 * * 0 /bin/a\n")


def test_jobs_are_run_by_the_daemon_for_the_one_who_asks(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    jobs = table("0 * * * * /bin/a\n0 * * * * /bin/b\n")
    for job in jobs:
        ran(job, NOON - HOUR, outcome="failed", exit_code=1)
    client = signed_in(Role.OPERATOR)
    fields = hidden(shown(client), "/problems/run")
    answers = {"run-now": {"ok": True, "run": 7}}
    with daemon(Path(settings.CONTROL_SOCKET), answers) as heard:
        assert "2 jobs were started." in posted(client, "/problems/run", **fields)
        assert {each["entry"] for each in heard} == {job.pk for job in jobs}
        assert {each["actor"] for each in heard} == {"operator@example.net"}
        with clock.at(NOON):
            alone = client.post("/problems/run", {"entry": jobs[0].pk})
        assert alone.headers["Location"] == "/runs/7"
    assert AuditRow.objects.filter(act="job.run").count() == 3


def test_without_a_daemon_it_is_said_and_nothing_is_noted(table: Write, signed_in: SignIn) -> None:
    (job,) = table("0 * * * * /bin/a\n")
    client = signed_in()
    assert "the scheduler is not running" in posted(client, "/problems/run", entry=job.pk)
    assert "the scheduler is not running" in posted(client, "/problems/clock")
    assert not AuditRow.objects.filter(act__regex="^(job|line|clock|mail|problem)").exists()


def test_following_the_new_clock_settles_the_jump(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    (job,) = table("0 * * * * /bin/a\n")
    Incident.objects.create(kind="clock", at=NOON - HOUR, text="The clock was set back by 2:00:00.")
    ahead = NOON.replace(second=0) + HOUR
    Slot.objects.create(entry=job, planned=ahead, claimed_at=ahead, outcome="succeeded")
    client = signed_in()
    words = text(shown(client))
    assert "Moments that had their run wait until today 13:00 passes." in words
    assert "The clock was set back by 2:00:00." in words
    with daemon(Path(settings.CONTROL_SOCKET), {"follow-clock": {"ok": True, "entries": [1]}}):
        assert "1 job follows the new clock." in posted(client, "/problems/clock")
    assert "The clock was set back by 2:00:00." not in shown(client)


def test_letters_are_tried_again_at_once(table: Write, signed_in: SignIn) -> None:
    table("0 * * * * /bin/a\n")
    letter = Message.objects.create(
        channel="mail", dedupe_key="1", group="report:root", created=NOON, state=State.FAILED,
        next_try=NOON + HOUR, last_error="x: no such mailbox", refused={"x": "no"}, attempts=9,
    )  # fmt: skip
    client = signed_in()
    page = shown(client)
    assert "1 message can&#x27;t be delivered" in text(page)
    page = posted(client, "/problems/mail", **hidden(page, "/problems/mail"))
    assert "1 letter is tried again." in page
    letter.refresh_from_db()
    assert (letter.state, letter.outstanding, letter.refused) == (State.QUEUED, ["x"], {})
    assert letter.next_try == NOON
    assert "be delivered" not in text(page)


@pytest.mark.parametrize(
    ("choice", "hidden_for", "back_after"),
    [("hour", 0.9, 1), ("tomorrow", 20, 21), ("week", 167, 168), ("good", 167, None)],
)
def test_a_problem_is_put_aside_until_its_time(
    table: Write, signed_in: SignIn, choice: str, hidden_for: float, back_after: float | None
) -> None:
    table("0 1 * * * /bin/a\n0 1 * * 0 /bin/a\n")
    client = signed_in(Role.OPERATOR)
    fields = hidden(shown(client), "/problems/aside")
    fields["for"] = [choice]
    page = posted(client, "/problems/aside", **fields)
    assert "1 problem was put aside." in page
    assert "1 put aside." in page
    with clock.at(NOON + hidden_for * HOUR):
        assert "Nothing needs a person." in client.get("/problems").content.decode()
    if back_after:
        with clock.at(NOON + back_after * HOUR):
            assert "starts twice" in client.get("/problems").content.decode()
    assert AuditRow.objects.filter(act="problem.snooze").count() == 1


def test_what_is_put_aside_can_be_shown_again(table: Write, signed_in: SignIn) -> None:
    table("5 0 * 0 * /bin/bad\n")
    client = signed_in(Role.OPERATOR)
    fields = hidden(shown(client), "/problems/aside")
    posted(client, "/problems/aside", **fields, **{"for": "week"})
    assert "/bin/bad" in posted(client, "/problems/wake")
    assert Snooze.objects.count() == 0


@pytest.mark.parametrize("choice", ["", "ever"])
def test_a_time_that_is_none_is_refused(table: Write, signed_in: SignIn, choice: str) -> None:
    table("5 0 * 0 * /bin/bad\n")
    client = signed_in()
    assert client.post("/problems/aside", {"for": choice, "key": "x"}).status_code == 403


def test_a_key_that_is_no_open_problem_does_nothing(table: Write, signed_in: SignIn) -> None:
    table("0 1 * * * /bin/a\n")
    posted(signed_in(), "/problems/aside", **{"for": "week", "key": "failing:www-data:1"})
    assert Snooze.objects.count() == 0


def why(client: Client, entry: Entry, at: str, **more: str) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return text(shown(client, f"/problems?entry={entry.pk}&at={at}{extra}"))


def test_why_a_paused_job_did_not_run(table: Write, signed_in: SignIn) -> None:
    with clock.at(NOON - 72 * HOUR):
        (job,) = table("## collect\n5 18 * * * /bin/collect\n")
    planned = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
    Slot.objects.create(
        entry=job, planned=planned, claimed_at=planned, outcome=Outcome.SKIPPED, reason="paused"
    )
    Pause.objects.create(
        since=planned.replace(minute=0), until=planned.replace(minute=20), actor="m.keller"
    )
    words = why(signed_in(), job, "2026-11-20T18:05")
    assert (
        "It was planned for 18:05, but all jobs were paused from Fri 20 Nov 18:00 to "
        "Fri 20 Nov 18:20." in words
    )
    assert "Nothing made up for it. Its next moment after that: Sat 21 Nov 18:05." in words
    assert "Was it free to start? m.keller paused all jobs. no" in words
    assert "Minute 05 5 fits Hour 18 18 fits" in words


def test_why_a_missed_job_did_not_run_and_how_it_is_made_up_for_from_now_on(
    table: Write, signed_in: SignIn, home: Path
) -> None:
    with clock.at(NOON - 72 * HOUR):
        (job,) = table("5 18 * * * /bin/collect\n")
    planned = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
    Slot.objects.create(
        entry=job, planned=planned, claimed_at=planned, outcome=Outcome.MISSED,
        reason="the scheduler was not running",
    )  # fmt: skip
    client = signed_in()
    words = why(client, job, "2026-11-20T18:05")
    assert "and missed: the scheduler was not running." in words
    assert "From now on, make up for it once" in words
    made = Run.objects.create(
        entry=job, attempt=1, trigger=Trigger.MANUAL, started=planned + HOUR, outcome=Outcome.FAILED
    )
    words = why(client, job, "2026-11-20T18:05")
    assert f"Was it made up for? By hand, by run {made.pk}. yes" in words
    path = f"/problems?entry={job.pk}&at=2026-11-20T18:05"
    russian = text(shown(client, path, **{"Accept-Language": "ru"}))
    assert "Запуск был назначен на пт 20 ноя 18:05 и пропущен" in russian
    page = posted(client, f"/problems/catch-up/{job.pk}")
    assert "From now on missed moments are made up for once: collect" in page
    lines = (home / "spool" / "root").read_text(encoding="utf-8")
    assert lines == "# billclock: catch-up=once\n5 18 * * * /bin/collect\n"
    assert AuditRow.objects.filter(act="job.catch_up").count() == 1


def test_why_another_minute_leads_to_the_minutes_it_asks_for(
    table: Write, signed_in: SignIn
) -> None:
    with clock.at(NOON - 72 * HOUR):
        (job,) = table("5 18 * * * /bin/collect\n")
    words = why(signed_in(), job, "2026-11-20T19:05")
    assert "did not ask for Fri 20 Nov 19:05: hour did not fit." in words
    assert "It asks for Fri 20 Nov 18:05 , Sat 21 Nov 18:05" in words


def test_a_job_that_was_off_can_be_switched_on(table: Write, signed_in: SignIn, home: Path) -> None:
    with clock.at(NOON - 72 * HOUR):
        (job,) = table("#5 18 * * * /bin/collect\n")
    client = signed_in()
    words = why(client, job, "2026-11-20T18:05")
    assert "It was switched off on Fri 20 Nov 18:05." in words
    assert "The job was switched on: collect" in posted(client, f"/problems/switch-on/{job.pk}")
    assert (home / "spool" / "root").read_text(encoding="utf-8") == "5 18 * * * /bin/collect\n"


def test_the_second_pass_of_an_hour_is_a_question_of_its_own(
    table: Write, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    with clock.at(datetime(2026, 10, 1, tzinfo=UTC)):
        (job,) = table("15 2 * * * /bin/close\n")
    client = signed_in()
    page = shown(client, f"/problems?entry={job.pk}&at=2026-10-25T02:15")
    assert f"?entry={job.pk}&amp;at=2026-10-25T02:15&amp;pass=2#why" in page
    again = {"pass": "2"}
    words = why(client, job, "2026-10-25T02:15", **again)
    assert "02:15 came twice that day, and a fixed time runs in the first pass only." in words


@pytest.mark.parametrize("at", ["", "soon", "1999-01-01T00:00", "9999-12-31T23:59", "2026-13-01"])
def test_a_moment_that_is_none_is_said_at_the_field(
    table: Write, signed_in: SignIn, at: str
) -> None:
    (job,) = table("5 18 * * * /bin/collect\n")
    assert "This is no moment of the last 400 days" in why(signed_in(), job, at)


@pytest.mark.parametrize("entry", ["0", "999", "x", "-1", "9" * 30])
def test_a_job_that_is_none_is_not_found(signed_in: SignIn, entry: str) -> None:
    answer = signed_in().get("/problems", {"entry": entry, "at": "2026-11-20T18:05"})
    assert answer.status_code == 404


def test_hostile_text_is_text(table: Write, signed_in: SignIn) -> None:
    evil = '"><script>alert(1)</script>\u202e'
    (job,) = table(f"## {evil}\n0 * * * * /bin/echo\n5 0 * 0 * /bin/bad {evil}\n")
    run = ran(job, NOON - HOUR, outcome="failed", exit_code=1)
    output.write_all(run.pk, f"{evil}\n".encode())
    page = shown(signed_in(), f"/problems?entry={job.pk}&at=2026-11-20T18:05")
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert escape('"><script>alert(1)</script>⟨U+202E⟩') in page


def test_it_speaks_russian(table: Write, signed_in: SignIn) -> None:
    (job,) = table("0 * * * * /bin/sync\n")
    ran(job, NOON - HOUR, outcome="failed", exit_code=1)
    page = shown(signed_in(), **{"accept-language": "ru"})
    assert "Проблемы" in page
    assert "Почему не запустилось?" in page


def test_the_number_of_queries_does_not_grow_with_jobs_or_tables(
    table: Write, signed_in: SignIn
) -> None:
    def counted(client: Client) -> int:
        with (
            CaptureQueriesContext(connections["scheduler"]) as one,
            CaptureQueriesContext(connections["default"]) as other,
        ):
            shown(client)
        return len(one) + len(other)

    jobs = table("0 * * * * /bin/a\n5 0 * 0 * /bin/bad\n")
    client = signed_in()
    ran(jobs[0], NOON - HOUR, outcome="failed", exit_code=1)
    counted(client)  # the first page of a session writes it down
    few = counted(client)
    for name in ("www-data", "backup"):
        lines = "".join(f"{minute} * * * * /bin/{name}{minute}\n" for minute in range(60))
        for job in table(lines + "5 0 * 0 * /bin/bad\n", name):
            ran(job, NOON - HOUR, outcome="failed", exit_code=1)
    assert counted(client) == few
