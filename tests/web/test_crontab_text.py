"""The crontab as text: shown with its findings, mended, edited without losing a byte, conflicts."""

import html
import re
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock.accounts.models import AuditRow, Role, User
from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables
from billclock.web.typed import to_type, typed

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
Bytes = Callable[[], bytes]


@pytest.fixture
def disk(settings: LazySettings) -> Bytes:
    """The table as it lies on disk."""
    return (settings.SPOOL / "root").read_bytes


def seen() -> str:
    return Tables().table("root").load().digest


def plain(page: str) -> str:
    """A page's text, one blank between pieces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.partition("<main")[2])).split())


def test_every_line_is_shown_with_its_number_and_its_job(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("MAILTO=x\n## Backup\n0 1 * * * /bin/echo 1 >/dev/null 2>&1\n")
    page = signed_in().get("/crontab").content.decode()
    assert f'href="/?table=root&amp;entry={entry.pk}"' in page
    assert '<span class="tm">0 1 * * *</span>' in page
    assert '<span class="ds">## Backup</span>' in page
    assert '<span class="vr">MAILTO</span>' in page
    assert 'id="line-3"' in page


def test_a_finding_stands_under_its_line_with_column_and_mend(
    table: Write, signed_in: SignIn
) -> None:
    table("15 0 * * */usr/bin/true\n")
    page = signed_in().get("/crontab").content.decode()
    assert "no blank stands between the schedule and the command" in plain(page)
    assert "column 11" in plain(page)
    assert '<span class="ul bad">' in page
    assert '<code class="fix">15 0 * * * /usr/bin/true</code>' in page


def test_a_text_drawn_once_is_drawn_anew_for_another_language_and_another_role(
    table: Write, signed_in: SignIn
) -> None:
    table("15 0 * * */usr/bin/true\n")
    client = signed_in()
    first = client.get("/crontab").content.decode()
    User.objects.update(language="")
    russian = client.get("/crontab", headers={"accept-language": "ru"}).content.decode()
    User.objects.update(language="en")
    reader = signed_in(Role.OPERATOR).get("/crontab").content.decode()
    again = client.get("/crontab").content.decode()
    assert "column 11" in plain(first)
    assert "column 11" not in plain(russian)
    assert 'name="finding"' in russian
    assert 'name="finding"' not in reader
    assert plain(again) == plain(first)


def test_a_line_mended_elsewhere_is_seen_at_once(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    table("15 0 * * */usr/bin/true\n")
    client = signed_in()
    assert "column 11" in plain(client.get("/crontab").content.decode())
    (settings.SPOOL / "root").write_text("15 0 * * * /usr/bin/true\n")
    assert "column 11" not in plain(client.get("/crontab").content.decode())


def test_one_button_mends_the_line_and_leaves_the_others(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("15 0 * * */usr/bin/true\n61 * * * * /bin/other\n")
    client = signed_in()
    page = client.get("/crontab").content.decode()
    code = re.search(r'name="finding" value="(1:[a-z_]+)"', page)
    assert code is not None
    client.post("/crontab/mend", {"table": "root", "finding": code[1], "seen": seen()})
    assert disk() == b"15 0 * * * /usr/bin/true\n61 * * * * /bin/other\n"
    assert AuditRow.objects.get(act="crontab.mend").after == "15 0 * * * /usr/bin/true"


def test_a_mend_of_a_line_that_moved_meanwhile_is_refused(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("15 0 * * */usr/bin/true\n")
    old = seen()
    table("* * * * * /bin/new\n15 0 * * */usr/bin/true\n")
    finding = {"table": "root", "finding": "1:glued_command", "seen": old}
    page = signed_in().post("/crontab/mend", finding, follow=True).content.decode()
    assert "was changed since it was shown" in page
    assert disk().startswith(b"* * * * * /bin/new\n15 0 * * */usr")


def test_hostile_text_and_odd_bytes_are_shown_safely(
    settings: LazySettings, signed_in: SignIn, home: object
) -> None:
    text = b"# <script>alert(1)</script> \xe2\x80\xae\n* * * * * /bin/e \xff \x1b[31m\n"
    text += b"5 0 * 0 * \xff\n"
    (settings.SPOOL / "root").write_bytes(text)
    for path in ("/crontab", "/crontab/edit", "/"):
        page = signed_in_once(signed_in).get(path).content.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert "⟨FF⟩" in page


def signed_in_once(signed_in: SignIn) -> Client:
    from billclock.accounts.models import User

    User.objects.all().delete()
    return signed_in()


def test_checking_shows_what_would_change_and_writes_nothing(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("0 1 * * * /bin/a\n")
    text = "0 2 * * * /bin/a\r\n61 * * *\r\n"
    given = {"table": "root", "do": "check", "seen": seen(), "text": text}
    page = signed_in().post("/crontab/edit", given).content.decode()
    assert re.search(r'<div class="add">.*0 2 \* \* \* /bin/a', page)
    assert re.search(r'<div class="del">.*0 1 \* \* \* /bin/a', page)
    assert "Line 2, column" in plain(page)
    assert "61 * * *" in page.partition("<textarea")[2].partition("</textarea>")[0]
    assert disk() == b"0 1 * * * /bin/a\n"


def test_checking_compares_with_what_was_shown(table: Write, signed_in: SignIn) -> None:
    table("0 1 * * * /bin/a\n")
    old = seen()
    table("0 1 * * * /bin/a\n0 9 * * * /bin/outside\n")
    given = {"table": "root", "do": "check", "seen": old, "text": "0 2 * * * /bin/a\n"}
    page = signed_in().post("/crontab/edit", given).content.decode()
    assert "/bin/outside" not in page, "nobody typed that it should go"


def test_a_line_that_would_be_refused_is_told_before_and_mended_by_a_button(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("5 0 * 0 * /bin/old\n0 1 * * * /bin/a\n")
    client, shown_first = signed_in(), seen()
    text = "5 0 * 0 * /bin/old\r\n0 1 * * */bin/a\r\n"
    given = {"table": "root", "do": "check", "seen": shown_first, "text": text}
    page = client.post("/crontab/edit", given).content.decode()
    assert "1 changed line can't be read: installing would be refused" in plain(page)
    (button,) = re.findall(r'value="(mend:2:[a-z_]+)"', page)
    given["do"] = button
    page = client.post("/crontab/edit", given).content.decode()
    typed = page.partition("<textarea")[2].partition("</textarea>")[0]
    assert "0 1 * * * /bin/a" in typed
    assert "would be refused" not in plain(page), "the old line 1 is as it was"
    assert disk() == b"5 0 * 0 * /bin/old\n0 1 * * * /bin/a\n", "nothing is written yet"


def test_a_mend_that_is_not_there_leaves_what_was_typed(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("0 1 * * * /bin/a\n")
    client = signed_in()
    for which in ("mend:9:glued_command", "mend:x", "mend:", "mend:1:<script>"):
        given = {"table": "root", "do": which, "seen": seen(), "text": "0 2 * * * /bin/b\r\n"}
        answer = client.post("/crontab/edit", given)
        assert answer.status_code == 200
        assert "0 2 * * * /bin/b" in answer.content.decode()
    assert disk() == b"0 1 * * * /bin/a\n"


def test_installing_saves_the_text_and_offers_to_undo(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("0 1 * * * /bin/a\n")
    given = {"table": "root", "do": "install", "seen": seen(), "text": "0 2 * * * /bin/a\r\n# end"}
    page = signed_in().post("/crontab/edit", given, follow=True).content.decode()
    assert disk() == b"0 2 * * * /bin/a\n# end\n"
    assert "The crontab of root was saved" in page
    assert "/undo" in page


def test_a_bad_line_that_was_typed_is_refused_and_the_text_kept(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("5 0 * 0 * /bin/old\n0 1 * * * /bin/a\n")
    text = "5 0 * 0 * /bin/old\n0 1 * * * /bin/a\n61 * * * * /bin/new\n"
    given = {"table": "root", "do": "install", "seen": seen(), "text": text}
    answer = signed_in().post("/crontab/edit", given)
    assert answer.status_code == 422
    assert "1 changed line can't be read" in plain(answer.content.decode())
    assert "/bin/new" in answer.content.decode()
    assert b"/bin/new" not in disk()
    given["text"] = text.replace("61", "6")
    signed_in_once(signed_in).post("/crontab/edit", given)
    assert b"6 * * * * /bin/new" in disk(), "the old bad line does not stand in the way"


def test_bytes_that_cannot_be_typed_stay_on_lines_left_alone(
    settings: LazySettings, signed_in: SignIn, disk: Bytes
) -> None:
    (settings.SPOOL / "root").write_bytes(b"# caf\xe9\r\n0 1 * * * /bin/a \x07\n0 2 * * * /bin/b")
    client = signed_in()
    page = client.get("/crontab/edit").content.decode()
    shown = html.unescape(
        page.partition('wrap="off"')[2].partition(">\n")[2].partition("</textarea>")[0]
    )
    assert "2 lines hold bytes that can't be typed" in plain(page)
    text = shown.replace("/bin/b", "/bin/c").replace("\n", "\r\n")
    client.post("/crontab/edit", {"table": "root", "do": "install", "seen": seen(), "text": text})
    assert disk() == b"# caf\xe9\r\n0 1 * * * /bin/a \x07\n0 2 * * * /bin/c\n"


@pytest.mark.parametrize(
    "data", [b"", b"a", b"a\n", b"\n\n", b"a\r\nb\xe9\n", b"\0\n\x1b", "é\u202e\n".encode()]
)
def test_a_text_that_nobody_touched_keeps_every_byte(data: bytes) -> None:
    assert typed(to_type(data).replace("\n", "\r\n"), data) == data


def test_two_edits_that_met_are_shown_and_put_together(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("0 1 * * * /bin/a\n0 2 * * * /bin/b\n0 3 * * * /bin/c\n")
    old = seen()
    table("0 1 * * * /bin/a\n0 2 * * * /bin/b\n0 33 * * * /bin/c\n".replace("33", "4"))
    mine = "0 5 * * * /bin/a\n0 2 * * * /bin/b\n0 3 * * * /bin/c\n"
    client = signed_in()
    given = {"table": "root", "do": "install", "seen": old, "text": mine}
    answer = client.post("/crontab/edit", given)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing of yours was saved yet and nothing is lost" in page
    both = re.search(
        r'name="seen" value="(\w+)"><textarea name="text" hidden>\n(.*?)</textarea>',
        page,
        re.DOTALL,
    )
    assert both is not None
    client.post("/crontab/edit", {**given, "seen": both[1], "text": html.unescape(both[2])})
    assert disk() == b"0 5 * * * /bin/a\n0 2 * * * /bin/b\n0 4 * * * /bin/c\n"


def test_two_edits_of_one_line_are_left_to_a_person(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table("0 1 * * * /bin/a\n")
    old = seen()
    table("0 2 * * * /bin/a\n")
    given = {"table": "root", "do": "install", "seen": old, "text": "0 3 * * * /bin/a\n"}
    client = signed_in()
    page = client.post("/crontab/edit", given).content.decode()
    assert "Keep both" not in page
    assert "Decide line by line" in page
    assert disk() == b"0 2 * * * /bin/a\n"
    client.post("/crontab/edit", {**given, "seen": seen()})
    assert disk() == b"0 3 * * * /bin/a\n"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_edit_reads_and_is_told_why(
    table: Write, signed_in: SignIn, disk: Bytes, role: Role
) -> None:
    table("0 1 * * */bin/a\n")
    client = signed_in(role)
    assert "Mend the line" not in client.get("/crontab").content.decode()
    assert "needs the role Root" in client.get("/crontab/edit").content.decode()
    given = {"table": "root", "do": "install", "seen": seen(), "text": ""}
    for path in ("/crontab/edit", "/crontab/mend", "/crontab/import"):
        assert client.post(path, given).status_code == 403
    assert client.get("/crontab/import").status_code == 403
    assert disk() == b"0 1 * * */bin/a\n"


def test_the_file_can_be_taken_away_as_it_is(
    settings: LazySettings, signed_in: SignIn, home: object
) -> None:
    (settings.SPOOL / "root").write_bytes(b"* * * * * /bin/a \xff\r\n")
    answer = signed_in().get("/crontab/export")
    assert answer.content == b"* * * * * /bin/a \xff\r\n"
    assert "attachment" in answer["Content-Disposition"]


def test_without_a_crontab_the_page_says_so(signed_in: SignIn) -> None:
    client = signed_in()
    assert "No crontab for root" in client.get("/crontab").content.decode()
    given = {"table": "root", "do": "install", "seen": "", "text": "* * * * * /bin/a\n"}
    client.post("/crontab/edit", given)
    assert "/bin/a" in client.get("/crontab").content.decode()


def test_a_table_that_cannot_be_read_says_why(
    settings: LazySettings, signed_in: SignIn, home: object
) -> None:
    (settings.SPOOL / "root").mkdir()
    client = signed_in()
    for path in ("/crontab", "/crontab/edit", "/crontab/import", "/crontab/versions", "/settings"):
        page = client.get(path).content.decode()
        assert "The crontab of root can't be read" in page


def test_the_number_of_queries_is_fixed(
    table: Write, signed_in: SignIn, django_assert_max_num_queries
) -> None:
    client = signed_in()
    for number in (3, 300):
        table("".join(f"{i % 60} * * * * /bin/job {i}\n" for i in range(number)))
        with django_assert_max_num_queries(9, using="scheduler"):
            client.get("/crontab")
