"""warnmoney: balances topped up where the client asked for it, letters where money runs out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial

from billclock.billing import automatic_invoices, autopay, forecast, money, money_letters, reminders
from billclock.billing.autopay import Wish
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.forecast import Outlook
from billclock.billing.notifications import Telling
from billclock.billing.payments import Payment
from billclock.billing.provider import Provider
from billclock.jobs import sections, telling
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order, business_date

NAME = "warnmoney"
MOST_LISTED = 5


@job(
    name=NAME,
    rows=(4,),
    section=sections.FINANCE,
    title="BILLmanager low money notification",
    meaning="Sending notifications and balance top up (if autopay is configured)",
    program=Program.BILLMAINTAIN,
    arguments=f"--command {NAME}",
    schedule="0 1 * * *",
    catch_up=True,
)
def warn(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Top up by automatic payment, then write to who is still short; `explain`: an account."""
    tally = Tally(NAME)
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    order = Order(NAME, on, dry_run, confirm)
    telling.tell(order, tally, _find, first=partial(_before, order, tally))
    return tally.report()


def _find(provider: Provider, on: date, _due: Sequence[date]) -> Iterator[Telling]:
    return reminders.money(provider, on)


def _before(order: Order, tally: Tally, provider: Provider, on: date) -> None:
    if order.dry_run or on <= provider.today():
        _top_up(order, tally, provider, on)
    else:
        tally.say(f"{provider.code}: {on} is not yet there; no balance is topped up ahead of it")
    _ask(order, tally, provider, on)


def _ask(order: Order, tally: Tally, provider: Provider, on: date) -> None:
    """Write the requests to pay that a provider has written by itself."""
    accounts = automatic_invoices.wanted(provider, on)
    asked = [account for account in accounts if automatic_invoices.lines_of(account, on)]
    telling.hold(order, tally, provider, on, "requests", "requests to pay", len(asked))
    for account in () if order.dry_run else asked:
        with tally.isolated(f"account {account.number}"):
            made = automatic_invoices.ask(account, on)
            tally.done += made is not None
    if asked:
        would = "would be written" if order.dry_run else "written"
        tally.say(f"{provider.code}: {len(asked)} requests to pay {would}")


def _top_up(order: Order, tally: Tally, provider: Provider, on: date) -> None:
    wishes = autopay.wishes(provider, on)
    wanted = sum(bool(wish.top_up.amount) for wish in wishes)
    telling.hold(order, tally, provider, on, "top_ups", "balances topped up", wanted)
    if order.dry_run:
        _rehearse(provider, wishes, tally)
        return
    for wish in wishes:
        with tally.isolated(f"account {wish.account.number}"):
            _take(wish, on, tally)


def _take(wish: Wish, on: date, tally: Tally) -> None:
    number = wish.account.number
    payment = autopay.take(wish, on)
    if payment is None:
        tally.unchanged += 1
        tally.say(f"{number}: nothing taken, {wish.top_up.why_not}")
    elif payment.state == Payment.State.CREDITED:
        tally.done += 1
        tally.say(f"{number}: {wish.money} taken from {wish.stored.masked or 'its method'}")
    else:
        tally.unchanged += 1
        state = Payment.State(payment.state).label.lower()
        why = f" ({payment.decline})" if payment.decline else ""
        tally.say(f"{number}: payment {payment.number} is {state}{why}")


def _rehearse(provider: Provider, wishes: Iterable[Wish], tally: Tally) -> None:
    taking = [wish for wish in wishes if wish.top_up.amount]
    sums: Counter[str] = Counter()
    for wish in taking:
        sums[wish.account.currency_id] += wish.top_up.amount
    told = ", ".join(f"{money.Money(minor, code)}" for code, minor in sums.items())
    tally.say(
        f"{provider.code}: {len(taking)} balances would be topped up{f' by {told}' if told else ''}"
    )
    for wish in sorted(taking, key=lambda wish: -wish.top_up.amount)[:MOST_LISTED]:
        tally.say(f"  {wish.account.number}: {wish.money}")
    tally.done += len(taking)


def _explain(tally: Tally, number: str, on: date) -> None:
    account = (
        Account.objects.filter(number=number)
        .select_related("provider", "funds", "autopay__method", "client", "company")
        .first()
    )
    if account is None:
        raise BillingError(f"there is no account {number!r}", "give an account's number")
    on = business_date(account.provider, on)
    outlook = forecast.outlook(account, on) if on >= account.provider.today() else None
    tally.say(f"{number}: {money_letters.concluded(account, on, outlook)}")
    if on >= account.provider.today():
        _foretell(tally, account, outlook, on)
    days = " ".join(map(str, sorted(account.provider.low_money_days, reverse=True)))
    tally.say(f"letters go out {days} days before the money ends")
    telling.explain(tally, account.pk, money_letters.KINDS)


def _foretell(tally: Tally, account: Account, outlook: Outlook | None, on: date) -> None:
    """Say how long its money lasts by now, and what is taken by itself."""
    number, code = account.number, account.currency_id
    if outlook is None:
        tally.say(f"{number}: on {on} its money lasts for the month to come")
    else:
        tally.say(
            f"{number}: on {on} it can spend {money.Money(outlook.spendable, code)}, the month"
            f" needs {money.Money(outlook.need, code)}; the money ends on {outlook.ends_on},"
            f" {(outlook.ends_on - on).days} days from then"
        )
        tally.say(f"forecast since money last came in, {outlook.since}")
        if account.autopay:
            wish = autopay.wish(account, outlook, on)
            tally.say(f"automatic payment: {wish.money}{_because(wish)}")


def _because(wish: Wish) -> str:
    return f", {wish.top_up.why_not}" if wish.top_up.why_not else ""
