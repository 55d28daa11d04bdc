"""The Scheduler section's functions change the crontab's own lines and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings

from billclock import clock
from billclock.accounts.models import Role
from billclock.api.documents import Document
from billclock.api.registry import ROOT, Actor, call
from billclock.scheduler.models import Run, Version

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

TABLE = b"""MAILTO=ops@example.org
# kept as it is \xe9
## Nightly copy
# billclock: timeout=2h
15 1 * * *   /opt/copy --all >/dev/null 2>&1

#30 */4 * * 1-5 /opt/sync
@reboot /opt/begin
"""


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME, settings.SPOOL = tmp_path, tmp_path / "spool"
    settings.CONTROL_SOCKET = tmp_path / "daemon.sock"
    settings.SPOOL.mkdir()
    with clock.at(datetime(2026, 11, 20, 18, tzinfo=UTC)):
        yield settings.SPOOL


@pytest.fixture
def table(spool: Path) -> Path:
    place = spool / "root"
    place.write_bytes(TABLE)
    place.chmod(0o600)
    return place


def ask(name: str, actor: Actor = ROOT, **params: str) -> Document:
    return call(name, params, actor=actor)


def done(name: str, **params: str) -> Document:
    document = ask(name, **params)
    assert document.fault is None
    return document


def keys() -> list[str]:
    return [row["key"] for row in done("scheduler").rows]


def test_the_list_shows_every_entry_with_its_next_and_last_run(table: Path):
    first = keys()[0]
    Run.objects.create(
        entry_id=int(first), started=datetime(2026, 11, 20, 1, 15, tzinfo=UTC), outcome="failed"
    )
    copy, sync, begin = done("scheduler").rows
    assert copy == {
        "key": first,
        "command": "/opt/copy --all >/dev/null 2>&1",
        "interval": "Every day at 01:15",
        "schedule_type": "type_basic",
        "state": "on",
        "description": "Nightly copy",
        "expression": "15 1 * * *",
        "hideout": "on",
        "next": "2026-11-21T01:15:00+00:00",
        "last": "2026-11-20T01:15:00Z failed",
    }
    assert (sync["state"], sync["schedule_type"], sync["next"]) == ("off", "type_expert", "")
    assert (begin["next"], begin["last"]) == ("", "")


def test_an_empty_machine_has_an_empty_list():
    assert done("scheduler").rows == []


def test_the_form_shows_both_modes(table: Path):
    values = done("scheduler.edit", elid=keys()[0]).values
    assert values["mailto"] == "ops@example.org"
    assert values["serverdate"] == "2026-11-20 18:00:00 UTC"
    assert (values["run_every"], values["hour"], values["minute"]) == ("day", "1", "15")
    assert (values["input_min"], values["input_dweek"]) == ("15", "*")
    assert (values["hideout"], values["active"]) == ("on", "on")


def test_a_form_sent_back_unchanged_changes_no_byte(table: Path):
    for key in keys():
        done("scheduler.edit", sok="ok", **_sendable(done("scheduler.edit", elid=key).values))
    assert table.read_bytes() == TABLE


def _sendable(values: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in values.items() if name not in {"mailto", "serverdate"}}


def test_an_entry_is_made_in_basic_mode(spool: Path):
    document = done(
        "scheduler.edit", sok="ok", command="/bin/true", description="Nothing", active="on",
        schedule_type="type_basic", run_every="week", weekdays="1,3", hour="4", minute="5",
        hideout="on",
    )  # fmt: skip
    assert (
        (spool / "root")
        .read_bytes()
        .endswith(b"## Nothing\n5 4 * * 1,3 /bin/true >/dev/null 2>&1\n")
    )
    assert document.values["elid"] == keys()[0]


@pytest.mark.parametrize("names", [
    ("input_min", "input_hour", "input_dmonth", "input_month", "input_dweek"),
    ("min", "hour", "dmonth", "month", "dweek"),
])  # fmt: skip
def test_an_entry_is_made_in_expert_mode_with_either_spelling(spool: Path, names: tuple[str, ...]):
    five = dict(zip(names, ("*/7", "0-6", "1", "*", "fri"), strict=True))
    done("scheduler.edit", sok="ok", command="/bin/true", schedule_type="type_expert", **five)
    assert (spool / "root").read_bytes().endswith(b"*/7 0-6 1 * fri /bin/true\n")


def test_a_change_touches_only_what_it_names(table: Path):
    done("scheduler.edit", sok="ok", elid=keys()[0], input_min="20", hideout="off")
    assert table.read_bytes() == TABLE.replace(
        b"15 1 * * *   /opt/copy --all >/dev/null 2>&1", b"20 1 * * *   /opt/copy --all"
    )


def test_an_entry_keeps_its_key_when_all_of_it_changes(table: Path):
    key = keys()[0]
    done(
        "scheduler.edit", sok="ok", elid=key, command="/opt/other", description="Other",
        run_every="minutes", every="10",
    )  # fmt: skip
    assert done("scheduler").rows[0]["key"] == key
    assert b"*/10 * * * *   /opt/other\n" in table.read_bytes()


@pytest.mark.parametrize(
    ("params", "about", "said"),
    [
        ({}, "input_min", "input_min is missing"),
        ({"run_every": "day", "hour": "5", "minute": "0", "command": ""}, "command", "is missing"),
        ({"run_every": "day", "hour": "25", "minute": "0"}, "hour", "0-23"),
        ({"run_every": "day", "hour": "5"}, "minute", "minute"),
        ({"run_every": "fortnight"}, "run_every", "one of minutes"),
        ({"schedule_type": "type_basic"}, "run_every", "is missing"),
        ({"schedule_type": "type_magic"}, "schedule_type", "not type_basic or type_expert"),
        ({"expression": "* 5 4-10 0-3 *"}, "input_month", "month: 0 is out of range 1-12"),
        ({"expression": "0 0 30 2 *"}, "input_dmonth", "never"),
        ({"expression": "0 0 * * *", "command": "a\nb"}, "command", ""),
        ({"expression": "0 0 * * *", "input_mon": "3"}, "input_mon", "no parameter"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(
    table: Path, params: dict[str, str], about: str, said: str
):
    document = ask("scheduler.edit", **{"sok": "ok", "command": "/bin/true", **params})
    assert document.exit_code == 1
    assert document.fault.object == about
    assert said in document.fault.message
    assert table.read_bytes() == TABLE


def test_a_foreign_change_since_the_form_was_shown_is_not_overwritten(table: Path):
    shown = done("scheduler.edit", elid=keys()[0]).values
    foreign = TABLE + b"1 1 * * * /opt/foreign\n"
    table.write_bytes(foreign)
    document = ask("scheduler.edit", sok="ok", **{**_sendable(shown), "command": "/opt/mine"})
    assert document.fault.type == "conflict"
    assert table.read_bytes() == foreign


def test_off_and_on_again_restores_the_bytes(table: Path):
    key = keys()[0]
    done("scheduler.suspend", elid=key)
    assert b"#15 1 * * *   /opt/copy" in table.read_bytes()
    done("scheduler.resume", elid=key)
    assert table.read_bytes() == TABLE


def test_several_entries_are_deleted_in_one_version(table: Path):
    first, second, last = keys()
    versions = Version.objects.count()
    done("scheduler.delete", elid=f"{first}, {last}")
    assert table.read_bytes() == (
        b"MAILTO=ops@example.org\n# kept as it is \xe9\n\n#30 */4 * * 1-5 /opt/sync\n"
    )
    assert Version.objects.count() == versions + 1
    assert keys() == [second]


@pytest.mark.parametrize("elid", ["999", "x", "1 2"])
@pytest.mark.parametrize("name", ["scheduler.delete", "scheduler.suspend", "run"])
def test_an_entry_that_is_not_there_is_told(table: Path, name: str, elid: str):
    document = ask(name, elid=elid)
    assert document.fault.object == "elid"
    assert table.read_bytes() == TABLE


def test_email_and_path_are_the_tables(table: Path):
    assert done("scheduler.prop").values == {"mailto": "ops@example.org", "path": ""}
    done("scheduler.prop", sok="ok", mailto="", path="/usr/bin  /bin")
    assert b'MAILTO=""\n' in table.read_bytes()
    assert b"PATH=/usr/bin:/bin\n" in table.read_bytes()
    done("scheduler.prop", sok="ok", mailto="ops@example.org", path="")
    assert b"PATH" not in table.read_bytes()


def test_without_a_daemon_run_says_how_to_start_it(table: Path):
    document = ask("run", elid=keys()[0])
    assert "the scheduler is not running" in document.fault.message


def test_a_table_that_is_not_open_to_someone_stays_shut(table: Path):
    key = keys()[0]
    stranger = Actor("sam@example.org", Role.ROOT, frozenset({"sam"}))
    for name, params in {
        "scheduler": {},
        "scheduler.edit": {"elid": key},
        "scheduler.delete": {"elid": key},
        "scheduler.prop": {},
        "run": {"elid": key},
    }.items():
        told = call(name, params, actor=stranger).fault.type
        assert told == ("missing" if "elid" in params else "access")
    assert table.read_bytes() == TABLE


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a/b"])
def test_a_name_that_is_no_table_is_refused(name: str):
    assert ask("scheduler", table=name).fault.object == "table"


def test_directives_are_shown_set_and_taken_off(table: Path):
    first = keys()[0]
    assert done("scheduler.edit", elid=first).values["directives"] == "timeout=2h"
    asked = "nice=5 success=0,3 env=\"A='two words'\""
    done("scheduler.edit", elid=first, sok="ok", directives=asked)
    assert f"# billclock: {asked}\n15 1".encode() in table.read_bytes()
    done("scheduler.edit", elid=first, sok="ok", description="Another")
    assert f"# billclock: {asked}\n15 1".encode() in table.read_bytes()
    done("scheduler.edit", elid=first, sok="ok", directives="")
    assert b"billclock:" not in table.read_bytes()


@pytest.mark.parametrize("wrong", ["nice=99", "nice", "user=no.such.user", "memory=lots keep=1d"])
def test_directives_that_would_not_count_are_refused(table: Path, wrong: str):
    fault = ask("scheduler.edit", elid=keys()[0], sok="ok", directives=wrong).fault
    assert fault is not None
    assert fault.object == "directives"
    assert table.read_bytes() == TABLE
