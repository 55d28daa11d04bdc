"""Autopayments: renewals paid from stored methods, retries of what was declined."""

from __future__ import annotations

from collections import Counter
from datetime import date

from django.db.models import Max

from billclock.billing import collecting, declining, following, paying, progress, returning
from billclock.billing.clients import Account
from billclock.billing.collecting import Renewal
from billclock.billing.concluding import collected
from billclock.billing.errors import BillingError
from billclock.billing.money import Money
from billclock.billing.payments import Attempt, Payment
from billclock.billing.provider import Provider
from billclock.jobs import sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import business_date


@job(
    "recurring",
    rows=(8,),
    section=sections.FINANCE,
    title="BILLmanager process autopayments",
    meaning="Autopayments",
    program=Program.BILLMAINTAIN,
    arguments="--command recurring",
    schedule="1 0 * * *",
    catch_up=True,
)
def recurring(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:  # noqa: ARG001
    """Ask about what is not answered, then take what is due from stored methods."""
    tally = Tally("recurring")
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    silence = _Silence()
    if not dry_run:
        _ask(tally, silence)
    taken: Counter[str] = Counter()
    for provider in Provider.objects.filter(active=True).order_by("code"):
        with tally.isolated(provider.code):
            day = business_date(provider, on)
            if day > provider.today() and not dry_run:
                raise BillingError(f"{day} is not yet there", "nothing is taken ahead of its day")
            _retry(provider, day, tally, taken, dry_run=dry_run)
            _renew(provider, day, tally, taken, dry_run=dry_run)
            if not dry_run:
                progress.note("recurring", provider, day)
    for code, minor in sorted(taken.items()):
        tally.say(f"{Money(minor, code)} {'would be' if dry_run else 'were'} taken in all")
    tally.figures["taken"] = dict(taken)
    silence.tell(tally)
    return tally.report()


class _Silence:
    """Gateways that answered nothing at all in this run, and what was asked of them in vain."""

    def __init__(self) -> None:
        self._before = Attempt.objects.aggregate(last=Max("pk"))["last"] or 0
        self._heard: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()
        self._why: dict[str, str] = {}

    def hear(self, method: str, answered: bool, why: str = "") -> None:
        """Count a request by whether it was answered."""
        (self._heard if answered else self._silent)[method] += 1
        self._why[method] = why or self._why.get(method, "")

    def tell(self, tally: Tally) -> None:
        """Count what was charged since the beginning, and tell of each gateway that is dead."""
        charges = Attempt.objects.filter(pk__gt=self._before, action=Attempt.Action.CHARGE)
        for attempt in charges.select_related("payment__method"):
            lost = attempt.state in {Attempt.State.ABANDONED, Attempt.State.UNKNOWN}
            self.hear(attempt.payment.method.code, not lost, attempt.told)
        for method, asked in sorted(self._silent.items()):
            if not self._heard[method]:
                why = f": {self._why[method]}" if self._why[method] else ""
                tally.failed[method] = f"none of {asked} requests was answered{why}"


def _ask(tally: Tally, silence: _Silence) -> None:
    """Find out what became of attempts whose answer was lost: nothing new before that."""
    asked = list(paying.unanswered())
    for attempt in asked:
        with tally.isolated(attempt.key):
            if attempt.action == Attempt.Action.REFUND:
                returning.ask(attempt)
            else:
                silence.hear(attempt.payment.method.code, paying.ask(attempt))
                following.follow(attempt.payment.account)
    if asked:
        tally.say(f"asked about {len(asked)} requests without an answer")


def _retry(
    provider: Provider, on: date, tally: Tally, taken: Counter[str], *, dry_run: bool
) -> None:
    """Try again what was declined and is still wanted, within the card networks' bounds."""
    for payment in collecting.retries(provider, on):
        with tally.isolated(payment.number):
            wanted = collecting.wanted(payment, on)
            if not wanted:
                _give_up(payment, tally, dry_run=dry_run)
            elif not collecting.networks_bear(payment, on):
                tally.unchanged += 1
                tally.say(f"{payment.number}: the card networks allow no further try today")
            elif dry_run:
                taken[payment.account.currency_id] += wanted
                shown = Money(wanted, payment.account.currency_id)
                tally.say(f"{payment.number}: {shown} of {payment.account.number} once more")
            else:
                _take(declining.lower(payment, wanted), tally, taken)


def _give_up(payment: Payment, tally: Tally, *, dry_run: bool) -> None:
    tally.unchanged += 1
    if dry_run or declining.give_up(payment):
        tally.say(f"{payment.number}: not needed any more, or its method is not usable: given up")


def _renew(
    provider: Provider, on: date, tally: Tally, taken: Counter[str], *, dry_run: bool
) -> None:
    """Pay what the renewals due need beyond the account's money."""
    for renewal in collecting.renewals(provider, on):
        with tally.isolated(renewal.account.number):
            minor = renewal.amount(on)
            if not minor:
                tally.unchanged += 1
            elif dry_run:
                code = renewal.account.currency_id
                taken[code] += minor
                card = renewal.stored.masked or renewal.stored.method.name
                tally.say(f"{renewal.account.number}: {Money(minor, code)} from {card}")
            else:
                _take(_requested(renewal, minor, on), tally, taken)


def _requested(renewal: Renewal, minor: int, on: date) -> Payment:
    return paying.request(
        renewal.account,
        renewal.stored.method,
        minor,
        key=renewal.key(on),
        purpose=Payment.Purpose.RENEWAL,
        stored=renewal.stored,
        on=on,
    )


def _take(payment: Payment, tally: Tally, taken: Counter[str]) -> None:
    payment = paying.charge(payment)
    told = f"{payment.number}: {_money(payment)}"
    if payment.state == Payment.State.CREDITED:
        tally.done += 1
        taken[payment.account.currency_id] += payment.amount_minor
        renewed = following.follow(payment.account)
        tally.say(f"{told} paid, {renewed} services renewed")
    elif payment.state == Payment.State.IN_PROGRESS:
        tally.unchanged += 1
        tally.say(f"{told}, the gateway has not decided yet")
    else:
        tally.unchanged += 1
        again = f"next try on {payment.next_try_on}" if payment.next_try_on else "no further try"
        why = f"declined ({payment.decline})" if payment.decline else "not taken"
        tally.say(f"{told} {why}, {again}")


def _money(payment: Payment) -> Money:
    return Money(payment.amount_minor, payment.account.currency_id)


def _explain(tally: Tally, number: str, on: date) -> None:
    """Say what came of a date for an account, or for one payment of it."""
    account = Account.objects.filter(number=number).select_related("provider").first()
    if account is not None:
        day = business_date(account.provider, on)
        tally.say(f"{number}: {collected.concluded(account, day)}")
        tally.unchanged += 1
        return
    found = Payment.objects.select_related("account__provider", "method")
    payment = found.filter(number=number).first()
    if payment is None:
        raise BillingError(
            f"there is no payment or account {number!r}", "give a payment's or account's number"
        )
    day = business_date(payment.account.provider, on)
    tally.say(f"{number}: {collected.concluded(payment.account, day, payment)}")
    _tell(tally, payment)


def _tell(tally: Tally, payment: Payment) -> None:
    """Say what is known of a payment: what it is for, each attempt, what comes next."""
    tally.say(
        f"{payment.number}: {_money(payment)} for {payment.purpose},"
        f" asked for on {payment.created_on}, by {payment.method.code}: "
        f"{Payment.State(payment.state).label}"
    )
    for attempt in payment.attempts.order_by("number"):
        why = attempt.decline or attempt.told
        tally.say(
            f"  {attempt.created_at:%Y-%m-%d %H:%M} {attempt.action} {attempt.key}: "
            f"{attempt.state}{f' ({why})' if why else ''}"
        )
    if payment.next_try_on:
        tally.say(f"  the next try is on {payment.next_try_on}")
    tally.unchanged += 1
