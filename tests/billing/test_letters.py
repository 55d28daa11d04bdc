"""Letters: who gets them, what they say, in which words; sent to a real mail server."""

from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import closing, invoicing
from billclock.billing.clients import Contact
from billclock.billing.invoice_lines import Line
from billclock.billing.invoices import Invoice
from billclock.billing.letters import readers
from billclock.billing.money import Money
from billclock.billing.notice_kinds import KINDS, LOW_MONEY
from billclock.billing.notifications import Subscription, notify
from billclock.billing.services import RenewalSwitch, Service, Status
from billclock.outbox.delivery import Result, deliver
from billclock.outbox.models import Message, State
from tests.billing import papers
from tests.billing.lettering import (
    NEXT,
    NOON,
    ON,
    low,
    noon,
    page,
    refuse,
    relay,
    renew,
    shop,
    subject,
    text,
)
from tests.billing.shop import Shop
from tests.outbox.relay import Relay

__all__ = ["noon", "relay", "shop"]
pytestmark = pytest.mark.django_db


# what arrives


def test_a_letter_arrives_as_text_and_page_with_a_way_out(shop: Shop, relay: Relay):
    low(shop.account("ann@client.example", balance=700))
    assert deliver() == Result(sent=1)
    (mail,) = relay.mails
    assert mail["To"] == "ann@client.example"
    assert mail["From"] == "Acme Hosting <billing@acme.example>"
    assert subject(mail) == "The money on account acme-1 lasts for 5 days"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip(" <>")
    assert link.startswith("https://clock.example/letters/unsubscribe/")
    said = text(mail)
    assert said.startswith("Hello, Ann!\n\nThe balance is €7.00.")
    assert "it lasts until March 6, 2027" in said
    assert "€1,234.56 more is needed" in said
    assert link in said
    assert "\n\n\n" not in said
    shown = page(mail)
    assert "€1,234.56 more is needed" in shown
    assert f'href="{link}"' in shown
    assert 'style="' in shown
    assert "prefers-color-scheme: dark" in shown
    assert "<p" in shown


def test_the_outbox_tells_what_was_sent_to_whom_and_when(shop: Shop, relay: Relay):
    relay.recipients["bob@client.example"] = ["550 no such user"]
    low(shop.account("ann@client.example", "bob@client.example"))
    deliver()
    message = Message.objects.get()
    assert message.recipients == ["ann@client.example", "bob@client.example"]
    assert message.subject == "The money on account acme-1 lasts for 5 days"
    assert message.sent_at == NOON
    assert message.refused == {"bob@client.example": "550 no such user"}


def test_everybody_gets_a_letter_of_his_own_in_his_language(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example", "igor@client.example")
    Contact.objects.filter(email="igor@client.example").update(language="ru", name="Игорь")
    low(account)
    deliver()
    ann, igor = relay.mails
    assert [e.rcpt_tos for e in relay.taken] == [["ann@client.example"], ["igor@client.example"]]
    assert ann["Message-ID"] != igor["Message-ID"]
    assert ann["List-Unsubscribe"] != igor["List-Unsubscribe"]
    assert subject(igor) == "Деньги на счёте acme-1 заканчиваются, осталось дней: 5"
    said = text(igor)
    assert said.startswith("Здравствуйте, Игорь!")
    assert "1\u00a0234,56\u00a0€" in said
    assert "6 марта 2027" in said
    assert "Больше не присылайте" in said
    assert 'lang="ru"' in page(igor)


def test_an_address_gets_one_letter_however_many_share_it(shop: Shop, relay: Relay):
    low(shop.account("ann@client.example", "Ann@client.example", " ann@client.example "))
    assert deliver() == Result(sent=1)
    assert len(relay.taken) == 1


def test_a_language_we_do_not_speak_falls_back_to_the_providers(relay: Relay):
    shop = Shop(language="ru")
    low(shop.account("jo@client.example", language="pt-br"))
    deliver()
    assert subject(relay.mails[0]).startswith("Деньги на счёте")


def test_names_cannot_attack_the_page_or_the_headers(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example")
    Contact.objects.update(name="<script>alert(1)</script>")
    service = shop.service(account, shop.sold(), ON, name="evil\nBcc: all@x.example <b>{{ say }}")
    notify(account, "suspended", subject=service.pk, period=ON, on=ON, facts={"why": "<i>x</i>"})
    assert deliver() == Result(sent=1)
    (mail,) = relay.mails
    assert "Bcc" not in mail
    assert "\n" not in subject(mail)
    shown = page(mail)
    assert "<script>" not in shown
    assert "<i>x" not in shown
    assert "&lt;i&gt;x" in shown
    assert "{{ say }}" in shown
    assert "<i>x</i>" in text(mail), "text is no page: nothing is escaped there"


# to whom


def test_who_switched_a_kind_off_does_not_get_it(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example", "bob@client.example")
    ann = Contact.objects.get(email="ann@client.example")
    readers.choose(ann, LOW_MONEY, on=False)
    low(account)
    notify(
        account,
        "payment_received",
        period=ON,
        on=ON,
        facts={"amount": Money(1, "EUR"), "method": "x"},
    )
    deliver()
    assert sorted((m["To"], subject(m)[:9]) for m in relay.mails) == [
        ("ann@client.example", "€0.01 rec"),
        ("bob@client.example", "The money"),
        ("bob@client.example", "€0.01 rec"),
    ]


def test_a_letter_nobody_wants_is_dropped(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example")
    readers.choose(Contact.objects.get(), LOW_MONEY, on=False)
    low(account)
    assert deliver() == Result(dropped=1)
    message = Message.objects.get()
    assert (message.state, message.last_error) == (State.UNWANTED, "nobody wants such letters")
    assert not relay.taken


def test_a_kind_that_is_off_by_default_is_asked_for(shop: Shop):
    shop.account("ann@client.example")
    ann, weekly = Contact.objects.get(), KINDS["finance_weekly"]
    assert not readers.subscribed(ann, weekly)
    readers.choose(ann, weekly, on=True)
    assert readers.subscribed(ann, weekly)


def test_what_must_be_known_goes_to_everybody_and_names_no_way_out(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example")
    kind = KINDS["not_renewed"]
    Subscription.objects.create(contact=Contact.objects.get(), kind=kind.name, on=False)
    refuse(shop.service(account, shop.sold(), ON))
    notify(account, kind.name, period=ON, on=ON)
    assert deliver() == Result(sent=1)
    (mail,) = relay.mails
    assert "List-Unsubscribe" not in mail
    assert "unsubscribe" not in text(mail)
    assert "cannot be switched off" in text(mail)


def test_an_account_nobody_can_be_written_to_is_told_by_its_kind(shop: Shop, relay: Relay):
    account = shop.account("")
    low(account)
    notify(account, "suspended", period=ON, on=ON, facts={"why": "no money"})
    assert deliver() == Result(dropped=1, failed=1)
    reasons = set(Message.objects.values_list("state", "last_error"))
    nobody = f"client {account.client.number} has nobody with an e-mail address"
    assert reasons == {(State.DROPPED, nobody), (State.FAILED, nobody)}


def test_a_reader_that_is_busy_is_tried_again_alone(shop: Shop, relay: Relay):
    relay.recipients["bob@client.example"] = ["450 later"]
    low(shop.account("ann@client.example", "bob@client.example"))
    assert deliver() == Result(delayed=1)
    relay.recipients.clear()
    with clock.at(NOON + timedelta(minutes=1)):
        assert deliver() == Result(sent=1)
    assert [e.rcpt_tos for e in relay.taken] == [["ann@client.example"], ["bob@client.example"]]
    assert Message.objects.get().state == State.SENT


def test_a_relay_that_breaks_off_between_two_readers_repeats_nothing(shop: Shop, relay: Relay):
    low(shop.account("ann@client.example", "bob@client.example"))
    relay.drops_after = 1
    assert deliver().delayed + deliver().waiting <= 2
    for minutes in (1, 5):
        with clock.at(NOON + timedelta(minutes=minutes)):
            deliver()
    assert sorted(e.rcpt_tos[0] for e in relay.taken) == [
        "ann@client.example",
        "bob@client.example",
    ]


# what is read from the books


def test_what_was_renewed_is_read_from_the_charges(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example", balance=5000)
    product = shop.sold()
    for name in ("b.example", "a.example"):
        renew(shop.service(account, product, NEXT, name=name))
    notify(account, "renewed", period=ON, on=ON)
    deliver()
    (mail,) = relay.mails
    assert subject(mail) == "Renewed: 2 services"
    said = text(mail)
    assert "- a.example (Web S) (until April 1, 2027): €11.90\n- b.example" in said
    assert "Total: €23.80" in said
    assert "The balance is now €50.00." in said
    assert page(mail).count("€11.90") == 2


def test_one_renewal_is_named_in_the_subject(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example")
    renew(shop.service(account, shop.sold(), NEXT, name="a.example"))
    notify(account, "renewed", period=ON, on=ON)
    deliver()
    assert subject(relay.mails[0]) == "Renewed: a.example (Web S)"
    assert "Total" not in text(relay.mails[0])


def test_of_very_many_renewals_the_rest_is_counted(shop: Shop, relay: Relay):
    account, product = shop.account("ann@client.example"), shop.sold()
    for _ in range(103):
        renew(shop.service(account, product, NEXT))
    notify(account, "renewed", period=ON, on=ON)
    deliver()
    assert "and others: 3\n" in text(relay.mails[0])
    assert "Total: €1,225.70" in text(relay.mails[0])


def test_what_found_no_money_is_read_from_the_verdicts(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example", balance=5)
    strict = shop.sold(grace_days=1)
    refuse(shop.service(account, shop.sold(), ON, name="a.example"))
    refuse(shop.service(account, strict, ON, name="b.example"))
    paid = shop.service(account, strict, ON, name="paid.example")
    refuse(paid)
    Service.objects.filter(pk=paid.pk).update(unfunded_since=None, paid_until=NEXT)
    notify(account, "not_renewed", period=ON, on=ON)
    assert deliver() == Result(sent=1)
    (mail,) = relay.mails
    assert subject(mail) == "Not renewed for lack of money: 2 services"
    said = text(mail)
    assert "paid.example" not in said
    assert "Please add at least €23.75." in said
    assert "Total: €23.80" in said
    assert "stopped 1 day after" in said


@pytest.mark.parametrize("kind", ["renewed", "not_renewed"])
def test_a_letter_that_waited_until_it_was_untrue_is_not_sent(shop: Shop, relay: Relay, kind: str):
    notify(shop.account("ann@client.example"), kind, period=ON, on=ON)
    assert deliver() == Result(dropped=1)
    assert Message.objects.get().last_error.startswith("no longer so: ")


def test_an_end_is_told_by_what_is_left_when_the_letter_leaves(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example")
    ends = ON + timedelta(days=5)
    service = shop.service(account, shop.sold(), ends, auto_renew=False, name="a.example")
    notify(account, "expiring", subject=service.pk, period=ends, threshold=5, on=ON)
    with clock.at(NOON + timedelta(days=2)):
        deliver()
    assert subject(relay.mails[0]) == "a.example (Web S) ends in 3 days"


@pytest.mark.parametrize(
    "changed",
    [{"auto_renew": True}, {"paid_until": NEXT}, {"status": Status.DELETED}],
)
def test_an_end_that_was_put_off_is_not_told(shop: Shop, relay: Relay, changed: dict):
    account = shop.account("ann@client.example")
    service = shop.service(account, shop.sold(), ON, auto_renew=False)
    notify(account, "expiring", subject=service.pk, period=ON, on=ON)
    Service.objects.update(**changed)
    assert deliver() == Result(dropped=1)


def test_a_switch_of_renewal_is_told_with_who_and_why(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example")
    service = shop.service(account, shop.sold(), NEXT, auto_renew=False, name="a.example")
    switch = RenewalSwitch.objects.create(
        service=service, on=False, at=NOON - timedelta(days=1), by="staff", why="tariff closed"
    )
    notify(account, "renewal_off", subject=switch.pk, period=NEXT, on=ON)
    deliver()
    said = text(relay.mails[0])
    assert "switched off on February 28, 2027 by staff: tariff closed." in said


def test_an_invoice_is_told_with_its_number_and_day_and_its_pdf_goes_along(
    shop: Shop, relay: Relay
):
    account = shop.account("ann@client.example", "bob@client.example", language="ru")
    line = Line("Хостинг", 1000, 0, 190_000, "DE")
    invoice = invoicing.request_payment(account, [line], key="k", on=ON)
    deliver()
    assert len(relay.mails) == 2
    for mail in relay.mails:
        assert subject(mail) == f"Счёт на оплату {invoice.number}: 11,90 €"
        assert "Срок оплаты: 15 марта 2027" in text(mail)
        (enclosed,) = mail.iter_attachments()
        assert enclosed.get_filename() == f"{invoice.number}.pdf"
        assert enclosed.get_content_type() == "application/pdf"
        assert invoice.number in papers.text(enclosed.get_content())


def test_a_letter_waits_for_people_where_its_sealed_pdf_was_changed(
    shop: Shop, relay: Relay, settings: Settings, tmp_path: Path
):
    settings.HOME = tmp_path
    invoice = Invoice.objects.create(
        key="k", company=shop.company, account=shop.account(), currency="EUR", number="2027-1",
        state=Invoice.State.CLOSED, issued_on=ON, digest="0" * 64, pdf_digest="0" * 64,
    )  # fmt: skip
    file = closing.place(invoice)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"%PDF")
    notify(invoice.account_id, "invoice", subject=invoice.pk, period=ON, on=ON)
    deliver()
    assert relay.mails == []
    message = Message.objects.get()
    assert message.state == State.FAILED
    assert "is not the PDF that was sealed" in message.last_error


def test_what_a_letter_is_about_may_be_gone(shop: Shop, relay: Relay):
    notify(shop.account("ann@client.example"), "invoice", subject=999, period=ON, on=ON)
    low(shop.account("bob@client.example"))
    result = deliver()
    assert (result.sent, result.delayed + result.failed) == (1, 1)
    assert "Invoice" in Message.objects.get(payload__kind="invoice").last_error
