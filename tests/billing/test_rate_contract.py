"""What every source of rates keeps to, whatever bytes it is given."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billclock.billing.errors import SourceError
from billclock.billing.rates.base import Sheet
from billclock.billing.rates.sources import kinds
from tests.billing.bank import CBR_DAILY, DAILY, FILES

REAL = {"ecb": DAILY, "cbr": CBR_DAILY, "json": (FILES / "rates.json").read_bytes()}
CODES = frozenset({"USD", "EUR", "GBP"})


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Cut a piece out of a file and put another in its place."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 40)))
    return data[:start] + draw(st.binary(max_size=20)) + data[end:]


def read(kind: str, data: bytes) -> Sequence[Sheet]:
    try:
        return kinds()[kind]().read(data, CODES)
    except SourceError:
        return []


@pytest.mark.parametrize("kind", REAL)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_sheets_or_a_source_error(kind: str, data: st.DataObject):
    for sheet in read(kind, data.draw(damaged(REAL[kind]))):
        assert all(price > 0 for price in sheet.prices.values())
        assert set(sheet.prices) <= CODES


@pytest.mark.parametrize("kind", REAL)
@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_source_error(kind: str, data: bytes):
    assert read(kind, data) == []


def test_each_kind_knows_its_own_file_and_no_other():
    assert set(kinds()) == set(REAL)
    for name, make in kinds().items():
        assert [other for other, data in REAL.items() if make().recognises(data)] == [name]
