"""What the demonstration company's staff does on a day, and what clients ask of it: by acts."""

from __future__ import annotations

from datetime import date, timedelta

from billclock.billing import (
    batches,
    by_hand,
    changing,
    closing,
    crediting,
    invoicing,
    operations,
    orders,
    progress,
    stopping,
)
from billclock.billing.by_hand import HandEntry
from billclock.billing.catalog import Product
from billclock.billing.charges import Charge
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.orders import Wish
from billclock.billing.progress import JobRun, Parked
from billclock.billing.provider import Company, Provider
from billclock.billing.services import Operation, Service, Status
from billclock.simulation import bank, offers
from billclock.simulation.dice import chance, draw
from billclock.simulation.stock import CODE, price

STAFF = "staff@demo.example"
CLERKS = ("mara.lindner@demo.example", "tomasz.krol@demo.example")

KNOWN = 400
"""So many of the accounts, the first ones, have to do with people: a day's work has an end."""

WEEK = timedelta(days=7)
MINDED = timedelta(days=3)
"""After so long a mistake is noticed."""

GOODWILL = (
    "The panel was slow on two evenings",
    "Waited three days for an answer",
    "Moved to us with forty sites",
)
CORRECTIONS = ("Paid twice in cash at the counter", "Rounding of an old invoice")
PARKED_FOR = "integer overflow"
"""As an engine says it of a reading that is far too large."""


def day(provider: Provider, on: date) -> None:
    """Do a day's work; cut off and done again, it comes to the same."""
    offers.take_rates(on)
    bank.look_into(provider, on, by=_clerk(on))
    every = (_order, _finish_operations, _enter_by_hand, _withdraw, _switch, _ask_for_money)
    for work in (*every, issue_drafts, _draft, _close, _park):
        work(provider, on)


def _clerk(on: date) -> str:
    return CLERKS[draw(len(CLERKS), "clerk", on)]


def _someone(provider: Provider, what: str, on: date, kind: Account.Kind) -> Account | None:
    """Give one of the accounts that people know, by what it is for and the day."""
    known = Account.objects.filter(provider=provider, kind=kind).select_related(
        "client", "provider", "company", "currency", "payer"
    )
    found = [account for account in known.order_by("pk")[:KNOWN] if account.currency_id == "EUR"]
    return found[draw(len(found), what, on)] if found else None


def _sometimes(per_cent: int, what: str, provider: Provider, on: date) -> bool:
    """Tell whether a thing happens on a day; on the day of the founding each does."""
    first = not JobRun.objects.filter(provider=provider, on__lt=on).exists()
    return first or chance(per_cent, what, on)


def _order(provider: Provider, on: date) -> None:
    """Let a client order a place for a server, which people have to prepare."""
    account = _someone(provider, "order", on, Account.Kind.PREPAID)
    if account is None or not _sometimes(35, "order", provider, on):
        return
    name = f"rack-{on:%m%d}.example"
    product = Product.objects.get(provider=provider, code=f"{CODE}-rack")
    if Service.objects.of(account.pk).filter(name=name).exists():
        return
    need = orders.offer(account, Wish(product, promo=offers.WELCOME), on=on).total_minor
    wish = by_hand.Wish(HandEntry.Sort.CORRECTION, need, CORRECTIONS[draw(2, "paid", on)])
    by_hand.enter(account, wish, by=_clerk(on), key=f"demo order {on}")
    orders.order(account, Wish(product, promo=offers.WELCOME, name=name), on=on)


def _finish_operations(provider: Provider, on: date) -> None:
    """Let people do what modules leave to them, some of it the next day."""
    given_up = Operation.objects.filter(
        service__account__provider=provider, state=Operation.State.GIVEN_UP
    ).select_related("service__account")
    for operation in given_up.order_by("pk")[:KNOWN]:
        if chance(40, "done", operation.service.number, operation.action, on):
            operations.done_by_hand(operation, by=_clerk(on), parameters={"rack": f"R{on.day}"})


def _enter_by_hand(provider: Provider, on: date) -> None:
    """Credit somebody for a trouble, and take back what was a mistake."""
    account = _someone(provider, "goodwill", on, Account.Kind.PREPAID)
    if account is not None and _sometimes(20, "goodwill", provider, on):
        reason = GOODWILL[draw(len(GOODWILL), "why", on)]
        wish = by_hand.Wish(HandEntry.Sort.GOODWILL, 100 * (3 + draw(12, "euros", on)), reason)
        by_hand.enter(account, wish, by=_clerk(on), key=f"demo goodwill {on}")
    given = HandEntry.objects.filter(sort=HandEntry.Sort.GOODWILL, takes_back=None, on=on - MINDED)
    for mistake in given:
        if chance(30, "mistake", on):
            by_hand.take_back(mistake, "Meant for another client", by=_clerk(on), past_floor=True)


def _withdraw(provider: Provider, on: date) -> None:
    """Let a client give up what he ordered: days come back, the invoice is credited."""
    racks = Service.objects.filter(
        product__code=f"{CODE}-rack", account__provider=provider, status=Status.ACTIVE,
        opened_on__lt=on - WEEK / 2,
    ).select_related("account")  # fmt: skip
    for service in racks.order_by("pk")[:KNOWN]:
        if chance(12, "withdraw", service.number, on):
            changing.close(service, on=on, why="the client takes his server home", by=_clerk(on))
            crediting.credit_reversed(service.account)


def _switch(provider: Provider, on: date) -> None:
    """Let a client, or staff for him, switch the automatic renewal of a service off."""
    account = _someone(provider, "switch", on, Account.Kind.PREPAID)
    if account is None or not _sometimes(20, "switch", provider, on):
        return
    service = Service.objects.of(account.pk).filter(status=Status.ACTIVE).order_by("pk").first()
    if service is not None:
        by = "client" if chance(60, "by", on) else _clerk(on)
        stopping.set_auto_renew(service, on=False, by=by, why="not needed any more")


def _ask_for_money(provider: Provider, on: date) -> None:
    """Send a request to pay ahead, and cancel one that nobody followed."""
    account = _someone(provider, "request", on, Account.Kind.PREPAID)
    if account is not None and _sometimes(12, "request", provider, on):
        line = invoicing.line_by_hand(account, "Hosting, paid ahead", price(6000, "EUR"), on)
        invoicing.request_payment(account, [line], key=f"demo request {on}", on=on)
    old = Invoice.objects.filter(
        account__provider=provider, kind=Invoice.Kind.REQUEST, state=Invoice.State.ISSUED,
        paid_on=None, issued_on__lte=on - 3 * WEEK,
    )  # fmt: skip
    for request in old.order_by("pk")[:KNOWN]:
        if chance(30, "forget", request.key, on):
            invoicing.cancel(request)


def _draft(provider: Provider, on: date) -> None:
    """Draft an invoice for a client who pays ahead and wants one, over what he was charged."""
    account = _someone(provider, "draft", on, Account.Kind.PREPAID)
    if account is None or not _sometimes(35, "draft", provider, on):
        return
    free = Charge.objects.filter(account=account, reversal=None, invoice_line=None)
    free = free.filter(net_minor__gt=0).select_related("service__product")
    by_company: dict[int, list[Charge]] = {}
    for charge in free.order_by("pk"):
        by_company.setdefault(charge.service.product.company_id, []).append(charge)
    for company, charges in by_company.items():
        invoicing.draft(
            account, Company.objects.get(pk=company), charges, key=f"demo {account.number} {on}",
            note="As you asked, over what was charged so far.",
        )  # fmt: skip
        break


def issue_drafts(provider: Provider, on: date) -> None:
    """Issue what was drafted before, most of it; cancel what was charged for and taken back."""
    drafts = Invoice.objects.filter(account__provider=provider, state=Invoice.State.DRAFT)
    for draft in drafts.exclude(key__endswith=f" {on}").order_by("pk")[:KNOWN]:
        if draft.lines.filter(charge__reversal__isnull=False).exists():
            invoicing.cancel(draft)
        elif chance(60, "issue", draft.key, on):
            invoicing.issue(draft, on)


def _close(provider: Provider, on: date) -> None:
    """Note who signed what, and seal some of what was paid."""
    paid = Invoice.objects.filter(
        account__provider=provider, state=Invoice.State.ISSUED, kind=Invoice.Kind.INVOICE,
        paid_on__lt=on,
    ).select_related("account__provider", "account__client", "company")  # fmt: skip
    for invoice in paid.order_by("paid_on", "pk")[:KNOWN]:
        if chance(8, "sign", invoice.key, on):
            closing.sign(invoice, on)
        elif chance(4, "close", invoice.key, on):
            closing.close(invoice)


def _park(provider: Provider, on: date) -> None:
    """Have one account that billing leaves alone, another one every few weeks."""
    parked = Parked.objects.filter(account__provider=provider).first()
    if parked is not None and parked.run.on < on - 3 * WEEK:
        progress.release(parked)
        parked = None
    if parked is None:
        run = JobRun.objects.filter(provider=provider, job="billdaily").order_by("-on").first()
        account = _someone(provider, "park", on, Account.Kind.PREPAID)
        if run is not None and account is not None:
            batches.park(account.pk, run, PARKED_FOR)
