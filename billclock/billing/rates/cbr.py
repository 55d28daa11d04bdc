"""The Bank of Russia's official rates: what one unit of each currency costs in roubles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from xml.etree.ElementTree import Element

from billclock.billing.errors import SourceError
from billclock.billing.rates.base import Sheet, Wanted, number
from billclock.billing.rates.documents import read_date, read_xml

EXPECTED = "a file of the Bank of Russia's rates"
DATE = "%d.%m.%Y"
ASKED = "%d/%m/%Y"
SINGLE_DAYS = 3  # up to here a file a day is asked for, beyond it a file a currency

CODES = {
    "R01010": "AUD", "R01020A": "AZN", "R01035": "GBP", "R01060": "AMD", "R01090B": "BYN",
    "R01115": "BRL", "R01135": "HUF", "R01200": "HKD", "R01215": "DKK", "R01235": "USD",
    "R01239": "EUR", "R01270": "INR", "R01335": "KZT", "R01350": "CAD", "R01370": "KGS",
    "R01375": "CNY", "R01500": "MDL", "R01535": "NOK", "R01565": "PLN", "R01585F": "RON",
    "R01625": "SGD", "R01670": "TJS", "R01700J": "TRY", "R01717": "UZS", "R01720": "UAH",
    "R01760": "CZK", "R01770": "SEK", "R01775": "CHF", "R01810": "ZAR", "R01815": "KRW",
    "R01820": "JPY",
}  # fmt: skip
"""The bank's own identifiers, which are all that XML_dynamic says of its currency."""


@dataclass(frozen=True)
class Cbr:
    """Reads XML_daily.asp and XML_dynamic.asp; `site` is the folder they lie in."""

    site: str = "https://www.cbr.ru/scripts/"
    name: str = "cbr"
    base: str = "RUB"
    longest_gap: int = 14  # no rates are set in the first days of January

    def addresses(self, wanted: Wanted) -> Sequence[str]:
        """Give a file for each day, or for many days one for each currency."""
        days = (wanted.last - wanted.first).days + 1
        idents = {code: ident for ident, code in CODES.items()}
        foreign = sorted(wanted.currencies - {self.base})
        if days <= SINGLE_DAYS or not idents.keys() >= set(foreign):
            return [self._daily(wanted.first + timedelta(day)) for day in range(days)]
        return [self._dynamic(idents[code], wanted) for code in foreign]

    def recognises(self, data: bytes) -> bool:
        """Tell whether the bank's root element stands near the beginning."""
        return b"<ValCurs" in data[:1000]

    def read(self, data: bytes, currencies: Collection[str]) -> Sequence[Sheet]:
        """Give the sheet of a daily file, or a sheet for each record of a dynamic one."""
        root = read_xml(data, EXPECTED)
        if root.tag != "ValCurs":
            raise SourceError("", f"a {root.tag} element: this is not {EXPECTED}", retry=False)
        if root.get("DateRange1") is not None:
            return self._records(root)
        on = read_date(root.get("Date"), DATE, "ValCurs Date")
        items = {item.findtext("CharCode", ""): item for item in root.findall("Valute")}
        if not items:
            raise SourceError("", f"no rates for {on}", retry=True)
        wanted = items.keys() & set(currencies)
        prices = {code: _price(items[code], f"{code} on {on}") for code in sorted(wanted)}
        return [Sheet(self.base, on, prices)]

    def _records(self, root: Element) -> Sequence[Sheet]:
        code = CODES.get(root.get("ID", "").strip())
        if code is None:
            raise SourceError("", f"an unknown currency {root.get('ID')!r}", retry=False)
        sheets = []
        for record in root.findall("Record"):
            on = read_date(record.get("Date"), DATE, "Record Date")
            sheets.append(Sheet(self.base, on, {code: _price(record, f"{code} on {on}")}))
        return sheets

    def _daily(self, on: date) -> str:
        return f"{self.site}XML_daily.asp?date_req={on.strftime(ASKED)}"

    def _dynamic(self, ident: str, wanted: Wanted) -> str:
        first, last = wanted.first.strftime(ASKED), wanted.last.strftime(ASKED)
        return f"{self.site}XML_dynamic.asp?date_req1={first}&date_req2={last}&VAL_NM_RQ={ident}"


def _price(item: Element, where: str) -> Fraction:
    """Give the price of one unit: Value is that of Nominal units."""
    value = number(item.findtext("Value"), where, comma=True)
    return value / number(item.findtext("Nominal"), f"Nominal of {where}")


SOURCE = Cbr
