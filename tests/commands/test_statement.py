"""billclock statement: a bank's file from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from billclock.billing.payments import BankEntry
from billclock.commands.billclock import main
from tests.billing.company import House, balance
from tests.billing.statements import camt, details, entry
from tests.billing.tills import bank

pytestmark = pytest.mark.django_db(databases="__all__")
Outside = Callable[[str, bytes], str]


@pytest.fixture
def house() -> House:
    house = House()
    bank(house)
    return house


def test_a_file_is_imported_and_told_of(
    house: House, outside: Outside, capsys: pytest.CaptureFixture[str]
):
    account = house.account()
    file = outside(
        "s.xml",
        camt(
            entry("5.00", details(account.number)),
            entry("7.00", details("hello", name="Ada"), reference="B-2"),
            entry("1.001", reference="B-3"),
        ),
    )
    assert main(["statement", "bank", file]) == 1
    told = capsys.readouterr().out
    assert "waits: 2026-11-20 7.00 EUR, Ada: no open request's reference" in told
    assert "not read: Stmt[1]/Ntry[3]: 1.001 has more decimals than EUR" in told
    assert "1 entry credited (5.00 EUR), 1 for a person, 0 out, 0 known before" in told
    assert balance(account) == 5_00


def test_as_json_and_once(house: House, outside: Outside, capsys: pytest.CaptureFixture[str]):
    account = house.account()
    file = outside("s.xml", camt(entry("5.00", details(account.number))))
    assert main(["statement", "bank", file, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sums"] == {"EUR": 500}
    assert [e["minor"] for e in told["credited"]] == [500]
    assert main(["statement", "bank", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["known"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "FILE"], "there is no payment method 'nobody'; there are: bank"),
        (["bank", "FILE"], "the XML breaks off"),
        (["bank", "/nowhere/s.xml"], "/nowhere/s.xml: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    house: House, outside: Outside, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    file = outside("s.xml", camt(entry())[:-20])
    assert main(["statement", *(file if word == "FILE" else word for word in words)]) == 1
    assert said in capsys.readouterr().err
    assert not BankEntry.objects.exists()
