"""Whole numbers as anybody may send them: too long, too large, of other scripts, none at all."""

from collections.abc import Callable

import pytest
from django.test import Client

from billclock.web.numbers import LARGEST, whole, wholes

ENDLESS = "9" * 5000  # longer than Python turns into a number
ADDRESSES = (
    "/audit?before={}",
    "/charges?product={}",
    "/crontab/versions?before={}",
    "/go/choices?job={}",
    "/problems?entry={}",
    "/runs?entry={}",
    "/runs?before={}~0",
    "/runs?exit={}",
    "/services?product={}",
    "/services?cycle={}",
    "/services?stopped={}",
    "/services?q=%23{}",
    "/settings?days={}",
    "/timeline?page={}",
    "/?page={}",
    "/?entry={}",
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        (str(LARGEST), LARGEST),
        ("0" * 5000 + "7", 7),
        (str(LARGEST + 1), None),
        (ENDLESS, None),
        ("-1", None),
        ("1.0", None),
        ("٣", None),
        ("²", None),
        (" 1", None),
        ("", None),
    ],
)
def test_what_is_no_number_of_a_database_is_none(text: str, number: int | None) -> None:
    assert whole(text) == number


def test_of_several_each_is_taken_once_and_in_its_order() -> None:
    assert wholes(["2", "x", "1", "02", ENDLESS]) == [2, 1]


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_an_address_with_a_number_beyond_all_is_answered(signed_in: Callable[..., Client]) -> None:
    client = signed_in()
    told = {
        address.format(text[:20]): client.get(address.format(text)).status_code
        for address in ADDRESSES
        for text in (ENDLESS, str(LARGEST + 1), "٣")
    }
    assert {address: status for address, status in told.items() if status not in (200, 404)} == {}
