"""camt.053: what is booked is read to the last cent, once; hostile files do no harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billclock.billing.errors import StatementError
from billclock.billing.statements.base import LARGEST, StatementEntry
from billclock.billing.statements.camt import read, recognises
from tests.billing.statements import (
    DEBIT,
    OURS,
    camt,
    details,
    document,
    entry,
    statement,
)

REVERSED = "<RvslInd>true</RvslInd>"
ADA = "DE89370400440532013000"


def one(data: bytes) -> StatementEntry:
    (found,) = read(data).entries
    return found


@pytest.mark.parametrize("version", ["02", "04", "08"])
def test_a_credit_says_who_paid_what_and_why(version: str):
    old = version == "02"
    status = "<Sts>BOOK</Sts>" if old else "<Sts><Cd>BOOK</Cd></Sts>"
    told = details(["Invoice", "P-17"], name="Ada  Byron", iban=ADA, structured="RF18", old=old)
    found = one(camt(entry("1250.05", told, status=status), version=version))
    assert (found.minor, found.currency, found.on.isoformat()) == (125005, "EUR", "2026-11-20")
    assert (found.party, found.iban, found.text) == ("Ada Byron", ADA, "Invoice P-17")
    assert (found.reference, found.bank_reference) == ("RF18", "B-1")
    assert (found.statement, found.account, found.where) == ("S-1", OURS, "Stmt[1]/Ntry[1]")
    assert not found.reversal


def test_money_that_went_out_is_below_zero():
    assert one(camt(entry("9", sign=DEBIT))).minor == -900


def test_a_reversal_of_a_credit_goes_out_and_is_marked():
    found = one(camt(entry("9", details(name="Ada"), sign=DEBIT, reversal=REVERSED)))
    assert (found.minor, found.reversal, found.party) == (-900, True, "Ada")


def test_yen_have_no_decimals_and_dinars_three():
    assert one(camt(entry("500", currency="JPY"))).minor == 500
    assert one(camt(entry("1.234", currency="KWD"))).minor == 1234
    assert one(camt(entry("1.230000", currency="EUR"))).minor == 123


@pytest.mark.parametrize("status", ["<Sts>PDNG</Sts>", "<Sts><Cd>INFO</Cd></Sts>", ""])
def test_what_is_not_booked_is_only_counted(status: str):
    reading = read(camt(entry(status=status)))
    assert (reading.entries, reading.pending) == ((), 1)


@pytest.mark.parametrize("old", [True, False])
def test_a_batch_is_taken_apart_where_its_parts_add_up(old: bool):
    parts = [details(f"P-{n}", amount=f"{n}.00", old=old) for n in (1, 2, 3)]
    found = read(camt(entry("6.00", *parts), version="02" if old else "08")).entries
    assert [(e.text, e.minor) for e in found] == [("P-1", 100), ("P-2", 200), ("P-3", 300)]
    assert len({e.key for e in found}) == 3


@pytest.mark.parametrize(
    "parts",
    [
        (details("P-1", amount="1.00"), details("P-2", amount="2.00")),
        (details("P-1", amount="1.00"), details("P-2")),
        (details("P-1", amount="1.00"), details("P-2", amount="5.00", currency="USD")),
    ],
)
def test_a_batch_that_does_not_add_up_stays_whole(parts: tuple[str, ...]):
    found = one(camt(entry("6.00", *parts)))
    assert (found.minor, found.text, found.party) == (600, "", "")


def test_several_statements_are_read_in_order():
    data = document(statement(entry(reference="A"), id_="1"), statement(entry(), id_="2"))
    assert [e.statement for e in read(data).entries] == ["1", "2"]
    assert [e.where for e in read(data).entries] == ["Stmt[1]/Ntry[1]", "Stmt[2]/Ntry[1]"]


def test_a_file_read_again_has_the_same_keys_and_a_longer_one_only_more():
    first = read(camt(entry("1", reference="A"), entry("2", reference="B")))
    longer = read(
        camt(entry("1", reference="A"), entry("2", reference="B"), entry("3", reference="C"))
    )
    keys = [e.key for e in first.entries]
    assert [e.key for e in longer.entries][:2] == keys
    assert len({e.key for e in longer.entries}) == 3


def test_a_statement_under_another_name_has_the_same_keys_where_the_bank_names_entries():
    first, again = one(camt(entry(), id_="S-1")), one(camt(entry(), id_="S-1-copy"))
    assert first.key == again.key


def test_two_equal_movements_of_a_day_are_two():
    data = camt(entry(reference=""), entry(reference=""))
    assert len({e.key for e in read(data).entries}) == 2


def test_equal_movements_on_two_pages_are_two_and_a_page_twice_is_one():
    pages = [statement(entry(reference=""), page=str(n)) for n in (1, 2)]
    assert len(read(document(*pages)).entries) == 2
    reading = read(document(pages[0], pages[0]))
    assert (len(reading.entries), reading.repeated) == (1, 1)


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (entry("12,50"), "'12,50' is not an amount"),
        (entry("-1"), "'-1' is not an amount"),
        (entry("1e3"), "is not an amount"),
        (entry("NaN"), "is not an amount"),
        (entry("1.005"), "more decimals than EUR"),
        (entry("9" * 30), "beyond what the books hold"),
        (entry(currency="XXX"), "XXX"),
        (entry(currency=""), "is no currency"),
        (entry(sign="BOTH"), "CdtDbtInd is 'BOTH'"),
        (entry(on="20.11.2026"), "not a date"),
        (entry(on="2026-02-30"), "not a date"),
    ],
)
def test_a_bad_entry_is_named_and_the_others_are_read(bad: str, what: str):
    reading = read(camt(entry("1"), bad, entry("3", reference="C")))
    assert [e.minor for e in reading.entries] == [100, 300]
    ((fault,)) = reading.faults
    assert fault.where == "Stmt[1]/Ntry[2]"
    assert what in fault.what


def test_an_entry_without_amount_or_date_is_a_fault():
    empty = "<Ntry><Sts>BOOK</Sts></Ntry>"
    assert [f.what for f in read(camt(empty)).faults] == ["Amt is missing"]
    undated = '<Ntry><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>'
    assert [f.what for f in read(camt(undated)).faults] == ["BookgDt is missing"]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<html></html>", "is not a statement"),
        (camt(entry(), kind="camt.052"), "camt.052 is not a statement of what was booked"),
        (camt(entry(), version="99"), "version 99; 02 to 08 are known"),
        (camt(entry())[:-30], "breaks off"),
        (camt(entry()).replace(b"iso:20022", b"example"), "is not a statement"),
        (document(), "no statement"),
        (b"\xff\xfe\x00", "breaks off or is damaged"),
    ],
)
def test_what_is_no_statement_is_refused_whole(data: bytes, what: str):
    with pytest.raises(StatementError, match=what):
        read(data)


def test_entities_are_refused_before_they_grow():
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Document>&b;</Document>'
    )
    with pytest.raises(StatementError, match="document type"):
        read(bomb)
    outside = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'
    with pytest.raises(StatementError, match="document type"):
        read(outside)


def test_a_deep_file_is_refused():
    with pytest.raises(StatementError, match="deep"):
        read(camt("<a>" * 200_000 + "</a>" * 200_000))


def test_a_file_too_large_is_refused_unread():
    with pytest.raises(StatementError, match="more than 64 MiB"):
        read(camt(entry()) + b" " * LARGEST)


def test_ten_thousand_entries_are_read():
    data = camt(*(entry(f"{n}.00", reference=f"B-{n}") for n in range(1, 10_001)))
    reading = read(data)
    assert sum(e.minor for e in reading.entries) == 100 * 10_000 * 10_001 // 2


def test_a_file_is_known_by_its_beginning():
    assert recognises(b"\xef\xbb\xbf\n<?xml")
    assert not recognises(b"Date;Amount")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_gives_whole_entries_faults_or_an_error(data: st.DataObject):
    whole = camt(entry("5.00", details("P-1", name="Ada", iban=ADA)), entry("7", reference="C"))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    try:
        reading = read(damaged)
    except StatementError:
        return
    for found in reading.entries:
        assert found.key
        assert isinstance(found.minor, int)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_an_error(data: bytes):
    with pytest.raises(StatementError):
        read(data)
