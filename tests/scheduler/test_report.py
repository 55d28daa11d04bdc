"""Who gets a report, when, and when not."""

from collections import Counter
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.outbox.models import Message, State
from billclock.scheduler import report
from billclock.scheduler.models import Mail, Outcome, Run, Trigger
from tests.scheduler.reporting import NIGHT, Office, job, mails

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

SUCCEEDED, FAILED = Outcome.SUCCEEDED, Outcome.FAILED


@pytest.fixture
def office(tmp_path: Path, settings: Settings) -> Office:
    return Office(tmp_path, settings)


def written() -> list[EmailMessage]:
    while report.write_due():
        pass
    return mails()  # type: ignore[return-value]


def subjects() -> list[str]:
    return [mail["Subject"] for mail in written()]


def state(run: Run) -> str:
    run.refresh_from_db()
    return run.mail


# what the loop asks


@pytest.mark.parametrize(
    ("directive", "outcome", "size", "owed"),
    [
        ("", SUCCEEDED, 0, False),
        ("", SUCCEEDED, 1, True),
        ("", FAILED, 0, False),
        ("", Outcome.TIMED_OUT, 1, True),
        ("", Outcome.SKIPPED, 0, False),
        ("mail=always", SUCCEEDED, 0, True),
        ("mail=always", Outcome.MISSED, 0, False),
        ("mail=failure", SUCCEEDED, 9, False),
        ("mail=failure", FAILED, 0, True),
        ("mail=failure", Outcome.LOST, 0, True),
        ("mail=never", FAILED, 9, False),
    ],
)
def test_the_directive_says_which_runs_are_reported(
    directive: str, outcome: Outcome, size: int, owed: bool
) -> None:
    entry = job(f"# billclock: {directive}\n0 1 * * * /bin/x\n")
    assert report.owed(entry, outcome, output_size=size, previous=SUCCEEDED) is owed


def test_the_table_says_it_for_entries_that_do_not() -> None:
    above = "CRON_MAIL=never\n"
    assert not report.owed(job(f"{above}* * * * * /bin/x\n"), FAILED, output_size=9)
    own = job(f"{above}# billclock: mail=output\n* * * * * /bin/x\n")
    assert report.owed(own, FAILED, output_size=9)


@pytest.mark.parametrize("mailto", ["MAILTO=", 'MAILTO=""', "MAILTO=' , '"])
def test_an_empty_mailto_means_nobody(mailto: str) -> None:
    assert not report.owed(job(f"{mailto}\n* * * * * /bin/x\n"), FAILED, output_size=9)


def test_an_entry_whose_ending_discards_its_output_mails_nobody() -> None:
    for directive in ("", "# billclock: mail=always\n"):
        entry = job(f"{directive}* * * * * /bin/x >/dev/null 2>&1\n")
        assert not report.owed(entry, FAILED, output_size=9)


def test_a_list_of_commands_with_that_ending_mails_what_is_left() -> None:
    assert report.owed(job("* * * * * a; b >/dev/null 2>&1\n"), FAILED, output_size=9)


def test_a_success_is_worth_a_look_after_a_failure_or_after_nobody_knows_what() -> None:
    entry = job("* * * * * /bin/x\n")
    assert report.owed(entry, SUCCEEDED, output_size=0, previous=FAILED)
    assert report.owed(entry, SUCCEEDED, output_size=0, previous=None)
    assert not report.owed(entry, SUCCEEDED, output_size=0, previous=SUCCEEDED)


def test_an_attempt_that_is_tried_again_is_left_to_the_next_ones_report() -> None:
    assert not report.owed(job("* * * * * /bin/x\n"), FAILED, output_size=9, retried=True)


# to whom


def test_without_mailto_the_owner_at_the_host_gets_it(office: Office) -> None:
    office.table("0 1 * * * /bin/x\n", "alice")
    run = office.ran(printed=b"hello\n", name="alice")
    (mail,) = written()
    assert mail["To"] == "alice@db1"
    assert mail["From"] == '"(Cron Daemon)" <root@db1>'
    assert mail["Subject"] == "Cron <alice@db1> /bin/x"
    assert state(run) == Mail.WRITTEN


def test_mailto_may_name_several_with_commas_and_blanks(office: Office) -> None:
    office.table(
        'MAILTO="ann@example.org, bob  eve@bücher.example,ann@example.org"\n* * * * * x/y\n'
    )
    office.ran(printed=b"hello\n")
    (mail,) = written()
    assert mail["To"] == "ann@example.org, bob@db1, eve@xn--bcher-kva.example"


def test_the_mailto_above_the_entry_counts_not_the_one_below(office: Office) -> None:
    office.table("MAILTO=a@x.org\n* * * * * x/1\nMAILTO=b@x.org\n* * * * * x/2\nMAILTO=c@x.org\n")
    office.ran(printed=b"1", number=0)
    office.ran(printed=b"2", number=1)
    assert [mail["To"] for mail in written()] == ["a@x.org", "b@x.org"]


@pytest.mark.parametrize(
    "bad", ["a b@@c", "-oQ/tmp@x.org", "x@", "a@b..c", "<ann@x.org>", "root|sh", "a\rBcc:e@x.org"]
)
def test_a_bad_address_is_left_out_and_named_in_the_runs_note(office: Office, bad: str) -> None:
    office.table(f"MAILTO='good@x.org,{bad.rsplit(maxsplit=1)[-1]}'\n* * * * * x/y\n")
    run = office.ran(printed=b"hello")
    (mail,) = written()
    assert mail["To"].startswith("good@x.org")
    run.refresh_from_db()
    assert "MAILTO" in run.reason
    assert "is not a mail address" in run.reason


def test_with_bad_addresses_only_nobody_is_mailed_and_the_note_says_so(office: Office) -> None:
    office.table("MAILTO=a@@b\n* * * * * x/y\n")
    run = office.ran(printed=b"hello", reason="something else")
    assert written() == []
    run.refresh_from_db()
    assert run.reason == "something else; MAILTO: 'a@@b' is not a mail address"
    assert run.mail == Mail.NONE


def test_mailfrom_beats_the_setting_beats_root(office: Office, settings: Settings) -> None:
    settings.MAIL_FROM = "Clock <clock@x.org>"
    office.table(
        "* * * * * x/1\nMAILFROM=Büro <me@x.org>\n* * * * * x/2\nMAILFROM=no good\n* * * * * x/3\n"
    )
    for number in range(3):
        office.ran(printed=b"hello", number=number)
    senders = [mail["From"].addresses[0] for mail in written()]
    assert [(a.display_name, a.addr_spec) for a in senders] == [
        ("Clock", "clock@x.org"),
        ("Büro", "me@x.org"),
        ("Clock", "clock@x.org"),
    ]


def test_an_entry_that_is_gone_is_mailed_by_the_tables_assignments(
    office: Office, settings: Settings
) -> None:
    office.table("MAILTO=a@x.org\n* * * * * x/1\n")
    office.ran(printed=b"hello")
    (settings.SPOOL / "root").write_bytes(b"MAILTO=b@x.org\n")
    assert [mail["To"] for mail in written()] == ["b@x.org"]


def test_a_table_that_is_gone_leaves_its_owner(office: Office, settings: Settings) -> None:
    office.table("MAILTO=a@x.org\n* * * * * x/1\n", "alice")
    office.ran(printed=b"hello", name="alice")
    (settings.SPOOL / "alice").unlink()
    assert [mail["To"] for mail in written()] == ["alice@db1"]


def test_a_test_run_mails_nobody(office: Office) -> None:
    office.table("* * * * * x/1\n")
    run = office.ran(code=1, printed=b"hello", trigger=Trigger.TEST)
    assert written() == []
    assert state(run) == Mail.NONE


def test_a_mailto_emptied_meanwhile_is_obeyed(office: Office) -> None:
    office.table("MAILTO=\n* * * * * x/1\n")
    run = office.ran(code=1, printed=b"hello")
    assert written() == []
    assert state(run) == Mail.NONE


# once, and not too often


def test_a_report_is_written_once_though_the_writer_was_killed(office: Office) -> None:
    office.table("* * * * * x/1\n")
    run = office.ran(printed=b"hello")
    written()
    Run.objects.update(mail=Mail.DUE)
    assert len(written()) == 1
    assert state(run) == Mail.WRITTEN


def test_the_same_failure_is_mailed_once_an_hour_with_the_number_not_mailed(office: Office) -> None:
    office.table("* * * * * x/1\n")
    for minutes in (0, 1, 2, 59, 60):
        office.ran(code=3, printed=b"bad")
        with clock.at(NIGHT + timedelta(minutes=minutes)):
            written()
    first, second = mails()
    assert first["Subject"] == "Cron <root@db1> x/1 (failed, exit code 3)"
    assert "Not mailed" not in first.get_content()
    assert "Not mailed: 3 failures since Sun 22 Nov 2026 22:02:00 UTC." in second.get_content()
    assert set(Run.objects.values_list("mail", flat=True)) == {"written"}


def test_many_of_the_same_failures_at_once_are_one_mail(office: Office) -> None:
    office.table("* * * * * x/1\n")
    for _ in range(50):
        office.ran(code=3, printed=b"bad")
    assert len(written()) == 1
    assert Run.objects.filter(mail=Mail.WITHHELD).count() == 49


def test_another_exit_code_or_another_entry_is_another_failure(office: Office) -> None:
    office.table("* * * * * x/1\n* * * * * x/2\n")
    office.ran(code=3, printed=b"bad")
    office.ran(code=4, printed=b"bad")
    office.ran(code=3, printed=b"bad", number=1)
    office.ran(code=3, printed=b"bad", number=1)
    assert len(written()) == 3


def test_successes_with_output_are_mailed_each_as_cron_does(office: Office) -> None:
    office.table("* * * * * x/1\n")
    for _ in range(3):
        office.ran(printed=b"fine")
    assert len(written()) == 3


def test_a_recovery_is_told_once_after_a_failure_that_was_mailed(office: Office) -> None:
    office.table("# billclock: mail=failure\n* * * * * x/1\n")
    office.ran(code=3)
    office.ran(code=3)
    office.ran(code=4)
    office.ran()
    office.ran()
    assert subjects() == [
        "Cron <root@db1> x/1 (failed, exit code 3)",
        "Cron <root@db1> x/1 (failed, exit code 4)",
        "Cron <root@db1> x/1 (works again)",
    ]
    assert "Not mailed: 1 failure since" in mails()[-1].get_content()
    assert Run.objects.filter(mail=Mail.NONE).count() == 1


def test_a_recovery_is_told_though_rounds_lie_between(office: Office) -> None:
    office.table("* * * * * x/1\n")
    office.ran(code=3, printed=b"bad")
    written()
    office.ran()
    written()
    office.ran()
    assert subjects()[1:] == ["Cron <root@db1> x/1 (works again)"]


def test_no_recovery_is_told_of_a_failure_that_nobody_was_told_of(office: Office) -> None:
    office.table("* * * * * x/1\n")
    office.ran(code=3, mail=Mail.NONE)
    office.ran()
    assert written() == []


def test_a_night_of_ten_thousand_failures_makes_at_most_24_mails(office: Office) -> None:
    office.table("".join(f"* * * * * job/{n}\n" for n in range(100)))
    for number in range(100):
        office.ran(code=1, printed=b"bad", number=number)
    row = Run.objects.values("planned", "started", "finished", "outcome", "output_size").first()
    Run.objects.bulk_create(
        Run(entry=office.entry(n % 100), exit_code=n // 100, host="db1", mail=Mail.DUE, **row)
        for n in range(100, 10_000)
    )
    with clock.at(NIGHT):
        while report.write_due():
            pass
        assert len(mails()) == 23
        assert "No more single reports before Mon 23 Nov 2026 07:00:00 UTC" in (
            mails()[-1].get_content()
        )
    with clock.at(NIGHT + timedelta(hours=8, minutes=59)):
        assert len(written()) == 23
    with clock.at(NIGHT + timedelta(hours=9)):
        digest = written()[23:]
    assert len(digest) == 1
    assert digest[0]["Subject"] == "Cron <root@db1> 9,977 more reports"
    assert digest[0]["To"] == "root@db1"
    assert "and 9,800 more" in digest[0].get_content()
    assert not Run.objects.exclude(mail=Mail.WRITTEN).exists()


def test_each_table_has_its_own_limit_and_the_next_night_begins_anew(
    office: Office, settings: Settings
) -> None:
    settings.MAIL_A_NIGHT = 3
    for name in ("alice", "root"):
        office.table("* * * * * x/1\n", name)
        for _ in range(4):
            office.ran(printed=b"fine", name=name)
    with clock.at(NIGHT):
        assert [mail["To"] for mail in written()] == ["alice@db1"] * 2 + ["root@db1"] * 2
    office.ran(printed=b"fine")
    with clock.at(NIGHT + timedelta(days=1)):
        assert Counter(subjects()) == {
            "Cron <alice@db1> x/1": 2,
            "Cron <alice@db1> 2 more reports": 1,
            "Cron <root@db1> x/1": 3,
            "Cron <root@db1> 2 more reports": 1,
        }


@pytest.mark.parametrize("limit", [0, 1])
def test_with_a_limit_of_one_there_is_only_the_digest(
    limit: int, office: Office, settings: Settings
) -> None:
    settings.MAIL_A_NIGHT = limit
    office.table("* * * * * x/1\n")
    office.ran(printed=b"fine")
    with clock.at(NIGHT):
        assert written() == []
    with clock.at(NIGHT + timedelta(hours=9)):
        (digest,) = written()
    assert "x/1\nsucceeded: once, Sun 22 Nov 2026 22:01:00 UTC" in digest.get_content()


def test_a_digest_with_nothing_left_to_tell_is_not_sent(office: Office, settings: Settings) -> None:
    settings.MAIL_A_NIGHT = 1
    office.table("* * * * * x/1\n")
    office.ran(printed=b"fine")
    with clock.at(NIGHT):
        written()
    assert Message.objects.get().state == State.HELD
    Run.objects.all().delete()
    with clock.at(NIGHT + timedelta(hours=9)):
        assert written() == []
    assert not Message.objects.exists()
