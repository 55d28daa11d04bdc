"""Stored payment methods that were being set up and never were: asked about, kept or forgotten."""

from __future__ import annotations

from datetime import date, timedelta

from billclock.billing import storing
from billclock.billing.errors import BillingError
from billclock.billing.payments import StoredMethod
from billclock.jobs import sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally

HOURS = 24


@job(
    "clean_stalled_stored_methods",
    rows=(7,),
    section=sections.FINANCE,
    title="BILLmanager clean_stalled_stored_methods",
    meaning="Clearing the list of suspended saved payment methods",
    program=Program.BILLMAINTAIN,
    arguments="--command clean_stalled_stored_methods",
    schedule="0 2,14 * * *",
)
def clean_stalled_stored_methods(
    *,
    on: date,  # noqa: ARG001 - it acts on the present
    dry_run: bool,
    confirm: bool,  # noqa: ARG001
    explain: str,
    hours: str = str(HOURS),
) -> Report:
    """Ask what became of setups older than `hours`; a usable method is never touched."""
    tally = Tally("clean_stalled_stored_methods")
    if not (hours.isascii() and hours.isdecimal() and int(hours)):
        raise BillingError(f"hours: {hours!r} is not a number above 0", "give hours=24")
    found = storing.stalled(timedelta(hours=int(hours)))
    if explain:
        found = found.filter(setup_key=explain)
    for stored in found:
        with tally.isolated(stored.setup_key):
            if dry_run or explain:
                tally.say(_waits(stored))
                tally.unchanged += 1
                continue
            state = storing.resolve(stored)
            tally.done += 1
            became = StoredMethod.State(state).label if state else "forgotten"
            tally.say(f"{stored.setup_key}: {became}")
    return tally.report()


def _waits(stored: StoredMethod) -> str:
    return (
        f"{stored.setup_key}: {StoredMethod.State(stored.state).label} since "
        f"{stored.changed_at:%Y-%m-%d %H:%M} UTC, at {stored.method.code}"
    )
