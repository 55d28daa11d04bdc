"""A business date at a provider, chunk by chunk: taken up after a kill, limits, odd accounts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from django.db import connection

from billclock.billing import batches, credit_limits, engine, pricing, progress
from billclock.billing.batches import Figures
from billclock.billing.daily import chunks, due, limits, overage, workers
from billclock.billing.daily.due import Scope
from billclock.billing.daily.pace import Pace
from billclock.billing.errors import BillingError, BooksError
from billclock.billing.progress import JobChunk, JobRun, Parked
from billclock.billing.provider import Provider

JOB = "billdaily"

LARGE = (
    "billing_service", "billing_serviceaddon", "billing_account", "billing_ledgeraccount",
    "billing_charge", "billing_transfer", "billing_verdict", "billing_notice", "outbox_message",
)  # fmt: skip


MOST_LOSSES = 3
"""Times in a row that workers are lost and nothing was done, after which somebody has to look."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run may do: `rehearsal` undoes everything, `confirmed` lets limits pass.

    `chunk` is the services in a transaction, fitted to the machine where it is 0; `workers` is how
    many processes do it; a rehearsal has one.
    """

    rehearsal: bool = False
    confirmed: bool = False
    chunk: int = 0
    workers: int = 1

    def pace(self) -> Pace:
        """Give the pace to begin with."""
        return Pace.held(self.chunk) if self.chunk else Pace.of(connection.vendor)

    def require_possible(self) -> None:
        """Raise BillingError where the engine has one writer only and more are asked for."""
        if self.workers != 1 and not engine.on_postgresql():
            raise BillingError(
                f"{self.workers} workers cannot bill on SQLite, which has one writer at a time",
                "take 1 (BILLCLOCK_BILLING_WORKERS), or put the books into PostgreSQL",
            )


def bill(provider: Provider, on: date, plan: Plan) -> Figures:
    """Bill one business date; raises LimitError before anything where a limit is passed."""
    plan.require_possible()
    with engine.roomy():
        pricing.lay_out(provider, on)
        if not (plan.confirmed or progress.allowed(JOB, provider, on)):
            limits.check_prices(provider, on)
        if plan.rehearsal:
            return _rehearse(provider, on, plan)
        run = progress.begin(JOB, provider, on)
        credit_limits.settle(provider, on)
        pace = plan.pace()
        for phase in JobChunk.Phase:
            _do(run, phase, plan, pace)
        done = batches.noted(run)
        if parked := Parked.objects.filter(run=run).count():
            done.counts["parked"] = parked
        progress.finish(run, {**done.values(), "seen": limits.newest()})
    return done


def _rehearse(provider: Provider, on: date, plan: Plan) -> Figures:
    done, pace = Figures(), plan.pace()
    for phase in JobChunk.Phase:
        for scope in _scopes(phase, Scope(provider, on, 0, 0), pace):
            with pace.timing():
                done.add(batches.rehearsed(partial(_charge, scope, None, phase, rehearsal=True)))
    return done


def _do(run: JobRun, phase: JobChunk.Phase, plan: Plan, pace: Pace) -> None:
    """Do what is left of a phase: here, or by workers, and again where some of them were lost."""
    left, work = partial(_left, run, phase, pace), partial(_charged, run, phase)
    if plan.workers <= 1:
        for scope in left():
            with pace.timing():
                work(scope)
        return
    begin = partial(pricing.lay_out, run.provider, run.on)
    done, idle = -1, 0
    while workers.share(left, work, plan.workers, begin, pace.heard):
        before, done = done, run.chunks.filter(phase=phase).count()
        idle = idle + 1 if done == before else 0
        if idle == MOST_LOSSES:
            raise BooksError(f"workers of {JOB} for {run.on} are lost before they do anything")


def _left(run: JobRun, phase: JobChunk.Phase, pace: Pace) -> Iterator[Scope]:
    """Give what is left of a phase; how much there is, PostgreSQL counts where anything is left."""
    counted = False
    for behind, before in batches.gaps(run, phase):
        for scope in _scopes(phase, Scope(run.provider, run.on, 0, behind), pace, before):
            if not counted:
                engine.analyze_grown(*LARGE)
                counted = True
            yield scope


def _scopes(
    phase: JobChunk.Phase, scope: Scope, pace: Pace, before: int = batches.LARGEST
) -> Iterator[Scope]:
    """Give the ranges of accounts behind a scope, at a pace; no account is split."""
    ranges = overage.ranges if phase == JobChunk.Phase.USE else due.ranges
    for first, last in ranges(scope, pace, before):
        yield replace(scope, first=first, last=last)
        time.sleep(batches.GAP)


def _charge(
    scope: Scope, run: JobRun | None, phase: JobChunk.Phase, *, rehearsal: bool = False
) -> Figures:
    charge = chunks.charge_use if phase == JobChunk.Phase.USE else chunks.charge
    return charge(scope, run, rehearsal=rehearsal)


def _charged(run: JobRun, phase: JobChunk.Phase, scope: Scope) -> Figures:
    def act(first: int, last: int) -> Figures:
        return _charge(replace(scope, first=first, last=last), run, phase)

    return batches.halved(scope.first, scope.last, act, run)
