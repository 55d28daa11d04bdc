"""Sources read the banks' files exactly, and name what is wrong with a bad one."""

import time
from datetime import date
from fractions import Fraction

import pytest

from billclock.billing.errors import SourceError
from billclock.billing.rates.base import Wanted
from billclock.billing.rates.cbr import Cbr
from billclock.billing.rates.ecb import Ecb
from billclock.billing.rates.fetching import Limits, fetch
from billclock.billing.rates.json_document import Json
from billclock.billing.rates.sources import gather, origin
from tests.billing.bank import CBR_DAILY, DAILY, FILES, HISTORY, Bank

FRIDAY = date(2026, 11, 20)
PAIR = frozenset({"USD", "EUR"})


def wanted(first: date = FRIDAY, last: date = FRIDAY, codes: frozenset[str] = PAIR) -> Wanted:
    return Wanted(first, last, codes, today=FRIDAY)


def test_a_euro_costs_what_the_ecb_prints():
    (sheet,) = Ecb().read(DAILY, PAIR)
    assert sheet.on == FRIDAY
    assert sheet.cross("EUR", "USD") == Fraction("1.0842")
    assert sheet.cross("USD", "EUR") == 1 / Fraction("1.0842")


def test_a_rate_between_two_others_goes_through_the_base():
    (sheet,) = Ecb().read(DAILY, {"USD", "JPY"})
    assert sheet.cross("USD", "JPY") == Fraction("163.55") / Fraction("1.0842")


def test_the_ecb_history_gives_a_sheet_a_business_day():
    sheets = Ecb().read(HISTORY, PAIR)
    assert len(sheets) == 20
    assert all(sheet.on.weekday() < 5 for sheet in sheets)


def test_the_bank_of_russia_prices_units_of_a_nominal_with_comma_decimals():
    (sheet,) = Cbr().read(CBR_DAILY, {"JPY", "UZS", "USD"})
    assert sheet.on == date(2026, 11, 21)
    assert sheet.cross("JPY", "RUB") == Fraction("0.527714")
    assert sheet.cross("UZS", "RUB") == Fraction("66.4209") / 10000
    assert sheet.cross("RUB", "USD") == 1 / Fraction("79.5621")


def test_many_days_of_the_bank_of_russia_come_in_one_file_a_currency(banks: Bank):
    for ident in ("R01235", "R01239"):
        banks.files[
            "/XML_dynamic.asp?date_req1=10/11/2026&date_req2=21/11/2026&VAL_NM_RQ=" + ident
        ] = (FILES / f"XML_dynamic_{ident}.xml").read_bytes()
    sheets = gather(origin(f"cbr@{banks.url}/"), wanted(date(2026, 11, 10), date(2026, 11, 21)))
    assert len(sheets) == 10
    assert sheets[-1].cross("USD", "EUR") == Fraction("79.5621") / Fraction("86.2613")


def test_the_bank_of_russia_is_asked_for_each_of_a_few_days(banks: Bank):
    banks.files["/XML_daily.asp"] = CBR_DAILY
    gather(origin(f"cbr@{banks.url}/"), wanted(date(2026, 11, 19)))
    assert banks.asked == [
        "/XML_daily.asp?date_req=19/11/2026",
        "/XML_daily.asp?date_req=20/11/2026",
    ]


@pytest.mark.parametrize(
    ("first", "file"),
    [
        (FRIDAY, "eurofxref-daily.xml"),
        (date(2026, 11, 19), "eurofxref-hist-90d.xml"),
        (date(2026, 6, 1), "eurofxref-hist.xml"),
    ],
)
def test_the_ecb_is_asked_for_the_smallest_file_that_reaches_back(first: date, file: str):
    assert Ecb().addresses(wanted(first)) == [f"https://www.ecb.europa.eu/stats/eurofxref/{file}"]


def test_a_file_without_a_named_kind_is_recognised_by_its_content():
    for file in ("eurofxref-daily.xml", "XML_daily.xml", "rates.json"):
        (sheet,) = gather(origin(str(FILES / file)), wanted())
        assert sheet.cross("EUR", "USD") is not None


def test_json_may_hold_several_days():
    document = (
        b'{"base": "EUR", "rates": {"2026-11-19": {"USD": 1.09}, "2026-11-20": {"USD": 1.1}}}'
    )
    assert [sheet.cross("EUR", "USD") for sheet in Json().read(document, PAIR)] == [
        Fraction("1.09"),
        Fraction("1.1"),
    ]


def test_a_json_number_keeps_every_digit():
    document = b'{"base": "IRR", "date": "2026-11-20", "rates": {"USD": 2.3781212841e-05}}'
    (sheet,) = Json().read(document, {"USD"})
    assert sheet.cross("IRR", "USD") == Fraction("0.000023781212841")


def test_a_fault_in_a_currency_nobody_asked_for_does_no_harm():
    broken = DAILY.replace(b"rate='163.55'", b"rate='N/A'")
    (sheet,) = Ecb().read(broken, PAIR)
    assert sheet.cross("EUR", "USD") == Fraction("1.0842")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><gesmes:Envelope>&b;</gesmes:Envelope>'
)
THIEF = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><ValCurs>&f;</ValCurs>'
PAGE = b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>"


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("ecb", PAGE, "a web page instead of"),
        ("cbr", PAGE, "a web page instead of"),
        ("ecb", b"", "an empty document"),
        ("ecb", DAILY[:700], "breaks off"),
        ("cbr", CBR_DAILY[:700], "breaks off"),
        ("ecb", BOMB, "document type declaration"),
        ("cbr", THIEF, "document type declaration"),
        ("ecb", CBR_DAILY, "not a file of the ECB's reference rates"),
        ("cbr", DAILY, "not a file of the Bank of Russia's rates"),
        ("cbr", CBR_DAILY.replace(b"windows-1251", b"utf-8"), "damaged"),
        ("cbr", CBR_DAILY.replace(b"windows-1251", b"klingon"), "damaged"),
        ("ecb", b"\xff\xfe\x00\x01", "damaged"),
        ("ecb", DAILY.replace(b"2026-11-20", b"20 November"), "'20 November' is not a date"),
        ("ecb", DAILY.replace(b"1.0842", b"0"), "USD on 2026-11-20: '0' is not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"0.0000"), "not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"-1.0842"), "'-1.0842' is not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"NaN"), "'NaN' is not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"Infinity"), "not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"1e999999999"), "not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"1,0842"), "not a rate above zero"),
        ("ecb", DAILY.replace(b"1.0842", b"9" * 5000), "not a rate above zero"),
        ("cbr", CBR_DAILY.replace(b"79,5621", b"0,0000"), "USD on 2026-11-21"),
        ("cbr", CBR_DAILY.replace(b"<Nominal>1<", b"<Nominal>0<"), "Nominal of EUR"),
        ("cbr", b'<ValCurs Date="21.11.2026" name="x"></ValCurs>', "no rates for 2026-11-21"),
        ("json", b"[1, 2]", "not an object"),
        ("json", b"{", "not JSON"),
        ("json", b'{"base": "EUR", "rates": {}}', "no base and rates"),
        ("json", b'{"base": "EUR", "date": "2026-11-20", "rates": {"USD": NaN}}', "above zero"),
        ("json", b'{"base": "EUR", "date": "2026-11-20", "rates": {"USD": null}}', "above zero"),
        ("json", b'{"base": "EUR", "date": "2026-11-20", "rates": {"USD": 1e999}}', "above zero"),
        ("json", b'{"base": "EUR", "rates": {"USD": 1.1}}', "date: None is not a date"),
    ],
)
def test_a_bad_document_is_refused_with_its_place_and_fault(
    banks: Bank, kind: str, data: bytes, said: str
):
    banks.files["/rates"] = data or b"\n"
    with pytest.raises(SourceError) as refusal:
        gather(origin(f"{kind}@{banks.url}/rates"), wanted())
    assert said in str(refusal.value)
    assert str(refusal.value).startswith(f"{banks.url}/rates: ")


@pytest.mark.parametrize(
    ("path", "said", "retry"),
    [
        ("status/500", "the server answered 500 Internal Server Error", True),
        ("status/403", "the server answered 403 Forbidden", False),
        ("circle/0", "more than 5 redirects", True),
        ("silent", "no answer within 0.3 seconds", True),
        ("drip", "not whole after 0.5 seconds", True),
        ("endless", "more than 2 MiB", False),
    ],
)
def test_a_misbehaving_server_is_left_in_time(banks: Bank, path: str, said: str, retry: bool):
    began = time.monotonic()
    with pytest.raises(SourceError, match=said) as refusal:
        fetch(f"{banks.url}/{path}", Limits(silence=0.3, seconds=0.5, size=2 << 20))
    assert refusal.value.retry is retry
    assert time.monotonic() - began < 5


def test_a_server_that_is_not_there_is_told(banks: Bank):
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:1/x: .*refused"):
        fetch("http://127.0.0.1:1/x")


def test_secrets_of_an_address_are_not_told(banks: Bank):
    address = banks.url.replace("//", "//user:secret@") + "/status/404?key=secret"
    with pytest.raises(SourceError) as refusal:
        fetch(address)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/no/such/file.xml", "No such file"),
        ("/dev/zero", "not a file"),
        ("file:///no/such/file.xml", "No such file"),
        ("rates/daily.xml", "neither an address nor a path"),
        ("ftp://host/daily.xml", "neither an address nor a path"),
    ],
)
def test_a_bad_path_is_told(place: str, said: str):
    with pytest.raises(SourceError, match=said):
        fetch(place)


def test_an_unknown_source_is_told_with_the_known_ones():
    with pytest.raises(SourceError, match="give one of cbr, ecb, json, an address or a path"):
        origin("bundesbank")
