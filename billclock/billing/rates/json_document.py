"""Rates in JSON: a base and how many units of each currency it buys, for a day or for several."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billclock.billing.errors import SourceError
from billclock.billing.rates.base import LONGEST_NUMBER, Sheet, Wanted, number
from billclock.billing.rates.documents import read_date

EXPECTED = '{"base": "EUR", "date": "2026-11-20", "rates": {"USD": 1.0842}}'


@dataclass(frozen=True)
class Json:
    """Reads {base, date, rates: {code: units}} and {base, rates: {date: {code: units}}}."""

    name: str = "json"
    base: str = ""
    longest_gap: int = 14

    def addresses(self, wanted: Wanted) -> Sequence[str]:
        """Refuse: rates in JSON have no usual address."""
        del wanted
        raise SourceError(
            self.name, "it has no address of its own", retry=False, mend="give source=json@ADDRESS"
        )

    def recognises(self, data: bytes) -> bool:
        """Tell whether a JSON object begins."""
        return data.lstrip()[:1] == b"{"

    def read(self, data: bytes, currencies: Collection[str]) -> Sequence[Sheet]:
        """Give the sheets of the document's day or days."""
        document = _parsed(data)
        base, rates = document.get("base"), document.get("rates")
        if not isinstance(base, str) or not isinstance(rates, dict) or not rates:
            raise SourceError("", f"no base and rates in it, such as {EXPECTED}", retry=False)
        if all(isinstance(value, dict) for value in rates.values()):
            return [_sheet(base, day, of_day, currencies) for day, of_day in rates.items()]
        return [_sheet(base, document.get("date"), rates, currencies)]


def _parsed(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise SourceError("", f"not JSON: {error}", retry=True) from None
    if not isinstance(document, dict):
        raise SourceError("", f"not an object such as {EXPECTED}", retry=False)
    return document


def _sheet(
    base: str, day: object, rates: Mapping[str, object], currencies: Collection[str]
) -> Sheet:
    on = read_date(day if isinstance(day, str) else None, "%Y-%m-%d", "date")
    wanted = rates.keys() & set(currencies)
    prices = {code: 1 / number(_written(rates[code]), f"{code} on {on}") for code in sorted(wanted)}
    return Sheet(base, on, prices)


def _written(units: object) -> str:
    """Write a number out in full where it is one of a rate's size, anything else as it is."""
    if isinstance(units, Decimal) and units.is_finite() and abs(units.adjusted()) < LONGEST_NUMBER:
        return f"{units:f}"
    return str(units)


SOURCE = Json
