"""CSV: columns by their names, and what a bank does not say found out or asked for."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billclock.billing import money
from billclock.billing.errors import StatementError
from billclock.billing.statements.base import Reading
from billclock.billing.statements.delimited import Layout, read
from billclock.billing.statements.sniffing import date_form, decimal_sign

LAYOUT = Layout("Date", "Amount", of_currency="EUR", party="Name", text="Text")
GERMAN = Layout(
    "Buchungstag", "Betrag", currency="Währung", party="Name", iban="IBAN", text="Verwendungszweck"
)


def csv(*lines: str, header: str = "Date,Amount,Name,Text", encoding: str = "utf-8") -> bytes:
    return "\r\n".join([header, *lines]).encode(encoding)


def amounts(reading: Reading) -> list[int]:
    return [entry.minor for entry in reading.entries]


def test_a_german_bank_with_a_preamble_semicolons_and_commas():
    data = (
        'Konto;"DE02 1203"\n\nBuchungstag;Name;IBAN;Verwendungszweck;Betrag;Währung\n'
        '20.11.2026;Müller;DE89 3704 0044 0532 0130 00;"Rechnung;\nP-17";1.250,05;EUR\n'
        "21.11.2026;Strom AG;;Abschlag;-90,00;EUR\n"
    ).encode("cp1252")
    first, second = read(data, GERMAN).entries
    assert (first.minor, first.currency, first.on.isoformat()) == (125005, "EUR", "2026-11-20")
    assert (first.party, first.iban) == ("Müller", "DE89370400440532013000")
    assert first.text == "Rechnung; P-17"
    assert (second.minor, second.where) == (-9000, "line 6")


def test_a_russian_file_of_windows():
    layout = Layout("Дата", "Сумма", of_currency="RUB", party="Плательщик")
    data = csv("20.11.2026;1 250,05;Иванов", header="Дата;Сумма;Плательщик", encoding="cp1251")
    (entry,) = read(data, layout).entries
    assert (entry.minor, entry.party) == (125005, "Иванов")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_told_apart(encoding: str):
    (entry,) = read(csv("2026-11-20,1.50,Müller,x", encoding=encoding), LAYOUT).entries
    assert entry.party == "Müller"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(delimiter: str):
    lines = ["Date,Amount,Name,Text", "2026-11-20,1.50,Ada,x"]
    data = "\n".join(line.replace(",", delimiter) for line in lines).encode()
    assert amounts(read(data, LAYOUT)) == [150]


def test_credit_and_debit_in_two_columns():
    layout = Layout("Date", credit="In", debit="Out", of_currency="EUR")
    data = csv("2026-11-20,5.00,", "2026-11-20,,7.00", "2026-11-20,,-8.00",
               "2026-11-20,,", "2026-11-20,1.00,1.00", header="Date,In,Out")  # fmt: skip
    reading = read(data, layout)
    assert amounts(reading) == [500, -700, -800]
    assert [fault.where for fault in reading.faults] == ["line 5", "line 6"]


@pytest.mark.parametrize(
    ("texts", "currency", "sign"),
    [
        (["1.234,56"], "EUR", ","),
        (["1,234.56"], "EUR", "."),
        (["1.234.567"], "EUR", ","),
        (["12,5", "1,234"], "EUR", ","),
        (["1,234"], "EUR", "."),
        (["1.234"], "EUR", ","),
        (["100", "-5"], "EUR", "."),
        (["1'234.50"], "CHF", "."),
        ([], "EUR", "."),
    ],
)
def test_the_decimal_sign_is_found(texts: list[str], currency: str, sign: str):
    assert decimal_sign(texts, currency) == sign


@pytest.mark.parametrize(
    ("texts", "currency"),
    [(["1,5", "1.5"], "EUR"), (["1,234", "1.234"], "EUR"), (["1,234"], "KWD")],
)
def test_a_doubtful_decimal_sign_is_asked_for(texts: list[str], currency: str):
    with pytest.raises(StatementError, match="decimal"):
        decimal_sign(texts, currency)


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2026-11-20"], "%Y-%m-%d"),
        (["20.11.2026"], "%d.%m.%Y"),
        (["20.11.26"], "%d.%m.%y"),
        (["05/04/2026", "20/11/2026"], "%d/%m/%Y"),
        (["05/04/2026", "11/20/2026"], "%m/%d/%Y"),
        (["05/05/2026"], "%d/%m/%Y"),
        (["20261120"], "%Y%m%d"),
        (["2026-11-20T10:11:12Z", "2026-11-21 08:00"], "%Y-%m-%d"),
    ],
)
def test_the_form_of_dates_is_found(texts: list[str], form: str):
    assert date_form(texts) == form


def test_doubtful_dates_are_asked_for_and_told():
    with pytest.raises(StatementError, match="say the form of dates"):
        date_form(["05/04/2026"])
    (entry,) = read(
        csv("05/04/2026,1.50,Ada,x"),
        Layout("Date", "Amount", of_currency="EUR", dates="%m/%d/%Y"),
    ).entries
    assert entry.on.isoformat() == "2026-05-04"


def test_a_bad_line_is_named_and_the_others_are_read():
    lines = ["2026-11-20,1.50,Ada,x", "2026-11-20,abc,Ada,x", "2026-11-20", "2026-11-20,2.505,,x",
             "2026-11-20,2.50,Bob,y"]  # fmt: skip
    reading = read(csv(*lines), LAYOUT)
    assert amounts(reading) == [150, 250]
    assert [fault.where for fault in reading.faults] == ["line 3", "line 4", "line 5"]
    assert "'abc' is not an amount" in reading.faults[0].what


def test_a_total_below_is_a_fault_and_no_hindrance():
    reading = read(csv("20.11.2026,1.50,,", "Total,1.50,,"), LAYOUT)
    assert (amounts(reading), [f.where for f in reading.faults]) == ([150], ["line 3"])


def test_dates_in_several_forms_are_refused():
    with pytest.raises(StatementError, match="several forms"):
        read(csv("20.11.2026,1.50,,", "2026-11-21,1.50,,"), LAYOUT)


def test_a_bad_date_among_good_ones_is_a_fault_where_the_form_is_told():
    layout = Layout("Date", "Amount", of_currency="EUR", dates="%Y-%m-%d")
    reading = read(csv("2026-11-20,1.50,,", "2026-02-30,1.50,,"), layout)
    assert (len(reading.entries), reading.faults[0].where) == (1, "line 3")


def test_a_file_read_again_has_the_same_keys_and_equal_lines_are_two():
    line = "2026-11-20,1.50,Ada,x"
    first, again = read(csv(line, line), LAYOUT), read(csv(line, line, line), LAYOUT)
    keys = [entry.key for entry in first.entries]
    assert len(set(keys)) == 2
    assert [entry.key for entry in again.entries][:2] == keys


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (csv("1,2", header="A,B"), "no line names the columns amount, date, name, text"),
        (csv("20th of May,1.50,,"), "such as '20th of May'"),
        (b"\x00\xff" * 9, "no line names the columns"),
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes, what: str):
    with pytest.raises(StatementError, match=what):
        read(data, LAYOUT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": ""},
        {"amount": ""},
        {"amount": "", "credit": "In"},
        {"credit": "In", "debit": "Out"},
        {"of_currency": ""},
    ],
)
def test_a_layout_that_cannot_do_is_refused(wrong: dict[str, str]):
    with pytest.raises(StatementError, match="layout"):
        Layout(**{"date": "Date", "amount": "Amount", "of_currency": "EUR", **wrong})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20), st.sampled_from(".,"))
def test_written_amounts_are_read_back(minors: list[int], sign: str):
    lines = []
    for minor in minors:
        text = f"{abs(minor) // 100:,}".replace(",", " ") + f"{sign}{abs(minor) % 100:02}"
        lines.append(f"2026-11-20;{'-' if minor < 0 else ''}{text};Ada;x")
    reading = read(csv(*lines, header="Date;Amount;Name;Text"), LAYOUT)
    assert amounts(reading) == minors


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_gives_entries_faults_or_an_error(data: st.DataObject):
    whole = csv("2026-11-20,1.50,Ada,x", '2026-11-21,"2,000.00","Bob ""B""",y')
    start = data.draw(st.integers(0, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[start + 3 :]
    try:
        reading = read(damaged, LAYOUT)
    except StatementError:
        return
    assert all(abs(entry.minor) <= money.MOST and entry.key for entry in reading.entries)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_under_the_names_gives_entries_faults_or_an_error(text: str):
    with suppress(StatementError):
        reading = read(b"Date,Amount,Name,Text\n" + text.encode("utf-8", "replace"), LAYOUT)
        assert all(entry.key and entry.on for entry in reading.entries)
