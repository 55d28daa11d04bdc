"""send_notification: periodic letters about clients' finances, and the mailings that are due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from billclock.billing import notice_kinds as kinds
from billclock.billing import reminders
from billclock.billing.clients import Account
from billclock.billing.concluding import finances as concluding
from billclock.billing.errors import BillingError
from billclock.billing.letters import readers, told
from billclock.billing.notifications import Telling
from billclock.billing.provider import Provider
from billclock.jobs import sections, telling
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order, business_date

NAME = "send_notification"


@job(
    name=NAME,
    rows=(2, 21),
    section=sections.NOTICES,
    title="BILLmanager send periodic notifications",
    meaning="Sending financial notifications. Sending mailings on the server",
    program=Program.BILLMAINTAIN,
    arguments=f"--command {NAME}",
    schedule="0 3 * * *",
    catch_up=True,
)
def send(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Write weekly letters on Mondays and monthly ones on the 1st, or as soon after as it runs.

    What must be known and no letter could tell becomes tasks. `explain` is an account's number.
    """
    tally = Tally(NAME)
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    telling.tell(Order(NAME, on, dry_run, confirm), tally, _find)
    if not dry_run:
        with tally.isolated("letters nobody took"):
            _hand_over(tally)
    return tally.report()


def _find(provider: Provider, _on: date, due: Sequence[date]) -> Iterator[Telling]:
    return reminders.finances(provider, due)


def _hand_over(tally: Tally) -> None:
    if count := told.hand_over():
        tally.say(f"{count} letters nobody took became tasks: tell the clients by other means")


def _explain(tally: Tally, number: str, on: date) -> None:
    found = Account.objects.select_related("client", "provider", "funds")
    account = found.filter(number=number).first()
    if account is None:
        raise BillingError(f"there is no account {number!r}", "give an account's number")
    day = business_date(account.provider, on)
    tally.say(f"{number}: {concluding.concluded(account, day)}")
    about = (kinds.FINANCE_WEEKLY, kinds.FINANCE_MONTHLY)
    for line in readers.choices(account.client, about):
        tally.say(line)
    telling.explain(tally, account.pk, about)
