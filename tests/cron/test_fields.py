"""One field's text as its values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron.fields import DAY, FIELDS, HOUR, MINUTE, MONTH, WEEKDAY, days_of, longest

from .strategies import BOUNDS, fields


def values(mask):
    return [value for value in range(mask.bit_length()) if mask >> value & 1]


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        (MINUTE, "5", [5]),
        (MINUTE, "05", [5]),
        (MINUTE, "1,3,2", [1, 2, 3]),
        (MINUTE, "*/20", [0, 20, 40]),
        (MINUTE, "*/90", [0]),
        (MINUTE, "10-30/10", [10, 20, 30]),
        (MINUTE, "5-5", [5]),
        (MINUTE, "17-17/3", [17]),
        (HOUR, "0-23/2", list(range(0, 24, 2))),
        (DAY, "*", list(range(1, 32))),
        (DAY, "*/10", [1, 11, 21, 31]),
        (MONTH, "jan-mar,DEC", [1, 2, 3, 12]),
        (MONTH, "oct-12", [10, 11, 12]),
        (WEEKDAY, "7", [0]),
        (WEEKDAY, "5-7", [0, 5, 6]),
        (WEEKDAY, "Sun", [0]),
        (WEEKDAY, "mon-FRI", [1, 2, 3, 4, 5]),
        (WEEKDAY, "*/7", [0]),
        (WEEKDAY, "0-7", list(range(7))),
    ],
)
def test_a_text_stands_for_its_values(field, text, expected):
    assert values(field.values(text)) == expected


@pytest.mark.parametrize("text", ["", ",", "1,", "60", "-1", "1-", "*/0", "5/2", "9-1", "x", "1.5"])
def test_a_text_that_is_no_field_has_no_values(text):
    assert MINUTE.values(text) == 0


def test_names_belong_to_their_own_field():
    assert MONTH.values("mon") == 0
    assert WEEKDAY.values("jan") == 0
    assert HOUR.values("mon") == 0


def test_digits_of_other_scripts_are_no_numbers():
    assert MINUTE.values("٣") == 0


def test_a_number_of_any_length_is_read():
    assert MINUTE.values("9" * 10_000) == 0
    assert MINUTE.values("0" * 10_000 + "7") == 1 << 7
    assert MINUTE.values("*/" + "9" * 10_000) == 1


@given(st.data())
def test_a_list_is_the_union_of_its_items(data):
    i = data.draw(st.integers(0, 4))
    one, other = (data.draw(fields(*BOUNDS[i])) for _ in range(2))
    field = FIELDS[i]
    assert field.values(f"{one},{other}") == field.values(one) | field.values(other)
    assert field.remembered(one) == field.values(one) != 0


def test_the_longest_of_some_months():
    assert longest(MONTH.values("2")) == 29
    assert longest(MONTH.values("2,4")) == 30
    assert longest(MONTH.values("*")) == 31
    assert values(days_of(29)) == list(range(1, 30))
