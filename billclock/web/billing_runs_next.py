"""When a billing job runs next by the tables that a user sees, and its start at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from billclock.accounts import audit
from billclock.accounts.models import User
from billclock.billing.errors import BillingError
from billclock.jobs import registry
from billclock.scheduler import control
from billclock.web import crontabs, timeline_plan
from billclock.web.kit.section import Given
from billclock.web.times import Wall


@dataclass(frozen=True)
class Next:
    """A job's line: its entry, its table, and when it runs next (None: it is switched off)."""

    entry: int
    table: str
    at: datetime | None


def next_of(job: str, user: User, wall: Wall) -> Next | None:
    """Find the line that runs a job, one that is switched on if there is: some queries a table."""
    found = []
    for table in crontabs.names(user):
        for one in timeline_plan.jobs(table, crontabs.read(table).crontab, wall.zone):
            known = registry.of_command(one.planned.command)
            if one.key is not None and known is not None and known.name == job:
                found.append(Next(one.key, table, _at(one.planned, wall)))
    return min(found, key=lambda one: one.at or datetime.max.replace(tzinfo=UTC), default=None)


def _at(planned: timeline_plan.Planned, wall: Wall) -> datetime | None:
    if not planned.active:
        return None
    return planned.expression.next(wall.now.astimezone(planned.zone))


def said(job: str, user: User) -> str:
    """Say when it goes on."""
    wall = Wall.here()
    coming = next_of(job, user, wall)
    if coming is None:
        return _("No table has this job: run it by hand.")
    if coming.at is None:
        return _("Its job is switched off: switch it on, or run it now.")
    return _("It goes on at its next moment, %s, or now if you run it.") % wall.within(coming.at)


def run_now(job: str, given: Given) -> str:
    """Let the scheduler run a job at once, as the list of jobs does.

    Raises BillingError where no table has it, or where the scheduler refuses or is down.
    """
    coming = next_of(job, given.by, Wall.here())
    if coming is None:
        raise BillingError(_("No table has this job: run it by hand."))
    try:
        answer = control.ask("run-now", entry=coming.entry, actor=given.by.email)
    except (control.NotRunningError, control.RefusedError) as error:
        raise BillingError(str(error)) from None
    audit.note(
        given.by.email, "job.run", str(coming.entry), table=coming.table, request=given.request
    )
    return _("Run %d was started.") % int(answer["run"])
