"""Postpaid invoices: at a month's beginning, one over what the month before left to be paid."""

from __future__ import annotations

from datetime import date

from billclock.billing import progress
from billclock.billing.batches import Figures
from billclock.billing.clients import Account
from billclock.billing.concluding import months as concluding
from billclock.billing.errors import BillingError, LimitError
from billclock.billing.invoices import Invoice
from billclock.billing.money import Money
from billclock.billing.postpaid import loose, run
from billclock.billing.postpaid.month import JOB, PREFIX, Month, latest, months
from billclock.billing.provider import Provider
from billclock.jobs import comparing, sections, telling
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order

MOST_MONTHS = 2
"""More months at once than an outage makes of it are asked about first."""


@job(
    JOB,
    rows=(5,),
    section=sections.FINANCE,
    title="BILLmanager generate postpaid payments",
    meaning=(
        "Automatic billing of all clients who have unpaid expenses at the beginning of the month"
    ),
    program=Program.BILLMAINTAIN,
    arguments="--command payment_generate_postpaid",
    schedule="25 2 1 * *",
    catch_up=True,
)
def payment_generate_postpaid(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Invoice every month that is over by `on` and was not; `explain` is an account's number."""
    tally = Tally(JOB)
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    order = Order(JOB, on, dry_run, confirm)
    for provider in Provider.objects.filter(active=True).order_by("code"):
        with tally.isolated(provider.code):
            _bill(order, provider, tally)
    return tally.report()


def _bill(order: Order, provider: Provider, tally: Tally) -> None:
    due = months(provider, telling.business_date(provider, order.on))
    if not due:
        tally.unchanged += 1
        tally.say(f"{provider.code}: {order.on} is done already, nothing was changed")
        return
    telling.require_begun(order, provider, telling.business_date(provider, order.on), tally)
    if len(due) > MOST_MONTHS:
        question = f"{len(due)} months, {due[0]} to {due[-1]}, would be invoiced at once"
        telling.may_pass(order, provider, due[0].until, question, tally)
    confirmed = order.confirm or progress.allowed(JOB, provider, due[0].until)
    for month in due[:1] if order.dry_run else due:
        _tell(order, month, _invoiced(order, month, tally, confirmed=confirmed), tally)


def _invoiced(order: Order, month: Month, tally: Tally, *, confirmed: bool) -> Figures:
    plan = run.Plan(rehearsal=order.dry_run, confirmed=confirmed)
    try:
        return run.bill(month, plan)
    except LimitError as error:
        telling.may_pass(order, month.provider, month.until, error.question, tally)
        return run.bill(month, run.Plan(rehearsal=order.dry_run, confirmed=True))


def _tell(order: Order, month: Month, figures: Figures, tally: Tally) -> None:
    counts, code = figures.counts, month.provider.code
    tally.done += counts["invoices"]
    tally.unchanged += counts["there"]
    tally.figures[f"{code} {month}"] = figures.values()
    would = "would be written" if order.dry_run else "written"
    sums = comparing.sums(figures.charged, "nothing to be paid")
    tally.say(f"{code} {month}: {counts['invoices']} invoices {would} ({sums})")
    if counts["parked"]:
        tally.failed[f"{code} {month}"] = f"{counts['parked']} accounts parked: see Problems"
    if order.dry_run and (last := progress.before(None, JOB, month.provider)):
        for line in comparing.movers(figures, Figures.of(last.figures)):
            tally.say(f"  compared with the run of {last.on}: {line}")


def _explain(tally: Tally, number: str, on: date) -> None:
    """Say what an account's invoice of the last month is or would be, or why there is none."""
    account = Account.objects.filter(number=number).select_related("provider", "company").first()
    if account is None:
        raise BillingError(f"there is no account {number!r}", "give an account's number")
    day = telling.business_date(account.provider, on)
    tally.say(f"{number}: {concluding.concluded(account, day)}")
    month = latest(account.provider, day)
    tally.unchanged += 1
    named = "is" if month.invoices(account) else "is not"
    tally.say(f"{number} is {account.get_kind_display().lower()} and {named} invoiced by the month")
    written = Invoice.objects.filter(
        account=account, key__startswith=f"{PREFIX} ", key__endswith=f" {month}"
    )
    for made in written.order_by("id"):
        tally.say(f"{made.number}, issued on {made.issued_on}: {_total(made)}, {made.state}")
    if hasattr(account, "parked"):
        tally.say(f"it is parked since {account.parked.since:%Y-%m-%d}: {account.parked.reason}")
    charged, _ = loose.charged(month, account.pk, account.pk)
    minor = sum(one.line.net_minor + one.line.tax_minor for one in charged)
    tally.say(f"on no invoice yet: {len(charged)} charges, {Money(minor, account.currency_id)}")
    for one in charged:
        amount = Money(one.line.net_minor + one.line.tax_minor, account.currency_id)
        tally.say(f"  {one.line.text}, {one.line.start} to {one.line.end}: {amount}")


def _total(invoice: Invoice) -> str:
    paid = f"paid on {invoice.paid_on}" if invoice.paid_on else f"payable by {invoice.due_on}"
    return f"{Money(invoice.total_minor, invoice.currency)}, {paid}"
