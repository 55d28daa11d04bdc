"""A billing command's parameters as fields: read from its words, put back, nothing else moved."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock.scheduler.models import Entry
from billclock.web.job_parameters import changed, of

UPLOAD = "/usr/local/mgr5/sbin/mgrctl -m billmgr currencyrate.upload upload=on sok=ok plid=153/50"
DAILY = "/usr/local/mgr5/sbin/billmaintain --command billdaily"
Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]


def values(command: str) -> dict[str, str]:
    return {one.name: one.value for one in of(command) if one.value}


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (UPLOAD, {"upload": "on", "sok": "ok", "plid": "153/50"}),
        (f"{UPLOAD} source='a b' 2>&1", {"source": "a b"}),
        (f"{UPLOAD} date=2026-11-20>/dev/null", {"date": "2026-11-20"}),
        (f"{DAILY} --dry-run --date 2026-11-20", {"dry-run": "on", "date": "2026-11-20"}),
        (f"{DAILY} --date=2026-11-20 | mail date=no", {"date": "2026-11-20"}),
        (f"{DAILY} --date", {}),
        ("/bin/echo plid=1", {}),
        (f"{UPLOAD} source='open", {}),
        ("", {}),
    ],
)
def test_values_are_read_from_the_words(command: str, found: dict[str, str]) -> None:
    assert values(command).items() >= found.items()
    assert bool(of(command)) == (command.startswith("/usr"))


@pytest.mark.parametrize(
    ("command", "given", "after"),
    [
        (UPLOAD, {"plid": "USD/EUR"}, UPLOAD.replace("153/50", "USD/EUR")),
        (UPLOAD, {"upload": ""}, UPLOAD.replace(" upload=on", "")),
        (UPLOAD, {"formula": "*1.05"}, UPLOAD + " formula='*1.05'"),
        (UPLOAD, {"source": "50%; rm -rf /"}, UPLOAD + r" source='50\%; rm -rf /'"),
        (UPLOAD + "  >/x 2>&1", {"date": "2026-11-20"}, UPLOAD + " date=2026-11-20  >/x 2>&1"),
        (DAILY + " 2>&1", {"dry-run": "on"}, DAILY + " --dry-run 2>&1"),
        (DAILY + " --date 2026-11-20 --json", {"date": ""}, DAILY + " --json"),
        (DAILY + " --date  2026-11-20", {"date": "2027-01-01"}, DAILY + " --date 2027-01-01"),
        (DAILY, {"date": "2026-11-20\n* * * * * x"}, DAILY + " --date '2026-11-20 * * * * * x'"),
        (DAILY, {"date": "", "nothing": "x", "module": "m"}, DAILY),
        ("/bin/echo a", {"plid": "x"}, "/bin/echo a"),
    ],
)  # fmt: skip
def test_a_value_is_put_in_and_the_rest_stays(
    command: str, given: dict[str, str], after: str
) -> None:
    assert changed(command, given) == after
    assert changed(after, given) == after


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_fields_of_a_form_change_the_command_that_is_saved(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    (entry,) = table(f"5 5 * * * {UPLOAD}\n")
    client = signed_in()
    page = client.get(f"/entries/{entry.pk}").content.decode()
    was = dict(re.findall(r'name="(was\.[\w-]+)" value="([^"]*)"', page))
    assert was["was.plid"] == "153/50"
    assert "the pair: currency/target" in page
    shown = {name.replace("was.", "p."): html.unescape(text) for name, text in was.items()}
    seen = re.findall(r'name="seen" value="(\w+)"', page)[0]
    values = {"seen": seen, "command": UPLOAD, "mode": "expert", "line": "5 5 * * *"}
    values |= {"active": "on", **was, **shown, "p.plid": "USD/EUR", "do": "save"}
    assert client.post(f"/entries/{entry.pk}", values).status_code == 302
    saved = (settings.SPOOL / "root").read_text()
    assert saved == f"5 5 * * * {UPLOAD.replace('153/50', 'USD/EUR')}\n"


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_a_program_is_found_by_its_name_and_put_in_by_its_path(
    table: Write, signed_in: SignIn, tmp_path: Path
) -> None:
    program = tmp_path / "back up"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    table(f"PATH={tmp_path}:/bin\n1 1 * * * /opt/used/before x\n")
    client = signed_in()
    assert 'value="/opt/used/before"' in client.get("/entries/new").content.decode()
    given = {"do": "insert", "insert_program": "back up", "command": "old --all"}
    page = html.unescape(client.post("/entries/new", given).content.decode())
    assert f"'{program}' --all</textarea>" in page
    given = {"do": "insert", "insert_program": "<b>none", "command": "old"}
    page = client.post("/entries/new", given).content.decode()
    assert "No program &lt;b&gt;none is found." in page
    assert "old</textarea>" in page
