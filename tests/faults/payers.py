"""Pays and gives back in processes that are killed: `payers.py ADDRESS FAULTS MOMENT...`.

Each moment is the number of a statement before which its process kills itself, or `called`: then
it is the gateway that kills it while it is called, by the file `victim`. What one left is put in
order by a process of its own, before the next. `together N` in place of moments: so many at once,
none of them killed. Prints what the books say in the end, as JSON.
"""
# ruff: noqa: E402, T201, BLE001 - a program, which sets Django up before it can import the rest

import json
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"

from billclock.commands import loading

loading.django()

from django.conf import settings
from django.db import connection

from billclock import clock
from billclock.billing import following, hearing, paying, returning
from billclock.billing.errors import BillingError
from billclock.billing.ledger import LedgerAccount
from billclock.billing.payments import Attempt, Payment, PaymentMethod, StoredMethod
from billclock.billing.verifying import breaches
from billclock.commands import prepare

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Killer:
    """Kills this process before its `at`th statement, counted from 1."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, execute, sql, params, many, context):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def apart(work, *given) -> int:
    """Do something in a process of its own; give its exit status, -9 where it was killed."""
    return ended(begun(work, *given))


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def begun(work, *given) -> int:
    """Begin something in a process of its own, and give its id."""
    child = os.fork()
    if child:
        return child
    try:
        work(*given)
        sys.stdout.flush()
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)


def found(faults: str) -> None:
    """Prepare the folder, an account with a card, and the method without an address."""
    from tests.billing.tills import Till

    prepare.ready()
    with clock.at(BEGIN):
        Till(faults)


def gateway_at(address: str) -> None:
    method = PaymentMethod.objects.get()
    method.settings["address"] = address
    method.save()


def pay(number: int, moment: str) -> None:
    """Take a payment and give a part of it back, until killed."""
    stored = StoredMethod.objects.select_related("client", "method").get()
    account = stored.client.accounts.select_related("provider", "company").get()
    kills = Killer(0 if moment == "called" else int(moment))
    if moment == "called":
        (settings.HOME / "victim").write_text(str(os.getpid()))
    with clock.at(BEGIN + number * HOUR), connection.execute_wrapper(kills):
        payment = paying.request(
            account, stored.method, 10_00 + number, key=f"k{number}", stored=stored
        )
        paying.charge(payment)
        payment.refresh_from_db()
        if payment.state == Payment.State.CREDITED:
            with suppress(BillingError):  # another process gives it back right now
                returning.refund(payment, 3_00, "too much")


def mend(number: int) -> None:
    """Do what the night and the gateway's notices do: ask, hear, try again."""
    StoredMethod.objects.update(state=StoredMethod.State.USABLE)
    method = PaymentMethod.objects.get()
    now = BEGIN + number * HOUR + HOUR / 2
    with clock.at(now):
        if number % 2:
            ask()
        for notice in paying.gateway(method).peer.deliver(now) if number % 3 else ():
            with clock.at(notice.at):
                hearing.hear(method, dict(notice.headers), notice.body)
        ask()


def ask() -> None:
    for attempt in list(paying.unanswered()):
        by = returning if attempt.action == Attempt.Action.REFUND else paying
        by.ask(attempt)
        following.follow(attempt.payment.account)


def finish(days: int) -> None:
    """Let days pass until every payment that was begun is paid or over."""
    for day in range(days):
        mend(24 * (day + 10))
        with clock.at(BEGIN + timedelta(day + 10)):
            for payment in Payment.objects.filter(state__in=(1, 2)):
                try:
                    paying.charge(payment)
                except BillingError as error:
                    sys.stderr.write(f"{error}\n")
    mend(24 * (days + 20) + 2)


def tell() -> None:
    held = LedgerAccount.objects.get(kind=1)
    told = {
        "balance": held.balance_minor,
        "breaches": [f"{breach.invariant}: {breach.what}" for breach in breaches()],
        "in_flight": Attempt.objects.filter(state__in=paying.OPEN).count(),
        "credited": Payment.objects.exclude(credited_on=None).count(),
        "payments": Payment.objects.count(),
    }
    print(json.dumps(told))


def crowd(number: int) -> None:
    """Pay and give back, hear and ask, in an order of its own, beside others that do the same."""
    for step in range(4):
        pay((number + step) % 5, "0")
        mend((number * 7 + step) % 5)


def main(address: str, faults: str, moments: list[str]) -> None:
    done = [apart(found, faults), apart(gateway_at, address)]
    killed = 0
    if moments[0] == "together":
        done += [ended(child) for child in [begun(crowd, n) for n in range(int(moments[1]))]]
        moments = []
    for number, moment in enumerate(moments):
        killed += apart(pay, number, moment) == -signal.SIGKILL
        done.append(apart(mend, number))
    done.append(apart(finish, 12))
    if any(done):
        sys.exit(f"{done} are not all 0")
    print(killed, flush=True)
    apart(tell)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
