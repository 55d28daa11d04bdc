"""Bank statements through the books: each entry once, credited or left to a person."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from billclock import clock
from billclock.billing import banking, closing, invoicing, paying
from billclock.billing.clients import Account, Payer
from billclock.billing.errors import BillingError, StatementError
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Transfer
from billclock.billing.payments import BankEntry, Payment, PaymentMethod
from billclock.billing.services import Task
from billclock.billing.verifying import breaches
from tests.billing.charged import charge
from tests.billing.company import House, balance
from tests.billing.statements import DEBIT, camt, details, document, entry, statement
from tests.billing.tills import bank

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADA = "DE89370400440532013000"
LAYOUT = "date=Datum; amount=Betrag; of_currency=EUR; party=Name; text=Zweck"


@pytest.fixture(autouse=True)
def _books_agree(engine, settings, tmp_path):
    settings.HOME = tmp_path
    with clock.at(NOON):
        yield
        assert not list(breaches())


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def method(house: House) -> PaymentMethod:
    return bank(house)


@pytest.fixture
def account(house: House) -> Account:
    account = house.account()
    account.payer = Payer.objects.create(client=account.client, name="Ada Byron", iban=ADA)
    account.save()
    return account


def asked(account: Account, method: PaymentMethod, minor: int = 12_50, key: str = "p1") -> Payment:
    return paying.request(account, method, minor, key=key)


def invoice(account: Account, minor: int, number: str = "R-2026-17", **given) -> Invoice:
    facts = {
        "key": number, "company": account.company, "account": account, "currency": "EUR",
        "net_minor": minor,
    }  # fmt: skip
    made = Invoice.objects.create(**facts)
    made.lines.create(position=1, text="hosting", net_minor=minor)
    issued = {"number": number, "issued_on": date(2026, 11, 1), "state": Invoice.State.ISSUED}
    Invoice.objects.filter(pk=made.pk).update(**{**issued, **given})
    return Invoice.objects.get(pk=made.pk)


def took(method: PaymentMethod, *entries: str) -> banking.Imported:
    return banking.import_statement(method, camt(*entries))


def why(done: banking.Imported) -> str:
    """Give why the one entry of an import waits, as its task says too."""
    (waiting,) = done.waiting
    task = Task.objects.get(kind="bank", done_at=None)
    assert waiting.why[:80] in task.subject + task.text
    assert not done.credited
    return waiting.why


def test_a_named_payment_is_credited_once_however_often_the_file_comes(method, account):
    payment = asked(account, method)
    file = camt(entry("12.50", details(f"Invoice {payment.number}")))
    done = banking.import_statement(method, file)
    assert [e.payment for e in done.credited] == [payment]
    assert done.sums == {"EUR": 12_50}
    again = banking.import_statement(method, file)
    assert (again.known, again.credited) == (1, [])
    assert balance(account) == 12_50
    payment.refresh_from_db()
    assert payment.state == Payment.State.CREDITED


def test_an_rf_reference_names_a_payment_too(method, account):
    method.settings["reference"] = "rf"
    method.save()
    payment = asked(account, method)
    told = paying.start(payment, "")
    done = took(method, entry("12.50", details(structured=told.reference)))
    assert done.credited[0].payment == payment


@pytest.mark.parametrize("amount", ["10.00", "15.00"])
def test_what_came_is_on_the_account_whatever_was_asked_for(method, account, amount: str):
    payment = asked(account, method)
    took(method, entry(amount, details(payment.number)))
    assert balance(account) == int(amount[:2]) * 100


def test_who_pays_twice_has_it_on_his_account(method, account):
    payment = asked(account, method)
    took(method, entry("12.50", details(payment.number)))
    took(method, entry("12.50", details(payment.number), reference="B-2", on="2026-11-21"))
    assert balance(account) == 25_00
    assert Payment.objects.filter(state=Payment.State.CREDITED).count() == 2


def test_two_payments_named_at_once_are_each_paid(method, account):
    first, second = asked(account, method), asked(account, method, 7_50, "p2")
    took(method, entry("20.00", details(f"{first.number} and {second.number}")))
    assert balance(account) == 20_00
    assert Payment.objects.filter(state=Payment.State.CREDITED).count() == 2
    assert sorted(Payment.objects.values_list("amount_minor", flat=True)) == [7_50, 12_50]


def test_the_payers_account_and_the_amount_are_enough(method, account):
    payment = asked(account, method)
    done = took(method, entry("12.50", details("thanks", iban=ADA)))
    assert done.credited[0].payment == payment


def test_an_invoice_is_paid_by_its_number_and_marked(method, account):
    due = invoice(account, 12_50)
    done = took(method, entry("12.50", details("Rechnung R-2026-17")))
    due.refresh_from_db()
    assert due.paid_on == NOON.date()
    assert done.credited[0].payment.invoice == due


def test_a_closed_invoice_is_paid_too_by_what_is_left_of_it(house, method, account):
    house.pay(account, 1_90)
    made = invoicing.draft(account, house.company, [charge(house, account, 10_00)], key="k")
    due = closing.close(invoicing.issue(made, NOON.date()))
    done = took(method, entry("10.00", details("", iban=ADA)))
    assert done.credited[0].payment.invoice == due


def test_an_invoice_that_waits_for_a_payment_is_paid_by_that(method, account):
    due = invoice(account, 12_50)
    payment = paying.request(account, method, 12_50, key="p1", invoice=due)
    done = took(method, entry("12.50", details("", iban=ADA)))
    assert done.credited[0].payment == payment
    due2 = invoice(account, 3_00, "R-2026-18")
    other = paying.request(account, method, 3_00, key="p2", invoice=due2)
    done = took(method, entry("3.00", details("R-2026-18"), reference="B-9"))
    assert done.credited[0].payment == other


def test_money_pays_the_oldest_invoice_first(house, method, account):
    house.pay(account, -30_00)
    old = invoice(account, 10_00, "R-1000", issued_on=date(2026, 9, 1))
    new = invoice(account, 20_00, "R-2000")
    took(method, entry("10.00", details("R-2000")))
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.paid_on, new.paid_on) == (NOON.date(), None)


def test_an_accounts_number_in_the_text_is_enough_and_renews_what_waits(house, method, account):
    on = NOON.date()
    waiting = house.service(account, paid_until=on, unfunded_since=on)
    done = took(method, entry("12.50", details(f"top up {account.number}")))
    assert done.credited[0].payment.account == account
    waiting.refresh_from_db()
    assert waiting.paid_until > on


def test_a_batch_pays_each_of_its_parts(house, method, account):
    other = house.account()
    parts = (details(account.number, amount="5.00"), details(other.number, amount="7.50"))
    took(method, entry("12.50", *parts))
    assert (balance(account), balance(other)) == (5_00, 7_50)


def test_what_nothing_fits_waits(method, account):
    assert "no open request" in why(took(method, entry("12.50", details("hello"))))


def test_only_a_name_is_not_enough(method, account):
    asked(account, method)
    assert "only the payer" in why(took(method, entry("12.50", details("", name="Ada Byron"))))


def test_two_requests_of_an_amount_are_a_choice(method, account):
    asked(account, method)
    asked(account, method, key="p2")
    assert "several requests" in why(took(method, entry("12.50", details("", iban=ADA))))


def test_another_currency_is_a_choice(method, account):
    number = asked(account, method).number
    done = took(method, entry("12.50", details(number, currency="USD"), currency="USD"))
    assert "USD came in" in why(done)
    with pytest.raises(BillingError, match="in USD"):
        banking.assign(done.waiting[0], account, by="anna")


def test_a_payment_of_another_method_or_provider_is_not_found(house, method, account):
    stranger = House("beta")
    numbers = (asked(account, bank(house, code="other")).number, stranger.account().number)
    for place, number in enumerate(numbers):
        took(method, entry("12.50", details(number), reference=f"B-{place}"))
    assert balance(account) == 0
    assert Task.objects.filter(kind="bank").count() == 2


def test_what_went_out_is_kept_and_no_work(method, account):
    done = took(method, entry("12.50", details(f"fee {account.number}"), sign=DEBIT))
    assert len(done.out) == 1
    assert BankEntry.objects.get().amount_minor == -12_50
    assert not Task.objects.exists()


def test_what_is_taken_back_waits_and_leaves_the_account_when_assigned(method, account):
    payment = asked(account, method)
    took(method, entry("12.50", details(payment.number)))
    back = entry(
        "12.50", details(payment.number), sign=DEBIT, reference="B-2",
        reversal="<RvslInd>true</RvslInd>",
    )  # fmt: skip
    done = took(method, back)
    assert "takes an earlier movement back" in why(done)
    with pytest.raises(BillingError, match="assign it to the payment"):
        banking.assign(done.waiting[0], account, by="anna")
    banking.assign(done.waiting[0], payment, by="anna")
    payment.refresh_from_db()
    assert (payment.state, balance(account)) == (Payment.State.RETURNED, 0)
    assert not Task.objects.filter(done_at=None).exists()


def test_a_person_assigns_an_entry_once(method, account):
    done = took(method, entry("12.50", details("hello")))
    (waiting,) = banking.waiting(method)
    assert waiting == done.waiting[0]
    payment = banking.assign(waiting, account, by="anna@example.net")
    assert balance(account) == 12_50
    with pytest.raises(BillingError, match=payment.number):
        banking.assign(waiting, account, by="bert@example.net")
    with pytest.raises(BillingError, match=payment.number):
        banking.set_aside(waiting, "ours", by="bert@example.net")
    task = Task.objects.get()
    assert (task.done_by, banking.waiting(method)) == ("anna@example.net", [])


def test_a_person_assigns_an_entry_to_a_payment_or_an_invoice(method, account):
    took(method, entry("12.50", details("a")), entry("7.00", details("b"), reference="B-2"))
    payment, due = asked(account, method), invoice(account, 7_00)
    first, second = banking.waiting(method)
    assert banking.assign(first, payment, by="anna") == payment
    assert banking.assign(second, due, by="anna").invoice == due
    assert balance(account) == 19_50


def test_a_persons_choice_that_cannot_be_is_refused_with_what_to_do(house, method, account):
    took(method, entry("12.50", details("a")), entry("0.00", details("b"), reference="B-2"))
    other = asked(account, bank(house, code="other"), key="p2")
    money, none = BankEntry.objects.order_by("-amount_minor")
    with pytest.raises(BillingError, match=f"the entry of {method.code}"):
        banking.assign(money, other, by="anna")
    with pytest.raises(BillingError, match="of no money"):
        banking.assign(none, asked(account, method), by="anna")
    assert balance(account) == 0


def test_a_person_sets_aside_what_is_no_clients_money(method, account):
    took(method, entry("12.50", details("interest")))
    (waiting,) = banking.waiting(method)
    banking.set_aside(waiting, "interest", by="anna")
    assert banking.waiting(method) == []
    waiting.refresh_from_db()
    assert waiting.why == "interest (anna)"
    assert balance(account) == 0


def test_the_same_movement_in_another_file_waits_for_a_person(method, account):
    method.settings["layout"] = LAYOUT
    method.save()
    payment = asked(account, method)
    took(method, entry("12.50", details(payment.number)))
    csv = f"Datum;Betrag;Name;Zweck\n20.11.2026;12,50;Ada;{payment.number}\n".encode()
    done = banking.import_statement(method, csv)
    assert "imported before" in why(done)
    assert balance(account) == 12_50


def test_two_alike_in_one_file_are_two(method, account):
    csv = "Datum;Betrag;Name;Zweck\n" + 2 * f"20.11.2026;5,00;Ada;{account.number}\n"
    method.settings["layout"] = LAYOUT
    method.save()
    done = banking.import_statement(method, csv.encode())
    assert len(done.credited) == 2
    assert banking.import_statement(method, csv.encode()).known == 2
    assert balance(account) == 10_00


def test_an_entry_that_cannot_be_read_leaves_the_others(method, account):
    good = entry("5.00", details(account.number))
    bad = entry("5.001", details(account.number), reference="B-2")
    done = took(method, good, bad)
    assert [fault.where for fault in done.faults] == ["Stmt[1]/Ntry[2]"]
    assert balance(account) == 5_00


BROKEN = {
    "empty": (b"", "an empty file"),
    "cut off": (camt(entry())[:-40], "breaks off"),
    "bomb": (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "document type"),
    "of movements": (camt(entry(), kind="camt.054"), "ask the bank for camt.053"),
    "other XML": (b"<html/>", "not a statement"),
    "no XML": (b"Datum;Betrag\n", "set its layout"),
    "binary": (bytes(range(256)) * 10, "set its layout"),
    "of another account": (
        document(statement(entry()).replace("DE02120300000000202051", ADA)),
        "choose the method of that account",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_none_changes_nothing_and_says_the_mend(method, account, name: str):
    data, said = BROKEN[name]
    asked(account, method)
    with pytest.raises(StatementError, match=said):
        banking.import_statement(method, data)
    assert not BankEntry.objects.exists()
    assert not Transfer.objects.exists()


def test_hostile_texts_are_kept_as_texts(method, account):
    text = "'; DROP TABLE billing_payment; -- &lt;script&gt; %s {0} " + "x" * 5000
    done = took(method, entry("12.50", details(text, name="=cmd()" * 200)))
    kept = BankEntry.objects.get(pk=done.waiting[0].pk)
    assert kept.text.startswith("'; DROP TABLE")
    assert len(kept.name) == 200
    assert len(Task.objects.get().subject) <= 200


@pytest.mark.parametrize("layout", ["date", "date=A", "date=A; amount=B", "when=A; amount=B"])
def test_a_layout_that_cannot_be_is_refused_with_the_settings(method, layout: str):
    method.settings["layout"] = layout
    with pytest.raises(BillingError, match="layout"):
        banking.import_statement(method, b"A;B\n")


def test_a_card_takes_no_statement(house, method):
    card = PaymentMethod.objects.create(
        code="card", name="Card", plugin="simulated", provider=house.provider, currency_id="EUR"
    )
    with pytest.raises(StatementError, match="not paid by bank statement"):
        banking.import_statement(card, camt(entry()))


def test_a_line_that_names_payment_and_invoice_is_booked_once(method, account):
    due = invoice(account, 12_50)
    payment = paying.request(account, method, 12_50, key="p1", invoice=due)
    text = f"Rechnung {due.number}, Zahlung {payment.number}"
    file = camt(entry("12.50", details(text)))
    for _again in range(2):
        banking.import_statement(method, file)
    due.refresh_from_db()
    assert (balance(account), due.paid_on) == (12_50, NOON.date())
    assert Transfer.objects.count() == 1
    assert Payment.objects.get().state == Payment.State.CREDITED


def test_an_open_invoice_named_beside_a_paid_payment_is_what_is_paid(method, account):
    payment = asked(account, method)
    took(method, entry("12.50", details(payment.number)))
    due = invoice(account, 20_00, kind=Invoice.Kind.REQUEST)
    done = took(method, entry("20.00", details(f"{payment.number} {due.number}"), reference="B-2"))
    due.refresh_from_db()
    assert done.credited[0].payment.invoice == due
    assert (due.paid_on, balance(account)) == (NOON.date(), 32_50)


def test_payment_and_invoice_of_different_accounts_are_a_choice(house, method, account):
    payment = asked(account, method)
    due = invoice(house.account(), 12_50)
    done = took(method, entry("12.50", details(f"{payment.number} {due.number}")))
    assert "different accounts" in why(done)
    assert balance(account) == 0
