"""Matching: money goes where the bank's words leave one answer, else to a person."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billclock.billing.payment_methods.references import creditor_reference
from billclock.billing.statements.base import StatementEntry
from billclock.billing.statements.matching import (
    Ambiguous,
    Matched,
    OpenRequest,
    Unmatched,
    match,
)

ADA, BOB = "DE89370400440532013000", "GB33BUKB20201555555555"


def entry(
    minor: int = 1000, text: str = "", *, reference: str = "", iban: str = "", party: str = "",
    currency: str = "EUR", reversal: bool = False,
) -> StatementEntry:  # fmt: skip
    return StatementEntry(
        "S-1", "", date(2026, 11, 20), minor, currency, party, iban, text, reference,
        reversal=reversal,
    )  # fmt: skip


def request(
    number: int, reference: str = "", minor: int = 1000, *, payer: str = "", iban: str = "",
    currency: str = "EUR",
) -> OpenRequest:  # fmt: skip
    return OpenRequest(number, reference or f"P-2026/{number}", minor, currency, payer, iban)


SEVEN, SEVENTY = request(7, "P-2026/7"), request(70, "P-2026/70", 5000)


@pytest.mark.parametrize(
    "text",
    [
        "P-2026/7", "p2026/7", "Invoice P-2026/7, thanks", "P 2026 7", "P-20 26/7",
        "Rechnung(P-2026/7)", "RE: P_2026_7",
    ],
)  # fmt: skip
def test_a_reference_is_found_however_the_bank_broke_it(text: str):
    (found,) = match([entry(1000, text)], [SEVEN, SEVENTY])
    assert isinstance(found, Matched)
    assert (found.requests, found.over) == ((SEVEN,), 0)


@pytest.mark.parametrize("text", ["P-2026/77", "XP-2026/7", "P-2026/7A", "2026/7", "", "thanks"])
def test_what_only_resembles_a_reference_is_not_one(text: str):
    (found,) = match([entry(1000, text)], [SEVEN, SEVENTY])
    assert isinstance(found, Unmatched)


def test_a_longer_reference_is_not_its_beginning():
    (found,) = match([entry(5000, "P-2026/7 0")], [SEVEN, SEVENTY])
    assert isinstance(found, Matched)
    assert found.requests == (SEVENTY,)


def test_a_creditor_reference_is_believed_with_right_check_digits_alone():
    right = creditor_reference("P-2026/7")
    wrong = f"RF{(int(right[2:4]) + 1) % 100:02}{right[4:]}"
    found, not_found = match([entry(reference=right), entry(reference=wrong)], [SEVEN])
    assert isinstance(found, Matched)
    assert isinstance(not_found, Unmatched)


@pytest.mark.parametrize(("minor", "over"), [(400, -600), (1000, 0), (1300, 300)])
def test_a_reference_takes_what_came_and_says_what_is_over(minor: int, over: int):
    (found,) = match([entry(minor, "P-2026/7")], [SEVEN])
    assert isinstance(found, Matched)
    assert found.over == over


def test_two_parts_pay_one_request_and_a_third_is_all_over():
    parts = match([entry(400, "P-2026/7"), entry(600, "P-2026/7"), entry(5, "P-2026/7")], [SEVEN])
    assert [p.over for p in parts if isinstance(p, Matched)] == [-600, 0, 5]


def test_a_reference_in_other_money_is_for_a_person():
    (found,) = match([entry(1000, "P-2026/7", currency="USD")], [SEVEN])
    assert isinstance(found, Ambiguous)
    assert "USD came in for a request in EUR" in found.why


def test_several_references_must_add_up():
    both, odd = match(
        [entry(6000, "P-2026/7 + P-2026/70"), entry(5999, "P-2026/7 and P-2026/70")],
        [SEVEN, SEVENTY],
    )
    assert isinstance(both, Matched)
    assert both.requests == (SEVEN, SEVENTY)
    assert isinstance(odd, Ambiguous)


def test_a_short_number_in_free_text_needs_the_amount():
    year = request(1, "2026")
    doubted, believed, field = match(
        [entry(999, "from May 2026"), entry(1000, "2026"), entry(999, reference="2026")], [year]
    )
    assert isinstance(doubted, Ambiguous)
    assert isinstance(believed, Matched)
    assert isinstance(field, Matched)


def test_an_account_and_the_amount_are_enough_once():
    known = request(1, payer="Ada", iban=ADA)
    first, second = match([entry(1000, iban=ADA), entry(1000, iban=ADA)], [known])
    assert isinstance(first, Matched)
    assert first.why == "its account and amount"
    assert isinstance(second, Unmatched)


def test_an_account_without_the_amount_or_with_two_of_it_is_for_a_person():
    two = [request(1, iban=ADA), request(2, iban=ADA)]
    same, other = match([entry(1000, iban=ADA), entry(7, iban=ADA)], two)
    for found in (same, other):
        assert isinstance(found, Ambiguous)
        assert len(found.requests) == 2


def test_a_name_is_never_enough():
    (found,) = match([entry(1000, party="ADA  BYRON")], [request(1, payer="Ada Byron", iban=BOB)])
    assert isinstance(found, Ambiguous)
    (found,) = match([entry(1001, party="ADA  BYRON")], [request(1, payer="Ada Byron")])
    assert isinstance(found, Unmatched)


def test_what_went_out_or_was_taken_back_pays_nothing():
    out, back = match([entry(-1000, "P-2026/7"), entry(1000, "P-2026/7", reversal=True)], [SEVEN])
    assert isinstance(out, Unmatched)
    assert isinstance(back, Unmatched)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_entry_has_one_match_and_money_goes_only_to_what_is_named(data: st.DataObject):
    numbers = data.draw(st.lists(st.integers(1, 300), min_size=1, max_size=12, unique=True))
    requests = [request(n, minor=n * 100, iban=ADA if n % 3 else "") for n in numbers]
    entries = [
        entry(
            data.draw(st.integers(-500, 30_000)),
            data.draw(st.sampled_from(["", "x", *(r.reference for r in requests)])),
            iban=data.draw(st.sampled_from(["", ADA, BOB])),
        )
        for _ in range(data.draw(st.integers(1, 8)))
    ]
    matches = match(entries, requests)
    assert [found.entry for found in matches] == entries
    for found in matches:
        if isinstance(found, Matched):
            assert found.entry.minor > 0
            for paid in found.requests:
                assert paid.reference == found.entry.text or paid.iban == found.entry.iban
