"""A job's form: what it shows, previews, refuses and writes, without losing a byte of others."""

import html
import re
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock.accounts.models import AuditRow, Role
from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
Bytes = Callable[[], bytes]
LINE = {"mode": "expert", "line": "15 2 * * *", "command": "/bin/true", "active": "on"}


@pytest.fixture
def disk(settings: LazySettings) -> Bytes:
    """The table as it lies on disk."""
    return (settings.SPOOL / "root").read_bytes


def seen() -> str:
    return Tables().table("root").load().digest


def form(page: str) -> dict[str, str]:
    """The texts and ticks of a page's form, as a browser would send them."""
    main = page.partition('id="job"')[2].partition("</form>")[0]
    fields = {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'<input[^>]*name="([^"]+)" [^>]*?value="([^"]*)"', main)
        if name not in ("mode", "weekday")
    }
    ticks = re.findall(r'<input type="checkbox" name="(\w+)"( checked)?', main)
    fields |= {name: "on" for name, ticked in ticks if ticked}
    areas = re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n([^<]*)', main)
    fields |= {name: html.unescape(text) for name, text in areas}
    fields |= dict(re.findall(r'name="(mode)" value="(\w+)" checked', main))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', main):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


def sure(page: str) -> str:
    """What a page that asks before it saves wants back."""
    return re.findall(r'name="sure" value="(\w+)"', page)[0]


def test_saving_an_untouched_form_changes_no_byte(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    text = "MAILTO=x\n##  Two\n## lines\n# billclock: new-key=5 tags=a\n"
    text += "@daily\t /bin/echo 'ü'  >/dev/null 2>&1\n"
    (entry,) = table(text)
    client = signed_in()
    page = client.get(f"/entries/{entry.pk}").content.decode()
    answer = client.post(f"/entries/{entry.pk}", form(page) | {"do": "save"})
    assert answer.status_code == 302
    assert disk() == text.encode()


def test_an_edit_in_expert_mode_writes_its_line_and_keeps_the_key(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (one, two) = table("# a\n1 1 * * * /bin/a\n#2 2 * * * /bin/b\n")
    values = LINE | {"table": "root", "seen": seen(), "line": "5 4,16 * * mon", "do": "save"}
    signed_in().post(f"/entries/{two.pk}", values)
    assert disk() == b"# a\n1 1 * * * /bin/a\n5 4,16 * * mon /bin/true\n"
    kept = Entry.objects.filter(gone_at=None).values_list("pk", flat=True).order_by("line")
    assert list(kept) == [one.pk, two.pk]
    assert AuditRow.objects.get(act="job.edit").after == "5 4,16 * * mon /bin/true"


def test_a_job_is_created_in_basic_mode(table: Write, signed_in: SignIn, disk: Bytes) -> None:
    table("1 1 * * * /bin/a\n")
    values = {
        "table": "root", "seen": seen(), "mode": "basic", "run_every": "week",
        "weekday": ["1", "5"], "time": "04:20", "command": "/bin/echo hi", "description": "Hello",
        "hideout": "on", "active": "on", "timeout": "2h", "do": "save",
    }  # fmt: skip
    client = signed_in()
    asked = client.post("/entries/new", values)
    assert disk() == b"1 1 * * * /bin/a\n"
    assert "# billclock: timeout=2h</div>" in asked.content.decode()
    answer = client.post("/entries/new", values | {"sure": sure(asked.content.decode())})
    assert answer.status_code == 302
    assert disk().endswith(
        b"## Hello\n# billclock: timeout=2h\n20 4 * * 1,5 /bin/echo hi >/dev/null 2>&1\n"
    )
    assert AuditRow.objects.filter(act="job.create").exists()


def test_a_yearly_job_names_its_month(table: Write, signed_in: SignIn, disk: Bytes) -> None:
    (entry,) = table("20 4 9 2 * /bin/echo hi\n")
    client = signed_in()
    page = client.get(f"/entries/{entry.pk}").content.decode()
    assert '<option value="2" selected>February</option>' in page
    client.post(f"/entries/{entry.pk}", form(page) | {"of_month": "11", "do": "save"})
    assert disk() == b"20 4 9 11 * /bin/echo hi\n"


def test_how_a_job_runs_is_asked_for_in_its_directive_line(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    client = signed_in()
    asked = {
        "workdir": "/srv/my app", "env": "LANG=C MODE='two words'", "success": "0,3,10-12",
        "nice": "10", "ionice": "best-effort:7", "memory": "512M", "keep": "90d,50M",
    }  # fmt: skip
    values = form(client.get(f"/entries/{entry.pk}").content.decode()) | asked | {"do": "save"}
    said = client.post(f"/entries/{entry.pk}", values).content.decode()
    line = (
        '# billclock: workdir="/srv/my app" env="LANG=C MODE=\'two words\'" success=0,3,10-12 '
        "nice=10 ionice=best-effort:7 memory=512M keep=90d,50M"
    )
    assert html.escape(line) in said
    client.post(f"/entries/{entry.pk}", values | {"sure": sure(said)})
    assert disk() == f"{line}\n1 1 * * * /bin/a\n".encode()
    again = form(client.get(f"/entries/{entry.pk}").content.decode())
    assert {name: again[name] for name in asked} == asked


def test_a_user_as_whom_the_table_may_not_run_jobs_is_told_with_a_mend(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("# billclock: user=nobody nice=5\n1 1 * * * /bin/a\n", name="bob")
    page = signed_in().get(f"/entries/{entry.pk}").content.decode()
    assert "only root&#x27;s table runs jobs as other users" in page
    assert 'value="user_refused"' in page


def test_what_was_said_yes_to_is_saved_and_nothing_else(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    text = b"## One\n# billclock: tags=a\n1 1 * * * /bin/a\n"
    (entry,) = table(text.decode())
    client = signed_in()
    values = form(client.get(f"/entries/{entry.pk}").content.decode())
    values |= {"tags": "", "mode": "expert", "do": "save"}
    said = sure(client.post(f"/entries/{entry.pk}", values).content.decode())
    other = values | {"timeout": "1h", "sure": said}
    assert sure(client.post(f"/entries/{entry.pk}", other).content.decode()) != said
    assert disk() == text
    values |= {"description": "Another", "command": "/bin/b", "tags": "a"}
    assert client.post(f"/entries/{entry.pk}", values).status_code == 302
    assert disk() == b"## Another\n# billclock: tags=a\n1 1 * * * /bin/b\n"


def test_basic_mode_leaves_a_schedule_that_it_cannot_say(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("*/7 2,14 * * * /bin/a\n")
    client = signed_in()
    values = form(client.get(f"/entries/{entry.pk}").content.decode())
    assert values["run_every"] == "custom"
    client.post(
        f"/entries/{entry.pk}", values | {"mode": "basic", "command": "/bin/b", "do": "save"}
    )
    assert disk() == b"*/7 2,14 * * * /bin/b\n"


def test_without_scripts_a_changed_field_counts_and_a_changed_line_wins(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("15 2 * * * /bin/a\n")
    client = signed_in()
    values = form(client.get(f"/entries/{entry.pk}").content.decode())
    values |= {"mode": "expert", "hour": "3", "do": "save"}
    client.post(f"/entries/{entry.pk}", values)
    assert disk() == b"15 3 * * * /bin/a\n"
    values |= {"line": "@hourly", "seen": seen()}
    client.post(f"/entries/{entry.pk}", values)
    assert disk() == b"@hourly /bin/a\n"


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"line": "61 * * * *"}, "minute", "0-59"),
        ({"line": "0 0 30 2 *"}, "day-of-month", "30"),
        ({"command": ""}, "command", "Give the command"),
        ({"command": "a\nb"}, "command", "one line"),
        ({"timeout": "soon"}, "timeout", "duration"),
        ({"user": "no.such.user"}, "user", "this machine has no user"),
        ({"workdir": "srv"}, "workdir", "full path"),
        ({"env": "USER=root"}, "env", "variables such as"),
        ({"success": "3000"}, "success", "exit codes"),
        ({"nice": "20"}, "nice", "number from -20"),
        ({"ionice": "idle:9"}, "ionice", "best-effort"),
        ({"memory": "lots"}, "memory", "512M"),
        ({"keep": "50"}, "keep", "days"),
        ({"mode": "basic", "run_every": "week", "time": "1:00"}, "run_every", "weekdays"),
    ],
)
def test_what_is_wrong_is_said_at_the_top_and_at_its_field(
    table: Write, signed_in: SignIn, disk: Bytes, wrong: dict[str, str], field: str, said: str
) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "seen": seen(), "do": "save"} | wrong
    answer = signed_in().post(f"/entries/{entry.pk}", values)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'<a href="#{field}">[^<]*{said}', page)
    assert re.search(rf'data-error="{field}">[^<]*{said}', page)
    assert disk() == b"1 1 * * * /bin/a\n"


def test_the_preview_says_words_runs_findings_and_the_difference(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "entry": entry.pk, "command": "date +%F"}
    told = signed_in().post("/entries/preview", values).json()
    assert told["line"] == "15 2 * * *"
    assert told["interval"]["run_every"] == "day"
    assert "365 runs a year" in told["html"]
    assert told["html"].count("<td title=") == 10
    assert 'name="fix" value="percent_in_date"' in told["html"]
    assert "/bin/a" in told["html"]


def test_a_schedule_is_told_before_there_is_a_command(table: Write, signed_in: SignIn) -> None:
    table("1 1 * * * /bin/a\n")
    client = signed_in()
    told = client.post("/entries/preview", LINE | {"table": "root", "command": " "}).json()
    assert "365 runs a year" in told["html"]
    assert told["html"].count("<td title=") == 10
    assert "With the command to run it is complete" in told["html"]
    assert (told["errors"], "What Save writes" in told["html"]) == ({}, False)
    wrong = {"table": "root", "command": "", "line": "0 61 * * *"}
    told = client.post("/entries/preview", LINE | wrong).json()
    assert list(told["errors"]) == ["hour"]


def test_a_schedule_is_mended_before_there_is_a_command(table: Write, signed_in: SignIn) -> None:
    table("1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "command": "", "line": "* 5 * * *"}
    client = signed_in()
    told = client.post("/entries/preview", values).json()["html"]
    assert "60 times" in told
    code = re.search(r'name="fix" value="(\w+)"', told)
    page = client.post("/entries/new", values | {"fix": code and code[1]}).content.decode()
    assert re.search(r'name="line" value="0 5 \* \* \*"', page)
    assert "Nothing was saved yet" not in page


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("0 25 * * *", "0 <mark>25</mark> * * *"),
        ("0 1 * 1-13 <b>", "0 1 * 1-<mark>13</mark> &lt;b&gt;"),
        ("0 1 * *", "0 1 * *<mark> </mark>"),
        ("*/0 * * * *", "*/<mark>0</mark> * * * *"),
    ],
)
def test_a_refused_schedule_is_shown_with_its_fault_marked(
    table: Write, signed_in: SignIn, line: str, marked: str
) -> None:
    table("1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "line": line}
    told = signed_in().post("/entries/preview", values).json()
    assert f"<code>{marked}</code>" in told["html"]


def test_findings_stand_at_their_place_in_the_line(table: Write, signed_in: SignIn) -> None:
    table("1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "command": "date +%F <b>"}
    told = signed_in().post("/entries/preview", values).json()
    assert '<span class="co ul warn">%F</span>' in told["html"]
    assert "<b>" not in told["html"].partition('class="txt"')[2].partition("</code>")[0]


def test_a_finding_is_mended_in_the_form_and_not_yet_in_the_table(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "seen": seen(), "command": "date +%F"}
    page = signed_in().post(f"/entries/{entry.pk}", values | {"fix": "percent_in_date"})
    assert form(page.content.decode())["command"] == r"date +\%F"
    assert disk() == b"1 1 * * * /bin/a\n"


def test_an_edit_that_others_crossed_is_shown_beside_theirs(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    shown = seen()
    table("MAILTO=x\n1 1 * * * /bin/a\n")
    values = LINE | {"table": "root", "seen": shown, "do": "save"}
    answer = signed_in().post(f"/entries/{entry.pk}", values)
    assert answer.status_code == 409
    page = html.unescape(answer.content.decode())
    assert "MAILTO=x" in page
    assert "15 2 * * * /bin/true" in page
    assert disk() == b"MAILTO=x\n1 1 * * * /bin/a\n"


def test_a_viewer_reads_the_form_and_changes_nothing(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    viewer = signed_in(Role.VIEWER)
    assert "needs the role Root" in viewer.get(f"/entries/{entry.pk}").content.decode()
    for address in (f"/entries/{entry.pk}", "/entries/new", "/entries/preview"):
        assert viewer.post(address, LINE | {"do": "save"}).status_code == 403
    assert disk() == b"1 1 * * * /bin/a\n"


def test_a_user_of_other_tables_does_not_see_the_form(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("1 1 * * * /bin/a\n")
    other = signed_in(Role.ROOT, "www")
    assert other.get(f"/entries/{entry.pk}").status_code == 403
    assert other.get(f"/entries/{entry.pk}/clone").status_code == 403


def test_a_clone_begins_with_all_of_the_other_and_saves_a_line_of_its_own(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    (entry,) = table("## One\n1 1 * * * /bin/a\n")
    client = signed_in()
    page = client.get(f"/entries/{entry.pk}/clone").content.decode()
    client.post("/entries/new", form(page) | {"command": "/bin/b", "do": "save"})
    assert disk() == b"## One\n1 1 * * * /bin/a\n## One\n1 1 * * * /bin/b\n"


def test_a_billing_command_is_put_into_the_form(table: Write, signed_in: SignIn) -> None:
    table("1 1 * * * /bin/a\n")
    values = {"table": "root", "do": "insert", "insert_job": "billdaily", "mode": "basic"}
    page = signed_in().post("/entries/new", values).content.decode()
    assert "billmaintain --command billdaily" in form(page)["command"]


def test_hostile_texts_are_shown_and_not_obeyed(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("## <script>alert(1)</script>\n1 1 * * * /bin/a '</textarea><b>'\n")
    page = signed_in().get(f"/entries/{entry.pk}").content.decode()
    assert "<script>alert" not in page
    assert "</textarea><b>" not in page


def test_a_form_holds_what_nobody_can_type_and_leaves_it_as_it_was(
    signed_in: SignIn, settings: LazySettings, disk: Bytes
) -> None:
    raw = b'# billclock: name=\xff\xfe env="A=\xe9"\n0 1 * * * /bin/a \xff\n'
    raw += b"# billclock: name=\xfd\n0 2 * * * /bin/b\n"
    (settings.SPOOL / "root").write_bytes(raw)
    (key, _other) = Tables().table("root").load().keys
    client = signed_in()
    page = client.get(f"/entries/{key}").content.decode()
    assert "⟨FF⟩⟨FE⟩" in page
    sent = form(page) | {"do": "save", "description": "Named", "seen": seen()}
    client.post(f"/entries/{key}", sent)
    assert disk() == b"## Named\n" + raw
