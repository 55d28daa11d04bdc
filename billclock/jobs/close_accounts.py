"""Invoices closed by their company's rule, after the credit notes that are owed."""

from __future__ import annotations

from collections import Counter
from datetime import date

from billclock.billing import closing, crediting, progress
from billclock.billing.clients import Account
from billclock.billing.concluding import closed
from billclock.billing.errors import BillingError
from billclock.billing.invoices import Invoice
from billclock.billing.provider import Closing, Company, Provider
from billclock.jobs import comparing, sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.jobs.telling import Order, business_date, require_begun

NAME = "close_accounts"


@job(
    NAME,
    rows=(9,),
    section=sections.FINANCE,
    title="Close invoices automatically",
    meaning="Close invoices automatically",
    program=Program.BILLMAINTAIN,
    arguments="--command close_accounts",
    schedule="15 2 * * *",
    catch_up=True,
)
def close_accounts(
    *,
    on: date,
    dry_run: bool,
    confirm: bool,
    explain: str,
) -> Report:
    """Close all invoices that are due by `on`; `explain` is an invoice's number."""
    tally = Tally(NAME)
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on)
        return tally.report()
    for provider in Provider.objects.filter(active=True).order_by("code"):
        with tally.isolated(provider.code):
            day = business_date(provider, on)
            order = Order(NAME, on, dry_run, confirm)
            require_begun(
                order, provider, day, tally, "invoices would be closed ahead of their day"
            )
            _credit(provider, tally, dry_run=dry_run)
            for company in provider.companies.order_by("code"):
                _close(company, day, tally, dry_run=dry_run)
            if not dry_run:
                progress.note(NAME, provider, day)
    return tally.report()


def _credit(provider: Provider, tally: Tally, *, dry_run: bool) -> None:
    """Take back by credit notes what was reversed after it had been invoiced."""
    keys = crediting.owed(provider).values("invoice__account")
    accounts = Account.objects.filter(pk__in=keys).select_related("provider", "client")
    sums: Counter[str] = Counter()
    count = 0
    for account in accounts.order_by("pk"):
        if dry_run:
            count += 1
            tally.say(f"{account.number} would be written credit notes")
            continue
        with tally.isolated(f"credit notes of {account.number}"):
            for note in crediting.credit_reversed(account):
                sums[note.currency] += note.total_minor
                count += 1
    tally.done += count
    if count and not dry_run:
        tally.say(f"{provider.code}: {count} credit notes over {comparing.sums(sums)}")


def _close(company: Company, on: date, tally: Tally, *, dry_run: bool) -> None:
    due = closing.due(company, on).select_related("account__provider", "company", "credits")
    sums: Counter[str] = Counter()
    count = 0
    for invoice in due.iterator(chunk_size=500):
        with tally.isolated(f"{invoice.kind} {invoice.number}"):
            if not dry_run:
                closing.close(invoice)
            sums[invoice.currency] += invoice.total_minor
            count += 1
    tally.done += count
    tally.figures[company.code] = {"closed": count, "sums": dict(sums)}
    if count:
        would = "would be closed" if dry_run else "closed"
        rule = Closing(company.closing).label.lower()
        told = comparing.sums(sums)
        tally.say(f"{company.code}: {count} documents {would} by its rule ({rule}), over {told}")


def _explain(tally: Tally, number: str, on: date) -> None:
    """Say of a number's documents whether they are closed, and what they wait for."""
    found = Invoice.objects.filter(number=number).select_related("company__provider")
    if not found:
        raise BillingError(f"there is no document {number!r}", "give an invoice's number")
    for invoice in found.order_by("id"):
        company = invoice.company
        rule = Closing(company.closing).label.lower()
        days = f" ({company.closing_days})" if company.closing == Closing.DAYS else ""
        day = business_date(company.provider, on)
        tally.say(f"{number}: {closed.concluded(invoice, day)}")
        tally.say(f"{invoice.kind} {number} of {company.code}, whose rule is: {rule}{days}")
        tally.say(
            f"it is {invoice.state}; issued {invoice.issued_on}, paid {invoice.paid_on or 'not'},"
            f" signed {invoice.signed_on or 'not'}, closed {invoice.closed_on or 'not'}"
        )
        if closing.due(company, day).filter(pk=invoice.pk).exists():
            tally.say(f"it is due to be closed on {day}")
        tally.unchanged += 1
