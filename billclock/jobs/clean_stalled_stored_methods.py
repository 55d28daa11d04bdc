"""Stored payment methods that were being set up and never were: asked about, kept or forgotten."""

from __future__ import annotations

from datetime import date, timedelta

from billclock.billing import progress, storing
from billclock.billing.concluding import setups
from billclock.billing.errors import BillingError
from billclock.billing.payments import StoredMethod
from billclock.billing.provider import Provider
from billclock.jobs import sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally

HOURS = 24


NAME = "clean_stalled_stored_methods"


@job(
    NAME,
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
    on: date,
    dry_run: bool,
    confirm: bool,  # noqa: ARG001
    explain: str,
    hours: str = str(HOURS),
) -> Report:
    """Ask what became of setups older than `hours`; a usable method is never touched.

    It acts on the present, whatever `on`. `explain` is a setup's key.
    """
    tally = Tally(NAME)
    if not (hours.isascii() and hours.isdecimal() and int(hours)):
        raise BillingError(f"hours: {hours!r} is not a number above 0", "give hours=24")
    found = storing.stalled(timedelta(hours=int(hours)))
    if explain:
        with tally.isolated(explain):
            _explain(tally, explain, on, int(hours))
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
    if not (dry_run or explain):
        for provider in Provider.objects.filter(active=True).order_by("code"):
            progress.note(NAME, provider, provider.today())
    return tally.report()


def _explain(tally: Tally, key: str, on: date, hours: int) -> None:
    said = setups.concluded(key, on, hours)
    if not said:
        raise BillingError(f"there is no stored method {key!r}", "give the key of its setting up")
    tally.say(f"{key}: {said}")


def _waits(stored: StoredMethod) -> str:
    return (
        f"{stored.setup_key}: {StoredMethod.State(stored.state).label} since "
        f"{stored.changed_at:%Y-%m-%d %H:%M} UTC, at {stored.method.code}"
    )
