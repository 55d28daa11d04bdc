"""The company that tests are made with keeps books that agree, and bills, on both engines."""

import pytest

from billclock.billing.daily.run import Plan, bill
from tests.billing.company import TODAY, House, assert_books_agree, balance

pytestmark = pytest.mark.usefixtures("engine")


def test_a_service_of_the_company_is_billed():
    house = House()
    account = house.account(50_00)
    service = house.service(account, "monthly")
    figures = bill(house.provider, TODAY, Plan())
    assert figures.counts["renewed"] == 1
    assert balance(account) == 50_00 - 11_90
    service.refresh_from_db()
    assert str(service.paid_until) == "2026-12-20"
    assert_books_agree()


@pytest.mark.parametrize(
    ("product", "cost"), [("calendar", 1309), ("daily", 119), ("hourly", 29), ("monthly", 1190)]
)
def test_each_cycle_has_its_price(product: str, cost: int):
    house = House()
    account = house.account(500_00)
    house.service(account, product)
    bill(house.provider, TODAY, Plan())
    assert balance(account) == 500_00 - cost
    assert_books_agree()
