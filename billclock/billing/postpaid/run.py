"""A month's invoices, range by range: taken up after a kill, stopped by a sum beyond belief."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from django.db import transaction

from billclock.billing import batches, invoicing, money, progress
from billclock.billing.batches import Figures
from billclock.billing.clients import Account
from billclock.billing.errors import LimitError
from billclock.billing.invoice_lines import Charged
from billclock.billing.invoices import Invoice
from billclock.billing.invoicing import Draft
from billclock.billing.postpaid import asking, loose
from billclock.billing.postpaid.loose import Owing
from billclock.billing.postpaid.month import JOB, Month
from billclock.billing.progress import JobRun
from billclock.billing.provider import Company

LINES = 500
"""Lines of invoices in a range of accounts, which is one transaction of at most 250 ms."""

MOST_TIMES = 3
FEW_INVOICES = 10
"""More than so many times last month's sum stops a run of more invoices than the second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run may do: `rehearsal` undoes everything, `confirmed` lets limits pass."""

    rehearsal: bool = False
    confirmed: bool = False
    lines: int = LINES


def bill(month: Month, plan: Plan) -> Figures:
    """Invoice a month; raises LimitError before anything where its sum passes belief."""
    owing = loose.owing(month)
    if not (plan.confirmed or progress.allowed(JOB, month.provider, month.until)):
        _check(month, owing)
    if plan.rehearsal:
        done = Figures()
        for first, last in _ranges(owing, plan.lines):
            act = partial(invoice_range, month, first, last, None, rehearsal=True)
            done.add(batches.rehearsed(act))
        return done
    run = progress.begin(JOB, month.provider, month.until)
    done, behind = batches.noted(run), batches.reached(run)
    for first, last in _ranges([row for row in owing if row.account > behind], plan.lines):
        done.add(batches.halved(first, last, partial(invoice_range, month, run=run), run))
        time.sleep(batches.GAP)
    progress.finish(run, done.values())
    return done


@transaction.atomic
def invoice_range(
    month: Month, first: int, last: int, run: JobRun | None = None, *, rehearsal: bool = False
) -> Figures:
    """Invoice a range of accounts and give the figures; a rehearsal raises Undone with them."""
    batches.lock(first, last)
    charged, accounts = loose.charged(month, first, last)
    drafts = list(_drafts(month, charged, accounts))
    known = Invoice.objects.filter(key__in=[made.key for made in drafts])
    there = set(known.values_list("key", flat=True))
    fresh = [made for made in drafts if made.key not in there]
    invoices = invoicing.issue_many(invoicing.write(fresh), month.on)
    asking.ask(invoices, month.on)
    figures = _figures(invoices, charged, fresh)
    figures.counts["there"] = len(drafts) - len(fresh)
    batches.note(run, first, last, figures, rehearsal=rehearsal)
    return figures


def _ranges(owing: Iterable[Owing], lines: int) -> Iterator[tuple[int, int]]:
    """Give ranges of accounts with about so many lines each; none is split."""
    first = last = count = 0
    for row in owing:
        if count and count + row.charges > lines:
            yield first, last
            count = 0
        first, last = first if count else row.account, row.account
        count += row.charges
    if count:
        yield first, last


def _check(month: Month, owing: Iterable[Owing]) -> None:
    """Raise LimitError where a currency's sum is beyond what the run before lets expect."""
    before = progress.before(None, JOB, month.provider)
    if before is None:
        return
    was = Figures.of(before.figures).charged
    sums: Counter[str] = Counter()
    invoices: Counter[str] = Counter()
    for row in owing:
        sums[row.currency] += row.minor
        invoices[row.currency] += row.minor > 0
    for code, minor in sums.items():
        if minor > MOST_TIMES * was[code] and invoices[code] > FEW_INVOICES:
            now, then = (money.Money(n, code) for n in (minor, was[code]))
            raise LimitError(
                f"{month} comes to {now}, more than {MOST_TIMES} times the {then}"
                f" of the run before ({before.on})"
            )


def _drafts(
    month: Month, charged: Sequence[Charged], accounts: Mapping[int, Account]
) -> Iterator[Draft]:
    companies = Company.objects.filter(provider=month.provider).in_bulk()
    for (account, company), group in groupby(charged, lambda one: (one.account, one.company)):
        held, seller = accounts[account], companies[company]
        yield Draft(held, seller, month.key(held, seller), [one.line for one in group])


def _figures(
    invoices: Sequence[Invoice], charged: Sequence[Charged], drafts: Sequence[Draft]
) -> Figures:
    figures = Figures()
    lines = {line.charge for made in drafts for line in made.lines}
    figures.counts.update(invoices=len(invoices), lines=len(lines))
    for invoice in invoices:
        figures.charged[invoice.currency] += invoice.total_minor
    currencies = {made.account.pk: made.account.currency_id for made in drafts}
    for one in charged:
        if one.line.charge in lines:
            minor = one.line.net_minor + one.line.tax_minor
            figures.by_type[f"{one.type} {currencies[one.account]}"] += minor
    return figures
