"""What the palette finds, for whom, in how many queries; and its page that needs no script."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billclock.accounts.models import Role
from billclock.scheduler.models import Entry
from tests.billing.company import House
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]

TABLE = """## Close invoices
15 2 * * * /usr/local/mgr5/sbin/billmaintain --command close_accounts
## Копия базы
0 3 * * * /bin/echo backup
## Backup of mail
#0 1 * * * /bin/echo mail
"""


def words(client: Client, query: str = "", path: str = "/go/choices") -> list[str]:
    """The choices that are offered, by their words, in order."""
    page = client.get(f"{path}?{query}").content.decode()
    return [unescape(word) for word in re.findall(r'<span class="word">(.*?)</span>', page)]


def groups(client: Client, query: str) -> list[str]:
    page = client.get(f"/go/choices?{query}").content.decode()
    return [unescape(name) for name in re.findall(r'role="group" aria-label="(.*?)"', page)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=backup", ["Backup of mail", "Копия базы"]),
        ("q=BACKUP+of", ["Backup of mail"]),
        ("q=КОПИЯ", ["Копия базы"]),
        ("q=mail+root", ["Backup of mail"]),
        ("q=close_accounts", ["Close invoices"]),
        ("q=inv", ["Close invoices"]),
    ],
)
def test_jobs_are_found_by_every_word_in_any_script_and_the_best_first(
    table: Write, signed_in: SignIn, query: str, found: Sequence[str]
) -> None:
    table(TABLE)
    client = signed_in()
    jobs = {entry.description or entry.command for entry in Entry.objects.all()}
    assert [word for word in words(client, query) if word in jobs] == found
    assert [word for word in words(client, query, "/go") if word in jobs] == found


def test_a_job_leads_to_its_form_and_one_that_is_off_says_so(
    table: Write, signed_in: SignIn
) -> None:
    *_others, last = table(TABLE)
    page = signed_in().get("/go/choices?q=mail").content.decode()
    assert f'data-href="/entries/{last.pk}"' in page
    assert "root · 0 1 * * * · Off" in page


def test_screens_are_those_that_one_may_see(signed_in: SignIn) -> None:
    for_root, for_viewer = words(signed_in()), words(signed_in(Role.VIEWER))
    assert {"Jobs", "Users", "Create job", "Audit trail", "Currencies"} <= {*for_root}
    assert {"Jobs", "Your account"} <= {*for_viewer}
    assert {"Users", "Create job", "Audit trail", "Import a crontab"} & {*for_viewer} == set()


def test_screens_are_open_to_those_they_are_offered_to(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    for role in Role:
        client = signed_in(role)
        for href in re.findall(r'data-href="(.*?)"', client.get("/go/choices").content.decode()):
            assert client.get(href).status_code == 200, (role, href)


def test_wherever_the_frame_leads_the_palette_leads_too(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    client = signed_in()
    offered = set(re.findall(r'data-href="(.*?)"', client.get("/go/choices").content.decode()))
    for path in ("/", "/currencies", "/crontab", "/account"):
        page = client.get(path).content.decode()
        frame = "".join(
            re.findall(
                r'<nav class="(?:rooms|tabs)".*?</nav>|class="places".*?</div>', page, re.DOTALL
            )
        )
        linked = {href.partition("?")[0] for href in re.findall(r'<a href="(.*?)"', frame)}
        assert len(linked) > 4
        assert linked - offered == set()


def test_the_job_at_hand_is_run_switched_and_edited(table: Write, signed_in: SignIn) -> None:
    first, *_others, last = table(TABLE)
    client = signed_in()
    assert words(client, f"job={first.pk}")[:4] == ["Run now", "Disable", "Edit", "Clone"]
    assert words(client, f"job={last.pk}&q=ena")[0] == "Enable"
    assert groups(client, f"job={first.pk}")[0] == "Close invoices"
    page = client.get(f"/go?job={first.pk}").content.decode()
    assert f'<input type="hidden" name="one" value="disable:{first.pk}">' in page
    fields = {"one": f"disable:{first.pk}", "table": "root"}
    client.post("/jobs/act", fields, follow=True)
    assert words(client, f"job={first.pk}&q=able")[0] == "Enable"


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        (Role.OPERATOR, ["Run now", "Its runs", "Why did it not run?"]),
        (Role.VIEWER, ["Its runs", "Why did it not run?"]),
    ],
)
def test_acts_are_those_that_a_role_may_do(
    table: Write, signed_in: SignIn, role: Role, acts: Sequence[str]
) -> None:
    first, *_others = table(TABLE)
    offered = words(signed_in(role), f"job={first.pk}")
    assert offered[: len(acts)] == acts


def test_nothing_of_a_table_that_is_shut_is_found(table: Write, signed_in: SignIn) -> None:
    entry, *_others = table(TABLE)
    run = ran(entry, datetime(2026, 10, 1, tzinfo=UTC))
    stranger = signed_in(Role.ROOT, "sam")
    assert groups(stranger, f"q=invoices&job={entry.pk}") == ["Search"]
    assert groups(stranger, f"q={run.pk}") == ["Search"]
    assert "Close invoices" in words(signed_in(Role.VIEWER, "root"), "q=invoices")


def test_a_run_is_found_by_its_number(table: Write, signed_in: SignIn) -> None:
    entry, *_others = table(TABLE)
    run = ran(entry, datetime(2026, 10, 1, tzinfo=UTC))
    client = signed_in()
    for number in (f"{run.pk}", f"%23{run.pk}"):
        page = client.get(f"/go/choices?q={number}").content.decode()
        assert f'data-href="/runs/{run.pk}"' in page
    assert "Runs" not in groups(client, f"q={run.pk + 1}")


def test_records_of_the_books_are_found_by_their_whole_number(signed_in: SignIn) -> None:
    house = House()
    account = house.account(12345)
    service = house.service(account)
    client = signed_in(Role.VIEWER)
    for row, path in (
        (account.client, f"/clients/{account.client.pk}"),
        (account, f"/client-accounts/{account.pk}"),
        (service, f"/services/{service.pk}"),
    ):
        for text in (row.number, row.number.lower()):
            page = client.get(f"/go/choices?q={text}").content.decode()
            assert f'data-href="{path}"' in page, (row, text)
    assert "Books" not in groups(client, f"q={account.number[:-1]}x")
    assert "Books" not in groups(signed_in(Role.OPERATOR, "root"), f"q={service.number}")
    assert "Clients: “lang”" in words(client, "q=lang")


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "9" * 300,
        "q=%23",
        "q=²",
        "q=%00&job=%00",
        "job=" + "9" * 40,
        "job=-1",
        "job=none&from=//evil.example.net",
        "q=%3Cscript%3E&from=%22%3E%3Cscript%3E",
    ],
)
def test_what_makes_no_sense_finds_nothing_and_breaks_nothing(
    table: Write, signed_in: SignIn, query: str
) -> None:
    table(TABLE)
    client = signed_in()
    for path in ("/go", "/go/choices"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 200
        assert b"<script>" not in answer.content


def test_the_look_is_changed_and_leads_back(signed_in: SignIn) -> None:
    client = signed_in()
    page = client.get("/go/choices?q=dark&from=/runs%3Foutcome=failed").content.decode()
    assert 'name="next" value="/runs?outcome=failed"' in page
    answer = client.post("/theme", {"theme": "dark", "next": "/runs?outcome=failed"})
    assert answer.headers["Location"] == "/runs?outcome=failed"
    assert "Language: English" in words(client, "q=language")
    assert "Language: Русский" in words(client, "q=рус")


@pytest.mark.parametrize("query", ["q=", "q=backup", "q=7", "q=e&job=1"])
def test_however_many_jobs_there_are_the_queries_are_as_many(
    table: Write,
    signed_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    query: str,
) -> None:
    table("".join(f"## Backup {n}\n{n % 60} 1 * * * /bin/echo {n}\n" for n in range(300)))
    client = signed_in()
    client.get("/go/choices")
    with django_assert_max_num_queries(3, using="scheduler"):
        client.get(f"/go/choices?{query}")
    with django_assert_max_num_queries(9):
        client.get(f"/go/choices?{query}")
