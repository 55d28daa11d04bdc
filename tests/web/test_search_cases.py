"""A word is found in any case of any letters: clients, invoices, payments, letters, the trail."""

from datetime import date

import pytest
from django.db import connection

from billclock.accounts.audit import note
from billclock.accounts.caseless import equals, glob, holds, regex
from billclock.accounts.models import AuditRow
from billclock.billing.clients import Client
from billclock.web.clients import CLIENTS
from billclock.web.hand_entries import HAND_ENTRIES
from billclock.web.invoices import INVOICES
from billclock.web.kit.query import Query
from billclock.web.kit.section import Section
from billclock.web.letters import LETTERS
from billclock.web.payments import PAYMENTS
from billclock.web.times import Wall

pytestmark = [
    pytest.mark.django_db(databases=["default", "scheduler"]),
    pytest.mark.usefixtures("engine"),
]
ODD = ["ИвАнов", "иванов", "ИВАНОВ", "Иванов", "вАнО"]


def client(name: str) -> Client:
    number = f"C{Client.objects.count() + 1}"
    return Client.objects.create(number=number, name=name, registered_on=date(2026, 1, 1))


def found(name: str) -> list[str]:
    return sorted(Client.objects.filter(holds("name", name)).values_list("name", flat=True))


def shown(section: Section, word: str) -> int:
    kept = Query({}, q=word).keep(section.rows(), (), section.search, Wall.here())
    return kept.count()


@pytest.mark.parametrize("word", ODD)
@pytest.mark.parametrize("name", ["Иванов Иван", "ООО «ИВАНОВ»", "пётр иванов", "ИвАнОв"])
def test_a_name_is_found_however_it_is_written(name: str, word: str) -> None:
    client(name)
    client("Петров")
    client("Ivanov")
    assert found(word) == [name]


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("я*", ["Я* и [Б]? 5% _ \\ ^$"]),
        ("[б]?", ["Я* и [Б]? 5% _ \\ ^$"]),
        ("Б]? 5%", ["Я* и [Б]? 5% _ \\ ^$"]),
        ("5% _ \\ ^$", ["Я* и [Б]? 5% _ \\ ^$"]),
        ("и.[", []),
        ("ÄRGER", ["ärger & Söhne"]),
        ("straße", ["Straße 5"]),
        ("ΣΟΦΊΑ", ["σοφία"]),
        ("д1", []),
    ],
)
def test_signs_that_mean_something_to_an_engine_mean_themselves(
    word: str, names: list[str]
) -> None:
    for name in ("Я* и [Б]? 5% _ \\ ^$", "ärger & Söhne", "Straße 5", "σοφία", "ядро"):
        client(name)
    assert found(word) == names


def test_all_of_a_field_is_asked_for_where_it_must_be() -> None:
    client("Иванов")
    client("Иванова")
    client("Старый Иванов")
    assert [one.name for one in Client.objects.filter(equals("name", "иВАНОВ"))] == ["Иванов"]


@pytest.mark.parametrize("word", ODD)
@pytest.mark.parametrize("of", ["subject", "before", "after"])
def test_the_trail_is_searched_in_any_case(of: str, word: str) -> None:
    row = {"subject": "", "before": "", "after": "", of: "клиент Иванов: 5 * * * *"}
    note("a", "client.edit", row["subject"], before=row["before"], after=row["after"])
    note("a", "client.edit", "Петров")
    assert AuditRow.objects.all().saying(word).count() == 1


@pytest.mark.parametrize("word", ODD)
def test_clients_are_found_in_their_list(word: str) -> None:
    client("Иванов")
    client("Петров")
    assert shown(CLIENTS, word) == 1


@pytest.mark.parametrize("section", [INVOICES, PAYMENTS, LETTERS, HAND_ENTRIES])
def test_every_list_of_the_books_can_be_asked(section: Section) -> None:
    client("Иванов")
    for word in (*ODD, "я[*?\\%'\"", "иван@почта.рф"):
        assert shown(section, word) == 0


def test_a_pattern_names_both_cases_and_no_pair_of_letters() -> None:
    assert glob("Иß*") == "[Ии][ß][*]"
    assert regex("Иß*") == "[Ии][ß]\\*"
    assert connection.vendor in ("sqlite", "postgresql")
