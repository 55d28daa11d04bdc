"""The list of a section: search, filters, order, pages by place, CSV, views, who gets in."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from itertools import pairwise

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings
from django.http import StreamingHttpResponse
from django.test import Client as Browser
from django.test.utils import override_settings

from billclock.accounts.models import Role
from billclock.billing.clients import Client
from billclock.billing.currencies import Currency
from billclock.billing.ledger import LedgerAccount
from billclock.web.kit import keyset
from billclock.web.kit.keyset import Order

pytestmark = [
    pytest.mark.django_db(databases=["default", "scheduler"]),
    pytest.mark.usefixtures("engine"),
]
SignedIn = Callable[..., Browser]


@pytest.fixture(autouse=True)
def office(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = "tests.web.office"


def client(number: int, name: str = "", **values: object) -> Client:
    fields = {"registered_on": date(2026, 1, 1) + timedelta(days=number), **values}
    return Client.objects.create(number=f"C{number}", name=name or f"Client {number:03}", **fields)


def names(browser: Browser, query: str = "") -> list[str]:
    answer = browser.get(f"/patrons{query}")
    assert answer.status_code == 200
    return [line.name for line in answer.context["lines"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Alder", "Birch GmbH", "Cedar"]),
        ("?q=birch+gm", ["Birch GmbH"]),
        ("?q=c3", ["Cedar"]),
        ("?q=nobody", []),
        ("?kind=2", ["Birch GmbH"]),
        ("?kind=nonsense", []),
        ("?open=1", ["Alder", "Birch GmbH"]),
        ("?open=1&kind=1", ["Alder"]),
        ("?registered_on_since=2026-01-03&registered_on_until=2026-01-03", ["Birch GmbH"]),
        ("?registered_on_since=yesterday", ["Alder", "Birch GmbH", "Cedar"]),
        ("?sort=-name", ["Cedar", "Birch GmbH", "Alder"]),
        ("?sort=-registered_on", ["Cedar", "Birch GmbH", "Alder"]),
        ("?sort=state", ["Alder", "Birch GmbH", "Cedar"]),
    ],
)
def test_rows_are_found_by_what_the_address_asks(
    signed_in: SignedIn, query: str, found: list[str]
) -> None:
    client(1, "Alder")
    client(2, "Birch GmbH", kind=2)
    client(3, "Cedar", closed=True)
    assert names(signed_in(), query) == found


@pytest.mark.parametrize("asked", ["берёза", "БЕРЁЗА", "Берёза", "берёза строй", "STROY"])
def test_a_word_is_found_in_any_case_of_any_alphabet(signed_in: SignedIn, asked: str) -> None:
    client(1, "Берёза Строй stroy")
    client(2, "Cedar")
    assert names(signed_in(), f"?q={asked}") == ["Берёза Строй stroy"]


def test_a_row_is_found_by_its_key(signed_in: SignedIn) -> None:
    made = client(1), client(2)
    assert names(signed_in(), f"?q=%23{made[1].pk}") == ["Client 002"]


@pytest.mark.parametrize(
    "query",
    ["?after=x", "?after==~", "?after==a~b", "?before=-~" + "9" * 40, "?q=%00", "?sort=pk",
     "?kind=" + "9" * 40, "?registered_on_until=9999-12-31", "?q=%23" + "9" * 18, "?after=%00~1"],
)  # fmt: skip
def test_nonsense_in_the_address_does_no_harm(signed_in: SignedIn, query: str) -> None:
    client(1)
    assert signed_in().get(f"/patrons{query}").status_code == 200


@pytest.mark.parametrize("sort", ["", "?sort=-name", "?sort=-registered_on"])
def test_pages_follow_each_other_without_gap_or_repeat(signed_in: SignedIn, sort: str) -> None:
    for number in range(35):
        client(number, registered_on=date(2026, 1, 1 + number % 3))
    browser, seen, link = signed_in(), [], sort
    pages = [link]
    while True:
        answer = browser.get(f"/patrons{link}")
        seen += [line.name for line in answer.context["lines"]]
        link = answer.context["after"]
        if not link:
            break
        pages.append(link)
        client(100 + len(pages), "AA came meanwhile" if "-name" not in sort else "ZZ")
    assert sorted(set(seen)) == sorted(seen)
    assert {f"Client {number:03}" for number in range(35)} <= set(seen)
    back = browser.get(f"/patrons{answer.context['before']}")
    assert [line.name for line in back.context["lines"]] == seen[20:30]


@pytest.mark.parametrize("down", [False, True])
def test_nulls_come_last_in_either_direction_and_can_be_paged_through(down: bool) -> None:
    for number, panel in enumerate([None, 5, None, 3, 9, None, 1]):
        Currency.objects.create(code=f"X{number}", number=number, exponent=2, panel_id=panel)
    order = Order("panel_id", descending=down)
    first = keyset.page(Currency.objects.all(), order, 2)
    everything = Currency.objects.select_related()
    sifted = keyset.page(Currency.objects.exclude(code="X1"), order, 4, whole=everything)
    plain = keyset.page(Currency.objects.exclude(code="X1"), order, 4)
    assert (sifted.rows, sifted.after) == (plain.rows, plain.after)
    codes, place, parts = [row.code for row in first.rows], first.after, [first]
    while place:
        part = keyset.page(Currency.objects.all(), order, 2, after=place)
        parts.append(part)
        codes += [row.code for row in part.rows]
        place = part.after
    known = ["X4", "X1", "X3", "X6"] if down else ["X6", "X3", "X1", "X4"]
    assert codes == known + (["X5", "X2", "X0"] if down else ["X0", "X2", "X5"])
    for earlier, later in pairwise(parts):
        back = keyset.page(Currency.objects.all(), order, 2, before=later.before)
        assert [row.pk for row in back.rows] == [row.pk for row in earlier.rows]


def test_the_number_of_queries_is_fixed(signed_in: SignedIn, django_assert_num_queries) -> None:
    browser = signed_in()
    browser.get("/patrons")  # notes whence the session is used
    for many in range(2):
        for number in range(8):
            client(number + 100 * many)
        with django_assert_num_queries(5 + many):  # counted only where there is another page
            browser.get("/patrons")


def test_amounts_are_said_in_their_currency(signed_in: SignedIn) -> None:
    for code, exponent, minor in (("EUR", 2, -123450), ("JPY", 0, 700), ("KWD", 3, 1005)):
        LedgerAccount.objects.create(
            kind=1, owner=code, currency=code, exponent=exponent, balance_minor=minor
        )
    page = signed_in().get("/purses?sort=owner").content.decode()
    assert '<span class="minus">-€1,234.50</span>' in page
    assert "¥700" in page
    assert "KWD\xa01.005" in page


async def whole(answer: StreamingHttpResponse) -> bytes:
    return b"".join([part async for part in answer])


def test_a_csv_has_all_pages_plain_amounts_and_no_formulas(signed_in: SignedIn) -> None:
    LedgerAccount.objects.create(
        kind=1, owner="=cmd|' /C calc'!A0", currency="EUR", exponent=2, balance_minor=-5
    )
    for number in range(60):
        LedgerAccount.objects.create(kind=2, owner=f"o{number:03}", currency="JPY", exponent=0)
    answer = signed_in().get("/purses/csv?sort=owner")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="purses.csv"'
    rows = list(csv.DictReader(StringIO(async_to_sync(whole)(answer).decode())))
    assert len(rows) == 61
    assert rows[0]["owner"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["balance"], rows[0]["balance_currency"]) == ("-0.05", "EUR")
    assert rows[1]["owner"] == "o000"


def test_hostile_texts_are_shown_and_do_nothing(signed_in: SignedIn) -> None:
    row = client(1, "<script>alert(1)</script>\u202e")
    browser = signed_in()
    for path in ("/patrons", f"/patrons/{row.pk}", f"/patrons/{row.pk}/edit"):
        page = browser.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_views_and_columns_are_kept_for_each_user(signed_in: SignedIn) -> None:
    client(1)
    browser = signed_in()
    browser.post("/patrons/like", {"do": "view", "name": "Open ones", "back": "?open=1"})
    browser.post("/patrons/like", {"do": "columns", "column": ["state"]})
    page = browser.get("/patrons?open=1")
    assert page.context["liked"].views == {"Open ones": "?open=1"}
    assert [head.column.name for head in page.context["headings"]] == ["name", "state"]
    browser.post("/patrons/like", {"forget": "Open ones"})
    assert browser.get("/patrons").context["liked"].views == {}
    other = signed_in(Role.VIEWER)
    assert len(other.get("/patrons").context["headings"]) == 4


def test_an_empty_list_says_so_and_filters_say_that_they_hide(signed_in: SignedIn) -> None:
    browser = signed_in()
    assert "Nothing here yet" in browser.get("/patrons").content.decode()
    client(1)
    assert "Nothing is like this" in browser.get("/patrons?q=zzz").content.decode()


def test_a_viewer_looks_and_is_offered_nothing_to_press(signed_in: SignedIn) -> None:
    row = client(1)
    browser = signed_in(Role.VIEWER)
    page = browser.get("/patrons").content.decode()
    assert 'value="close"' not in page
    assert "Needs the role Root" in page
    assert 'name="entry"' not in page
    assert browser.get(f"/patrons/{row.pk}").status_code == 200
    for path in ("/patrons/new", f"/patrons/{row.pk}/edit"):
        assert browser.get(path).status_code == 403
    assert browser.post("/patrons/act", {"one": f"close:{row.pk}"}).status_code == 403
    row.refresh_from_db()
    assert not row.closed


def test_who_has_one_crontab_sees_only_sections_for_him_and_changes_none(
    signed_in: SignedIn,
) -> None:
    browser = signed_in(Role.ROOT, tables="sam")
    assert browser.get("/patrons").status_code == 403
    assert browser.get("/purses").status_code == 200
    assert browser.post("/purses/act", {"act": "x"}).status_code == 403


def test_a_language_has_its_own_way_with_amounts_and_dates(signed_in: SignedIn) -> None:
    LedgerAccount.objects.create(
        kind=1, owner="o", currency="RUB", exponent=2, balance_minor=123450
    )
    with override_settings(LANGUAGE_CODE="ru"):
        page = signed_in().get("/purses", headers={"accept-language": "ru"}).content.decode()
    assert "1\xa0234,50\xa0₽" in page
