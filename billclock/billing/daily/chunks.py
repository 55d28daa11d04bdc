"""One chunk of accounts: what is due there is renewed or refused, in one transaction."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from billclock.billing import batches, engine
from billclock.billing.batches import Figures
from billclock.billing.daily import due, funding, overage, posting
from billclock.billing.daily.due import Scope
from billclock.billing.errors import BooksError
from billclock.billing.progress import JobChunk, JobRun
from billclock.billing.verdicts import FOR_USE, next_sequence

MOST_PASSES = 400
"""A service behind by more periods than this (a year of days) is left for the next run."""


@transaction.atomic
def charge(scope: Scope, run: JobRun | None, *, rehearsal: bool = False) -> Figures:
    """Bill a scope's services and give the figures.

    Raises BooksError, and changes nothing, where the written figures do not agree. A rehearsal
    raises Undone with the figures once everything was written.
    """
    batches.lock(scope.first, scope.last)
    if batches.covered(run, scope.first, scope.last):
        return Figures()
    key = run.pk if run else None
    figures = Figures()
    if not scope.services:
        figures.counts.update(posting.left_out(scope, key))
    first = next_sequence(scope.services, scope.on) if scope.services else 0
    for sequence in range(first, first + MOST_PASSES):
        if not _one_pass(replace(scope, again=sequence > first), key, sequence, figures):
            break
    batches.note(run, scope.first, scope.last, figures, rehearsal=rehearsal)
    return figures


@transaction.atomic
def charge_use(scope: Scope, run: JobRun | None, *, rehearsal: bool = False) -> Figures:
    """Bill what a scope's services used over what they include; as `charge` otherwise."""
    use = JobChunk.Phase.USE
    batches.lock(scope.first, scope.last)
    if batches.covered(run, scope.first, scope.last, use):
        return Figures()
    key = run.pk if run else None
    figures = Figures()
    overage.lay_out(scope)
    figures.counts["overage_unfunded"] = funding.settle()
    figures.add(post(scope, key, FOR_USE))
    overage.start_peaks_again(scope)
    batches.note(run, scope.first, scope.last, figures, phase=use, rehearsal=rehearsal)
    return figures


def _one_pass(scope: Scope, run: int | None, sequence: int, figures: Figures) -> bool:
    """Bill one period of each service; tell whether another one is due already."""
    due.lay_out(scope)
    figures.counts["unfunded"] += funding.settle()
    figures.add(post(scope, run, sequence))
    behind = f"SELECT 1 FROM due WHERE funded = 1 AND addon = 0 AND ends <= {engine.day('on')}"
    return not scope.services and bool(engine.rows(f"{behind} LIMIT 1", scope.values))


def post(scope: Scope, run: int | None, sequence: int) -> Figures:
    """Write what `due` holds, check it, and give its figures."""
    figures = _expected()
    posting.verdicts(scope, run, sequence)
    charged = posting.charges(scope, run)
    posted = posting.transfers(scope, run)
    posting.balances()
    moved = posting.ends()
    posting.letters(scope, posting.refused(scope))
    for what, there in (("charges", charged), ("transfers", posted), ("renewed", moved)):
        if there != figures.counts[what]:
            raise BooksError(
                f"accounts {scope.first} to {scope.last}: {there} {what} were written,"
                f" {figures.counts[what]} were due"
            )
    return figures


def _expected() -> Figures:
    found = engine.rows(
        """SELECT l.currency, t.code, count(*),
                  count(DISTINCT CASE WHEN d.addon = 0 THEN d.service_id END),
                  sum(CASE WHEN d.net_minor > 0 THEN 1 ELSE 0 END)
                  + sum(CASE WHEN d.tax_minor > 0 THEN 1 ELSE 0 END),
                  sum(d.net_minor + d.tax_minor)
           FROM due d
           JOIN billing_ledgeraccount l ON l.id = d.account_id
           JOIN billing_producttype t ON t.id = d.type_id
           WHERE d.funded = 1 GROUP BY l.currency, t.code"""
    )
    figures = Figures()
    for currency, kind, lines, services, moves, amount in found:
        figures.counts.update(charges=lines, renewed=int(services), transfers=int(moves))
        figures.charged[currency] += int(amount)
        figures.by_type[f"{kind} {currency}"] += int(amount)
    return figures
