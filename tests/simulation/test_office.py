"""What the demonstration's people do on a day, where what they find is out of the ordinary."""

from __future__ import annotations

import pytest

from billclock import clock
from billclock.billing import invoicing
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.simulation import office
from tests.billing.charged import charge, reverse
from tests.billing.company import TODAY, House, noon

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


def test_a_draft_whose_charge_was_taken_back_is_cancelled() -> None:
    with clock.at(noon(TODAY)):
        house = House()
        account = house.account(kind=Account.Kind.POSTPAID)
        one = charge(house, account, 10_00)
        draft = invoicing.draft(account, house.company, [one], key="asked")
        reverse(one)
        office.issue_drafts(house.provider, TODAY)
    draft.refresh_from_db()
    assert draft.state == Invoice.State.CANCELLED
