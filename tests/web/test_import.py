"""Import on its page: the report line by line, mends by a click, nothing written before Install."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from billclock.accounts.models import AuditRow, User
from billclock.scheduler.models import Entry
from billclock.web import server_crontabs
from billclock.web.importing import Given, take

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]

FOREIGN = b"""MAILTO=ops@example.net
## good
0 1 * * * /bin/good
## glued
15 0 * * */bin/glued >/dev/null 2>&
0 25 * * * /bin/never
0 1 * * * /bin/good
"""


@pytest.fixture
def text(settings: LazySettings) -> Callable[[], str]:
    """The table as it lies on disk; empty without one."""

    def read() -> str:
        place = settings.SPOOL / "root"
        return place.read_text(encoding="utf-8") if place.exists() else ""

    return read


def hidden(page: str) -> dict[str, object]:
    """The fields of the report's form, as a browser sends them."""
    form = page.partition('<form id="import"')[2].partition("</form>")[0]
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form)
    kept = re.search(r'name="kept" hidden>(\w*)<', form)
    given: dict[str, object] = {name: html.unescape(value) for name, value in fields}
    given["mended"] = [value for name, value in fields if name == "mended"]
    return given | {"kept": kept[1] if kept else "", "table": "root"}


def send(client: Client, data: bytes = FOREIGN, **values: str) -> str:
    file = SimpleUploadedFile("old.crontab", data)
    return client.post(
        "/crontab/import", {"table": "root", "file": file, **values}
    ).content.decode()


def again(client: Client, page: str, **values: str) -> str:
    answer = client.post("/crontab/import", hidden(page) | values, follow=True)
    return answer.content.decode()


def test_each_line_is_told_and_nothing_is_written(
    signed_in: SignIn, text: Callable[[], str]
) -> None:
    page = send(signed_in())
    assert "a blank is put between the schedule and the command" in page
    assert "15 0 * * * /bin/glued &gt;/dev/null 2&gt;&amp;1" in page
    assert "hour: 25 is out of range 0-23" in page
    assert "line 3 has the same command at the same time" in page
    assert "Install 1 job" in page
    assert text() == ""


def test_one_click_mends_a_line_and_install_puts_it_in(
    signed_in: SignIn, text: Callable[[], str]
) -> None:
    client = signed_in()
    page = again(client, send(client), mend="5")
    assert "Install 2 jobs" in page
    page = again(client, page, do="install")
    assert "2 jobs imported" in page
    assert text() == (
        "MAILTO=ops@example.net\n## good\n0 1 * * * /bin/good\n"
        "## glued\n15 0 * * * /bin/glued >/dev/null 2>&1\n"
    )
    assert "/undo" in page
    assert AuditRow.objects.get(act="crontab.import").subject == "old.crontab"


def test_all_sure_mends_are_one_click_and_guesses_are_not_among_them(signed_in: SignIn) -> None:
    client = signed_in()
    page = send(client, b"0 1 * * */bin/a\n0 2 * * */bin/b\n* 5 4-10 0-3 * /bin/c\n")
    every = re.search(r'name="mend" value="([\d,]+)"[^>]*>[^<]*<svg.*?</svg>Mend all', page)
    assert every is not None
    assert every[1] == "1,2,"
    assert "Take it so" in page, "a schedule that was guessed is taken by itself"
    page = again(client, page, mend=every[1])
    assert "Install 2 jobs" in page
    assert "Install 3 jobs" in again(client, page, mend="3")


def test_the_article_comes_in_whole(signed_in: SignIn, text: Callable[[], str]) -> None:
    article = Path(__file__).parent.parent / "data" / "article.txt"
    client = signed_in()
    page = send(client, article.read_bytes())
    assert "Install 14 jobs" in page
    for reason in ("no-break spaces", "four time fields", "shell prompt", "without a schedule"):
        assert reason in page
    lines = re.search(r'name="mend" value="([\d,]+)"', page)
    assert lines is not None
    page = again(client, page, mend=lines[1])
    assert "Install 22 jobs" in page
    again(client, page, do="install")
    assert "15 0 * * * /usr/local/mgr5/sbin/billmaintain --command billdaily" in text()


def test_what_the_table_has_stays_as_it_is(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    table("0 1 * * * /bin/good")
    client = signed_in()
    page = send(client)
    assert "1 job is in the table already" in page
    assert "Install 0 jobs" in page
    page = again(client, again(client, page, mend="5"), do="install")
    assert text().startswith("0 1 * * * /bin/good\n\n")
    assert text().count("/bin/good") == 1


def test_a_user_column_is_taken_out_and_other_users_are_set_aside(
    signed_in: SignIn, text: Callable[[], str]
) -> None:
    client = signed_in()
    data = b"17 *\t* * *\troot\tcd / && run-parts\n@daily www-data /bin/w\n"
    page = send(client, data, system="on")
    assert "Other users" in page
    again(client, page, do="install")
    assert text() == "17 *\t* * *\tcd / && run-parts\n"


def test_a_crontab_of_this_server_is_imported_by_its_place(
    signed_in: SignIn, settings: LazySettings, tmp_path: Path, text: Callable[[], str]
) -> None:
    settings.SYSTEM_TABLES = tmp_path / "etc"
    (tmp_path / "etc" / "cron.d").mkdir(parents=True)
    (tmp_path / "etc" / "crontab").write_text("# legend\n5 * * * * root /bin/system\n")
    (tmp_path / "secret").write_text("0 1 * * * /bin/secret\n")
    client = signed_in()
    place = str(tmp_path / "etc" / "crontab")
    assert place in client.get("/crontab/import").content.decode()
    assert [one.lines for one in server_crontabs.sources(User()) if one.path == place] == [1]
    page = client.post("/crontab/import", {"table": "root", "source": place}).content.decode()
    again(client, page, do="install")
    assert text() == "# legend\n5 * * * * /bin/system\n"
    other = {"table": "root", "source": str(tmp_path / "secret")}
    answer = client.post("/crontab/import", other)
    assert answer.status_code == 422
    assert "/bin/secret" not in answer.content.decode()


def test_pasted_text_and_bytes_that_are_no_text_are_taken(
    signed_in: SignIn, settings: LazySettings
) -> None:
    client = signed_in()
    paste = {"table": "root", "paste": "0 1 * * * /bin/a\r\n0 2 * * * /bin/b\r\n"}
    page = client.post("/crontab/import", paste).content.decode()
    assert "Install 2 jobs" in page
    page = send(client, b"0 3 * * * /bin/caf\xe9\n")
    again(client, page, do="install")
    assert (settings.SPOOL / "root").read_bytes() == b"0 3 * * * /bin/caf\xe9\n"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose a file"),
        ({"paste": "  \n"}, "Choose a file"),
        ({"kept": "zz"}, "came back damaged"),
        ({"source": "/etc/shadow"}, "can&#x27;t be read any more"),
    ],
)
def test_nothing_to_import_is_told(signed_in: SignIn, given: dict[str, str], words: str) -> None:
    answer = signed_in().post("/crontab/import", {"table": "root", **given})
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_file_too_large_for_a_crontab_is_refused(signed_in: SignIn) -> None:
    assert "larger than 1 MiB" in send(signed_in(), b"#" * (1 << 20) + b"#")


def test_hostile_lines_are_text(signed_in: SignIn) -> None:
    page = send(signed_in(), "61 * * * * <script>alert(1)</script> \u202e\n".encode())
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_windows_line_ends_go_only_with_their_mends() -> None:
    data = b"# words\r\n0 1 * * * /bin/a\r\n0 2 * * * /bin/b\r\n"
    given = Given("x", data, system=False)
    assert take(given, (), "root").crontab.entries == ()
    assert bytes(take(given, None, "root").crontab) == data.replace(b"\r", b"")
    one = take(given, {2}, "root").crontab
    assert [entry.command for entry in one.entries] == [b"/bin/a"]


def test_who_sees_one_table_is_offered_no_other_s_and_nothing_of_the_system() -> None:
    limited = User(tables="nobody-here")
    assert server_crontabs.sources(limited) == []
    assert server_crontabs.source("/etc/crontab", limited) is None
