"""The world around the demonstration company: clients who pay or forget, gateways, mail.

What happens follows from numbers and dates alone, so that time lived twice is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date

from django.conf import settings
from django.db import transaction

from billclock import clock
from billclock.billing import following, hearing, operations, paying, progress, quoting
from billclock.billing.catalog import Module
from billclock.billing.clients import Account
from billclock.billing.errors import PaymentMethodError
from billclock.billing.invoices import Invoice
from billclock.billing.payment_methods.simulated.method import Simulated
from billclock.billing.payments import Attempt, Payment, PaymentMethod, StoredMethod
from billclock.billing.processing.simulated.module import Simulated as Panel
from billclock.billing.progress import JobRun
from billclock.billing.provider import Provider
from billclock.billing.services import Service, Status
from billclock.outbox import delivery
from billclock.outbox.models import Message, State
from billclock.simulation import bank, office
from billclock.simulation.dice import chance

PAYS = 35
"""Per cent of the clients who were told, that pay on a day."""

NEVER_PAYS = 7
"""Per cent of the clients who never do."""

MOST_CARDS = 400


def hour() -> None:
    """Let an hour's worth of the world happen: mail leaves, gateways tell or are asked."""
    send_letters()
    hear_gateways()
    for attempt in paying.unanswered():
        if attempt.action == Attempt.Action.CHARGE:
            paying.ask(attempt)
            following.follow(attempt.payment.account)


def day(provider: Provider) -> None:
    """Let staff answer what jobs ask, and a day's worth of clients pay: services and invoices."""
    for run in JobRun.objects.asking().filter(provider=provider):
        progress.allow(run, by=office.STAFF)
    on = provider.today()
    for account in _told(provider):
        if not chance(NEVER_PAYS, account.number) and chance(PAYS, account.number, on):
            _top_up(account, on)
    transfers = []
    for invoice in _unpaid(provider):
        if not chance(PAYS // 3, invoice.key, on):
            continue
        if bank.transfers(invoice.account):
            transfers.append(bank.line(invoice, on))
        else:
            _pay_invoice(invoice)
    bank.receive(provider, [line for line in transfers if line is not None], on)
    office.day(provider, on)


def send_letters() -> int:
    """Send by the mail server that is set; without one, letters count as sent."""
    if settings.SMTP:
        return delivery.deliver(budget=300, only={"letter"}).sent
    now = clock.now()
    waiting = Message.objects.filter(channel="letter", state=State.QUEUED, next_try__lte=now)
    return waiting.update(state=State.SENT, sent_at=now)


def hear_gateways() -> None:
    """Take what the simulated gateways have to tell by now."""
    for method in PaymentMethod.objects.filter(plugin=Simulated.name):
        gateway = paying.gateway(method)
        if not isinstance(gateway, Simulated):
            continue
        for notice in gateway.peer.deliver(clock.now()):
            with clock.at(notice.at):
                hearing.hear(method, dict(notice.headers), notice.body)


@transaction.atomic
def give_cards(provider: Provider) -> None:
    """Let some clients have stored a card, a part of them for autopay and renewals."""
    for method in PaymentMethod.objects.filter(provider=provider, plugin=Simulated.name):
        peer = paying.gateway(method)
        if isinstance(peer, Simulated):
            accounts = Account.objects.filter(provider=provider, currency=method.currency)
            _store(method, peer, accounts.order_by("pk")[:MOST_CARDS])


def _store(method: PaymentMethod, gateway: Simulated, accounts: Iterable[Account]) -> None:
    for account in accounts:
        if not chance(40, "card", account.number):
            continue
        card = gateway.peer.card(clock.now(), account.number)
        stored = StoredMethod.objects.create(
            client_id=account.client_id,
            method=method,
            state=StoredMethod.State.USABLE,
            changed_at=clock.now(),
            setup_key=f"demo-{account.number}",
            token=card["token"],
            gateway_account=card["account"],
            masked=card["label"],
        )
        if chance(50, "autopay", account.number):
            Account.objects.filter(pk=account.pk).update(autopay=stored)
        else:
            Service.objects.filter(account=account, status=Status.ACTIVE).update(
                stored_method=stored
            )


def furnish_panel(provider: Provider) -> None:
    """Let the simulated panel have the services that run at the founding."""
    for module in Module.objects.filter(plugin=Panel.name, products__provider=provider).distinct():
        panel = operations.module_of(module)
        running = Service.objects.filter(product__module=module, status=Status.ACTIVE)
        if isinstance(panel, Panel):
            panel.panel.hold(running.values_list("number", "product__code").iterator())


def _told(provider: Provider) -> Iterable[Account]:
    """Give the accounts whose services wait for money."""
    waiting = Service.objects.filter(account__provider=provider).exclude(unfunded_since=None)
    open_ones = waiting.filter(status__in=(Status.ACTIVE, Status.STOPPED, Status.IN_PROGRESS))
    keys = set(open_ones.values_list("account_id", flat=True))
    found = Account.objects.filter(pk__in=keys).select_related("provider", "company", "client")
    return found.order_by("pk")


def _top_up(account: Account, on: date) -> None:
    method = PaymentMethod.objects.filter(
        provider_id=account.provider_id, currency=account.currency_id, plugin=Simulated.name
    ).first()
    services = Service.objects.filter(account=account).exclude(unfunded_since=None)
    missing = quoting.quote(account, services.values_list("id", flat=True), on).missing
    if method is None or not missing:
        return
    payment = paying.request(
        account, method, missing + missing // 2, key=f"top-up {account.number} {on}",
        purpose=Payment.Purpose.TOP_UP,
    )  # fmt: skip
    _go_and_pay(payment)


def _go_and_pay(payment: Payment) -> None:
    """Pay; a client whose gateway does not answer goes away and comes another day."""
    with suppress(PaymentMethodError):
        paying.start(payment, "")
        following.follow(payment.account)


def _unpaid(provider: Provider) -> Iterable[Invoice]:
    found = Invoice.objects.filter(
        account__provider=provider, kind=Invoice.Kind.INVOICE, paid_on=None,
        state=Invoice.State.ISSUED,
    )  # fmt: skip
    related = ("account__provider", "account__company", "account__client", "account__payer")
    return found.select_related(*related)


def _pay_invoice(invoice: Invoice) -> None:
    account = invoice.account
    method = PaymentMethod.objects.filter(
        provider_id=account.provider_id, currency=invoice.currency, plugin=Simulated.name
    ).first()
    if method is None or invoice.total_minor <= 0:
        return
    payment = paying.request(
        account, method, invoice.total_minor, key=f"invoice {invoice.key}"[:120],
        purpose=Payment.Purpose.INVOICE, invoice=invoice,
    )  # fmt: skip
    _go_and_pay(payment)
