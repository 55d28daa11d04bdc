"""The known sources, and the sheets of a source for the wanted days."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any, cast

from billclock import plugins
from billclock.billing import rates
from billclock.billing.errors import SourceError
from billclock.billing.rates.base import RateSource, Sheet, Wanted
from billclock.billing.rates.fetching import USUAL, Limits, fetch, shown

GROUP = "billclock.rates"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rates come from: a kind of source with its own addresses, or one place, or both."""

    kind: RateSource | None
    place: str

    @property
    def longest_gap(self) -> int:
        """Give the most days without a new sheet before the source counts as stale."""
        return self.kind.longest_gap if self.kind else 14

    def __str__(self) -> str:
        name = self.kind.name if self.kind else ""
        return "@".join(part for part in (name, shown(self.place)) if part)


@cache
def kinds() -> Mapping[str, Callable[..., RateSource]]:
    """Give every kind of source by its name: this package's and those of installed plugins."""
    found: list[Any] = [
        module.SOURCE for module in plugins.modules(rates) if hasattr(module, "SOURCE")
    ]
    found += plugins.outside(GROUP)
    return {kind().name: cast("Callable[..., RateSource]", kind) for kind in found}


def origin(text: str) -> Origin:
    """Read `ecb`, `ecb@PLACE` or `PLACE`, an address or a path.

    A place that ends in `/` is a mirror: the folder in which the kind's usual files lie.
    """
    name, mark, place = text.strip().partition("@")
    if name in kinds():
        kind = kinds()[name]
        if place.endswith("/") and hasattr(kind(), "site"):
            return Origin(kind(site=place), "")
        return Origin(kind(), place)
    if not mark and "/" not in text:
        raise SourceError(
            text, "no such source", retry=False,
            mend=f"give one of {', '.join(kinds())}, an address or a path",
        )  # fmt: skip
    return Origin(None, text.strip())


def told(text: str) -> str:
    """Give a source as those see it who may not change it: an address without what is secret."""
    name, mark, place = text.partition("@")
    return f"{name}{mark}{shown(place)}" if name in kinds() else shown(text)


def gather(source: Origin, wanted: Wanted, limits: Limits = USUAL) -> Sequence[Sheet]:
    """Fetch and read what holds the wanted days; give one sheet a day, oldest first.

    Raise SourceError where any of the documents is missing or wrong: a part is not stored.
    """
    sheets: dict[tuple[str, date], dict[str, Fraction]] = {}
    for sheet in _sheets(source, wanted, limits):
        sheets.setdefault((sheet.base, sheet.on), {}).update(sheet.prices)
    merged = [Sheet(base, on, prices) for (base, on), prices in sheets.items()]
    return sorted(merged, key=lambda sheet: sheet.on)


def _sheets(source: Origin, wanted: Wanted, limits: Limits) -> Iterator[Sheet]:
    places = [source.place] if source.place or not source.kind else source.kind.addresses(wanted)
    for place in places:
        data = fetch(place, limits)
        try:
            yield from _kind(source, data).read(data, wanted.currencies)
        except SourceError as error:
            raise SourceError(shown(place), error.reason, retry=error.retry) from None


def _kind(source: Origin, data: bytes) -> RateSource:
    if source.kind:
        return source.kind
    for make in kinds().values():
        kind = make()
        if kind.recognises(data):
            return kind
    begins = data[:40].decode("utf-8", "replace")
    raise SourceError("", f"no known format of rates, it begins {begins!r}", retry=False)
