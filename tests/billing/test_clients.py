"""Clients, their people and payers, groups and accounts: what may be said of them, what follows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from billclock import clock
from billclock.billing import currencies, payers, registering, terms
from billclock.billing.clients import Account, Client, Contact
from billclock.billing.errors import BillingError, DetailsError
from billclock.billing.ledger import UNLIMITED, LedgerAccount
from billclock.billing.letters import readers
from billclock.billing.notice_kinds import INVOICE, RENEWED
from billclock.billing.payers import tax_of
from billclock.billing.terms import Terms
from tests.billing.company import TODAY, House, assert_books_agree, balance

pytestmark = pytest.mark.django_db
COMPANY = Client.Kind.COMPANY


@pytest.fixture
def house() -> House:
    return House()


def faults(caught: pytest.ExceptionInfo[DetailsError]) -> Mapping[str, str]:
    return caught.value.faults


def taxed(account: Account) -> tuple[str, bool]:
    return Account.objects.values_list("tax_area", "reverse_charge").get(pk=account.pk)


def test_a_client_gets_the_next_free_number(house: House) -> None:
    first = registering.register(name=" Ada Byron ", country="DE", on=TODAY)
    assert (first.name, first.registered_on, first.number) == ("Ada Byron", TODAY, f"C{first.pk}")
    Client.objects.filter(pk=first.pk).update(number=f"C{first.pk + 1}")
    assert registering.register(name="Bob", on=TODAY).number == f"C{first.pk + 2}"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"number": "C 1"}, "number"),
        ({"number": "<script>"}, "number"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"country": "XX"}, "country"),
        ({"kind": 9}, "kind"),
    ],
)
def test_what_no_client_can_be_is_told_by_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(DetailsError) as caught:
        registering.register(**{"name": "Ada", "on": TODAY, **given})
    assert list(faults(caught)) == [field]
    assert not Client.objects.exists()


def test_a_number_is_given_once() -> None:
    registering.register(name="Ada", number="7", on=TODAY)
    with pytest.raises(DetailsError) as caught:
        registering.register(name="Bob", number="7", on=TODAY)
    assert list(faults(caught)) == ["number"]


def test_another_country_is_another_tax(house: House) -> None:
    account = house.account()
    registering.change(account.client, country="FR")
    account.refresh_from_db()
    assert (account.tax_area, account.reverse_charge) == ("FR", False)


def test_a_client_with_services_or_money_is_not_closed(house: House) -> None:
    account = house.account(500)
    service = house.service(account)
    with pytest.raises(BillingError, match=service.number):
        registering.close(account.client)
    service.status = 4
    service.save()
    with pytest.raises(BillingError, match=r"5\.00"):
        registering.close(account.client)
    house.pay(account, -500)
    assert registering.close(account.client).closed
    with pytest.raises(BillingError, match="is closed"):
        terms.open_account(account.client, house.company, account.currency, Terms())
    assert not registering.reopen(account.client).closed
    assert_books_agree()


@pytest.mark.parametrize(
    ("phone", "country", "kept"),
    [
        ("030 901820", "DE", "+4930901820"),
        ("+44 20 7946 0018", "DE", "+442079460018"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("030 901820", "", None),
        ("12", "DE", None),
        ("+49 <b>", "DE", None),
    ],
)
def test_a_phone_is_kept_as_the_world_dials_it(phone: str, country: str, kept: str | None) -> None:
    assert registering.e164(phone, country) == kept


def test_a_contact_needs_a_way_to_be_reached(house: House) -> None:
    client = house.client()
    with pytest.raises(DetailsError) as caught:
        registering.add_contact(client, name="Eve", sms=True, language="tlh")
    assert set(faults(caught)) == {"email", "sms", "language"}
    with pytest.raises(DetailsError) as caught:
        registering.add_contact(client, email="eve@", phone="1")
    assert set(faults(caught)) == {"email", "phone"}


def test_another_phone_is_not_verified(house: House) -> None:
    contact = registering.add_contact(house.client(), name="Eve", phone="030 901820")
    Contact.objects.filter(pk=contact.pk).update(phone_verified_at=datetime(2026, 1, 1, tzinfo=UTC))
    kept = registering.change_contact(contact, phone="+49 30 901820", name="Eva")
    assert kept.phone_verified_at is not None
    assert registering.change_contact(contact, phone="030 901821").phone_verified_at is None


def test_a_contact_chooses_his_letters(house: House) -> None:
    contact = registering.add_contact(house.client(), email="eve@example.com", letters=[])
    assert registering.wanted(contact) == []
    registering.change_contact(contact, letters=["renewed", "invoice", "nothing"])
    assert registering.wanted(contact) == ["renewed"]
    assert readers.subscribed(contact, RENEWED)
    assert readers.subscribed(contact, INVOICE)  # nobody can switch these off
    assert "finance_weekly" not in registering.wanted(
        registering.add_contact(contact.client, email="bob@example.com")
    )
    registering.remove_contact(contact)
    assert not Contact.objects.filter(pk=contact.pk).exists()


def test_a_group_has_a_name_of_its_own_and_goes_when_it_is_empty(house: House) -> None:
    group = registering.make_group(house.provider, name="Partners")
    with pytest.raises(DetailsError) as caught:
        registering.make_group(house.provider, name="Partners ")
    assert list(faults(caught)) == ["name"]
    assert registering.change_group(group, name="Partners", never_suspended=True).never_suspended
    account = house.account(group=group)
    with pytest.raises(BillingError, match="has 1 accounts"):
        registering.delete_group(group)
    terms.change(account, Terms())
    registering.delete_group(group)


@pytest.mark.parametrize(
    ("country", "number", "kept"),
    [
        ("FR", "FR 40 303 265 045", "FR40303265045"),
        ("DE", "136695976", "136695976"),
        ("GR", "EL 094259216", "EL094259216"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("US", "12-3456789", "12-3456789"),
    ],
)
def test_a_tax_number_is_read_by_its_country(
    house: House, country: str, number: str, kept: str
) -> None:
    payer = payers.add(house.client(), name="X", kind=COMPANY, country=country, tax_number=number)
    assert (payer.tax_number, payer.tax_number_checked_at) == (kept, None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"country": "FR", "tax_number": "FR41303265045"}, "tax_number"),
        ({"tax_number": "FR40303265045"}, "country"),
        ({"country": "XX"}, "country"),
        ({"iban": "DE00500105170648489890"}, "iban"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_payer_is_told_by_field(house: House, given: dict[str, Any], field: str) -> None:
    with pytest.raises(DetailsError) as caught:
        payers.add(house.client(), **{"name": "X", "kind": COMPANY, **given})
    assert list(faults(caught)) == [field]


def test_only_a_confirmed_number_of_another_country_turns_the_tax_over(house: House) -> None:
    account = house.account()
    payer = payers.add(
        account.client, name="Nord", kind=COMPANY, country="FR", tax_number="FR40303265045"
    )
    terms.change(account, Terms(payer=payer))
    assert taxed(account) == ("FR", False)
    with clock.at(datetime(2026, 11, 20, tzinfo=UTC)):
        payers.confirm(payer)
    assert taxed(account) == ("FR", True)
    assert payers.change(payer, address="Paris").tax_number_checked_at is not None
    assert payers.change(payer, tax_number="FR 83404833048").tax_number_checked_at is None
    assert taxed(account) == ("FR", False)
    payers.confirm(payer)
    assert tax_of(house.company, account.client, payers.change(payer, kind=1)) == ("FR", False)
    with pytest.raises(BillingError, match="no tax number"):
        payers.confirm(payers.change(payer, tax_number=""))


def test_a_confirmed_number_of_the_same_country_changes_nothing(house: House) -> None:
    payer = payers.add(
        house.client(), name="Nord", kind=COMPANY, country="DE", tax_number="DE136695976"
    )
    assert tax_of(house.company, payer.client, payers.confirm(payer)) == ("DE", False)


@pytest.mark.parametrize(
    ("kind", "limit", "floor"),
    [
        (Account.Kind.PREPAID, 0, 0),
        (Account.Kind.CREDIT, 2000, -2000),
        (Account.Kind.POSTPAID, 0, UNLIMITED),
    ],
)
def test_an_account_is_opened_with_its_floor(
    house: House, kind: Account.Kind, limit: int, floor: int
) -> None:
    client, money = house.client(), house.provider.currency
    account = terms.open_account(client, house.company, money, Terms(kind=kind, limit=limit))
    assert account.number.startswith("A")
    assert (account.funds.floor_minor, account.funds.owner) == (floor, account.number)
    assert terms.terms_of(account) == Terms(kind=kind, limit=limit)
    with pytest.raises(DetailsError) as caught:
        terms.open_account(client, house.company, money, Terms(), number=account.number)
    assert set(faults(caught)) == {"number", "currency"}


def test_an_account_in_a_currency_that_is_not_used_is_refused(house: House) -> None:
    krone = currencies.describe(currencies.find("SEK"), symbol="", panel_id=None, active=False)
    with pytest.raises(DetailsError) as caught:
        terms.open_account(house.client(), house.company, krone, Terms())
    assert list(faults(caught)) == ["currency"]
    assert not LedgerAccount.objects.filter(currency="SEK").exists()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Terms(kind=Account.Kind.CREDIT), "limit"),
        (Terms(kind=Account.Kind.CREDIT, limit=-5), "limit"),
        (Terms(limit=5), "limit"),
        (Terms(credit_due_days=-1), "credit_due_days"),
        (Terms(autopay_most=5), "autopay_most"),
    ],
)
def test_terms_that_cannot_be_are_told_by_field(house: House, asked: Terms, field: str) -> None:
    account = house.account()
    with pytest.raises(DetailsError) as caught:
        terms.change(account, asked)
    assert list(faults(caught)) == [field]
    assert terms.terms_of(account) == Terms()


def test_payer_and_group_are_the_clients_and_the_providers(house: House) -> None:
    other = House(code="other", tax_ppm=0)
    payer = payers.add(house.client(), name="Somebody else")
    group = registering.make_group(other.provider, name="Others")
    with pytest.raises(DetailsError) as caught:
        terms.change(house.account(), Terms(payer=payer, group=group))
    assert set(faults(caught)) == {"payer", "group"}


def test_a_limit_moves_the_floor_and_leaves_the_money(house: House) -> None:
    account = house.account(700)
    terms.change(account, Terms(kind=Account.Kind.CREDIT, limit=5000, credit_due_days=14))
    held = LedgerAccount.objects.get(pk=account.pk)
    assert (held.floor_minor, held.balance_minor) == (-5000, 700)
    Account.objects.filter(pk=account.pk).update(credit_blocked=True)
    back = terms.change(account, Terms())
    assert (back.credit_blocked, back.credit_due_days, balance(back)) == (False, 30, 700)
    assert_books_agree()
