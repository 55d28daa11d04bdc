"""The European Central Bank's reference rates: how many units of each currency a euro buys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from billclock.billing.errors import SourceError
from billclock.billing.rates.base import Sheet, Wanted, number
from billclock.billing.rates.documents import read_date, read_xml

EXPECTED = "a file of the ECB's reference rates"
DAYS_OF_SHORT_HISTORY = 85  # "90 days" counts calendar days and begins some days late


@dataclass(frozen=True)
class Ecb:
    """Reads eurofxref-daily.xml, -hist-90d.xml and -hist.xml; `site` is the folder they lie in."""

    site: str = "https://www.ecb.europa.eu/stats/eurofxref/"
    name: str = "ecb"
    base: str = "EUR"
    longest_gap: int = 7  # Easter and Christmas close the bank for up to five days

    def addresses(self, wanted: Wanted) -> Sequence[str]:
        """Give the smallest file that reaches back to the first wanted day."""
        if wanted.first >= wanted.today:
            file = "eurofxref-daily.xml"
        elif (wanted.today - wanted.first).days <= DAYS_OF_SHORT_HISTORY:
            file = "eurofxref-hist-90d.xml"
        else:
            file = "eurofxref-hist.xml"
        return [self.site + file]

    def recognises(self, data: bytes) -> bool:
        """Tell whether the ECB's vocabulary is named near the beginning."""
        return b"eurofxref" in data[:1000]

    def read(self, data: bytes, currencies: Collection[str]) -> Sequence[Sheet]:
        """Give a sheet for each day of the file."""
        root = read_xml(data, EXPECTED)
        sheets = [self._sheet(day, currencies) for day in root.findall(".//{*}Cube[@time]")]
        if not sheets:
            raise SourceError("", f"no day with rates in it: this is not {EXPECTED}", retry=False)
        return sheets

    def _sheet(self, day: Element, currencies: Collection[str]) -> Sheet:
        on = read_date(day.get("time"), "%Y-%m-%d", "Cube time")
        quoted = {cube.get("currency", ""): cube.get("rate") for cube in day}
        if not quoted:
            raise SourceError("", f"the day {on} has no rates: the file is incomplete", retry=True)
        wanted = quoted.keys() & set(currencies)
        prices = {code: 1 / number(quoted[code], f"{code} on {on}") for code in sorted(wanted)}
        return Sheet(self.base, on, prices)


SOURCE = Ecb
