"""Bank transfer tells where to pay and what to name, and reaches nothing."""

from pathlib import Path

import pytest
from stdnum import iso11649

from billclock.billing.configuration import Surroundings
from billclock.billing.errors import GatewayError, NotOfferedError
from billclock.billing.payment_methods.base import Instructions, PaymentMethod, State
from billclock.billing.payment_methods.offered import make
from billclock.billing.payment_methods.references import creditor_reference
from tests.contracts.paying import Clock, order

ACCOUNT = {"beneficiary": "Host Ltd", "account": "DE89370400440532013000", "bic": "COBADEFFXXX"}


def method(folder: Path, **settings: str) -> PaymentMethod:
    return make("bank_transfer", {**ACCOUNT, **settings}, Surroundings(Clock(), folder))


def test_instructions_name_the_account_and_the_reference(tmp_path: Path):
    told = method(tmp_path).start(order(reference="P-2026/17"))
    assert told == Instructions(
        "P-2026/17",
        (
            ("beneficiary", "Host Ltd"),
            ("account", "DE89370400440532013000"),
            ("bic", "COBADEFFXXX"),
            ("reference", "P-2026/17"),
        ),
    )


def test_a_reference_may_have_check_digits(tmp_path: Path):
    told = method(tmp_path, reference="rf").start(order(reference="P-2026/17"))
    assert isinstance(told, Instructions)
    assert iso11649.is_valid(told.reference)
    assert told.reference.endswith("P202617")


@pytest.mark.parametrize("text", ["", "---", "1" * 22])
def test_what_has_no_creditor_reference_is_refused(text: str, tmp_path: Path):
    with pytest.raises(ValueError, match="letters and digits"):
        creditor_reference(text)
    with pytest.raises(GatewayError):
        method(tmp_path, reference="rf").start(order("-" * 9, reference=text or "-"))


def test_other_currencies_are_refused(tmp_path: Path):
    euros = method(tmp_path, currencies="eur, czk")
    assert euros.features.currencies == {"EUR", "CZK"}
    euros.start(order(currency="CZK"))
    with pytest.raises(NotOfferedError, match="USD"):
        euros.start(order(currency="USD"))


def test_what_it_is_asked_about_is_pending(tmp_path: Path):
    assert method(tmp_path).ask(order()).state is State.PENDING
