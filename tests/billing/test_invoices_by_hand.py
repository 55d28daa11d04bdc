"""Requests to pay by hand: the sum that was typed, with the tax that the account pays in it."""

from __future__ import annotations

import pytest

from billclock.billing import invoicing, money
from billclock.billing.provider import Company
from tests.billing.company import TODAY, House

pytestmark = pytest.mark.django_db
PPM = 210_000


@pytest.mark.parametrize("gross", [False, True])
@pytest.mark.parametrize("by_line", [False, True])
def test_what_is_asked_for_is_the_whole_sum_whatever_price_lists_are(gross, by_line):
    house = House(tax_ppm=PPM)
    Company.objects.update(prices_gross=gross, tax_by_line=by_line)
    account = house.account()
    account.company.refresh_from_db()
    for whole in (1, 3, 7, 50, 99, 10_00, 12_34, 99_99, 1_000_01):
        line = invoicing.line_by_hand(account, "Setting up", whole, TODAY)
        made = invoicing.request_payment(account, [line], key=f"{whole}", on=TODAY, gross=True)
        (row,) = made.lines.all()
        assert made.net_minor + made.tax_minor == row.net_minor + row.tax_minor == whole
        assert row.tax_minor == money.tax_in_gross(whole, PPM)
        assert (row.tax_ppm, row.tax_area) == (PPM, "DE")


def test_who_owes_the_tax_himself_is_asked_for_none():
    account = House().account()
    account.reverse_charge = True
    line = invoicing.line_by_hand(account, "Setting up", 10_00, TODAY)
    assert (line.net_minor, line.tax_minor, line.tax_ppm) == (10_00, 0, 0)
