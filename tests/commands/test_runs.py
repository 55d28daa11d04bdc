"""`billclock runs` shows the history, in columns or as JSON."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from billclock.commands.billclock import main
from billclock.scheduler.models import Entry, Outcome, Run, Slot

pytestmark = pytest.mark.django_db(databases="__all__")

AT = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def entry(command: str = "/bin/true") -> Entry:
    return Entry.objects.create(
        table="root", digest="d", command_digest="c", expression="* * * * *", command=command,
        first_seen=AT,
    )  # fmt: skip


def run(of: Entry, **facts: object) -> Run:
    plain = {"started": AT, "finished": AT + timedelta(seconds=1.5), "outcome": Outcome.SUCCEEDED}
    return Run.objects.create(entry=of, **{**plain, "cpu": 0.25, "memory": 2048, **facts})


def table(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_there_may_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    assert table(capsys) == ["no runs"]


def test_columns_are_aligned_and_the_newest_is_first(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = entry("/bin/one"), entry("/bin/two and more")
    first = run(one, outcome=Outcome.FAILED, exit_code=7)
    second = run(two, exit_code=0, finished=AT + timedelta(seconds=3725))
    assert main(["runs"]) == 0
    head, *rows = table(capsys)
    assert [row.split()[0] for row in rows] == [str(second.pk), str(first.pk)]
    assert [row[head.index("COMMAND") :] for row in rows] == ["/bin/two and more", "/bin/one"]
    assert [row[head.index("OUTCOME") :].split("  ")[0] for row in rows] == [
        "succeeded",
        "failed (7)",
    ]
    assert "1h02m" in rows[0]
    assert "1.50s  0.25s    2.0M" in rows[1]


def test_what_goes_on_and_what_never_began_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    of = entry()
    slot = Slot.objects.create(entry=of, planned=AT, claimed_at=AT, count=12)
    run(of, outcome="", finished=None)
    run(
        of,
        slot=slot,
        outcome=Outcome.MISSED,
        started=None,
        finished=None,
        planned=AT,
        reason="asleep",
    )
    assert main(["runs"]) == 0
    _, missed, running = table(capsys)
    assert "missed ×12: asleep" in missed
    assert "running" in running


def test_they_are_narrowed_by_entry_outcome_and_number(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = entry(), entry()
    run(one)
    late = run(one, outcome=Outcome.TIMED_OUT)
    going_on = run(two, outcome="")

    def numbers(*words: str) -> list[int]:
        assert main(["runs", "--json", *words]) == 0
        return [row["run"] for row in json.loads(capsys.readouterr().out)]

    assert numbers("--entry", str(two.pk)) == [going_on.pk]
    assert numbers("--outcome", "timed out") == [late.pk]
    assert numbers("--outcome", "Timed-Out") == [late.pk]
    assert numbers("--outcome", "running") == [going_on.pk]
    assert numbers("-n", "1") == [going_on.pk]
    assert numbers("--entry", "999999") == []


def test_json_rows_hold_everything(capsys: pytest.CaptureFixture[str]) -> None:
    of = entry("/bin/x '\x1b'")
    made = run(of, exit_code=0, actor="alice", planned=AT)
    assert main(["runs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["run"] == made.pk
    assert (row["entry"], row["table"], row["command"]) == (of.pk, "root", "/bin/x '\x1b'")
    assert (row["outcome"], row["exit_code"], row["actor"]) == ("succeeded", 0, "alice")
    assert row["planned"] == "2027-03-01T12:00:00+00:00"
    assert (row["cpu"], row["memory"]) == (0.25, 2048)


def test_a_command_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    run(entry("/bin/echo \x1b]0;owned\x07\n" + "x" * 5000))
    assert main(["runs"]) == 0
    rows = table(capsys)
    assert len(rows) == 2
    assert "\x1b" not in rows[1]
    assert len(rows[1]) < 220


def test_an_outcome_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--outcome", "well"]) == 2
    assert "'well' is not one of running, succeeded, failed" in capsys.readouterr().err
