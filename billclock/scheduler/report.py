"""The mail after a run: the loop decides in no time whether one may be owed, all else comes later.

`owed` is all that the daemon's loop asks. `write_due`, in a short process of its own, finds the
run's job again, applies the limits and puts letters into the outbox, whose delivery sends them.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import router, transaction
from django.db.models import Count, Min, QuerySet

from billclock import clock
from billclock.outbox import messages
from billclock.outbox.channels import Letter
from billclock.scheduler import chosen, report_digest, report_text
from billclock.scheduler import report_limits as limits
from billclock.scheduler.addressing import Addressing, addressing, reported
from billclock.scheduler.models import Mail, Outcome, Run, Trigger
from billclock.scheduler.policies import MailWhen
from billclock.scheduler.recall import Recall
from billclock.scheduler.report_text import Standing
from billclock.scheduler.roster import Job

TOLD = {
    Outcome.SUCCEEDED,
    Outcome.FAILED,
    Outcome.TIMED_OUT,
    Outcome.STOPPED,
    Outcome.LOST,
}
"""Outcomes of which there are reports; what never ran shows up among the Problems."""

Find = Callable[[Run], Job]


def owed(
    job: Job,
    outcome: Outcome,
    *,
    output_size: int,
    previous: Outcome | None = None,
    retried: bool = False,
) -> bool:
    """Tell whether a report may be owed of a run that ended so; pure and quick.

    `output_size` is in bytes; `previous` is how the entry's run before this one ended, None where
    that isn't known: after a failure, a success may be worth telling. With `retried` another
    attempt follows, whose report will do.
    """
    if outcome not in TOLD or retried or not reported(job):
        return False
    over = outcome is Outcome.SUCCEEDED and previous is not Outcome.SUCCEEDED
    return over or _wanted(job.options.mail, outcome != Outcome.SUCCEEDED, output_size)


def write_due(limit: int = 500, *, find: Find | None = None) -> int:
    """Write the reports of up to `limit` runs and the digests that are due into the outbox.

    `find` gives the job of a run (by default as its table has it now). The answer is how many
    runs were dealt with: 0 when none is left. Two at a time put no report in twice.
    """
    find = find or Recall().job
    at = clock.now()
    report_digest.write_ripe(at, find)
    due = Run.objects.filter(mail=Mail.DUE).select_related("entry").order_by("id")
    runs = list(due[:limit])
    if runs:
        _Desk(runs, at, find).work()
    return len(runs)


class _Desk:
    """One batch of runs whose reports are due."""

    def __init__(self, runs: list[Run], at: datetime, find: Find) -> None:
        self._runs = runs
        self._at = at
        self._find = find
        self._jobs: dict[int, tuple[Job, Addressing]] = {}
        self._allowed = chosen.in_force()
        same = timedelta(minutes=self._allowed.same_failure)
        self._told = limits.told({run.entry_id for run in runs}, at, same)
        self._rooms: dict[str, int] = {}
        self._digests: set[str] = set()
        self._marks: defaultdict[Mail, list[int]] = defaultdict(list)
        self._notes: dict[int, str] = {}

    def work(self) -> None:
        """Decide about every run and write it down."""
        for run in self._runs:
            self._marks[self._decide(run)].append(run.id)
        self._flush()

    def _decide(self, run: Run) -> Mail:
        job, to = self._job(run)
        if news := [fault for fault in to.faults if fault not in run.reason]:
            self._notes[run.id] = "; ".join(filter(None, (run.reason, *news)))
        told = self._told[run.entry_id]
        if told.run == run.id:
            return Mail.WRITTEN
        if run.trigger == Trigger.TEST or not to.recipients:
            return Mail.NONE
        failed = limits.failed(run)
        recovered = told.failed and not failed and run.id > told.run
        if not recovered and not _wanted(to.policy, failed, run.output_size):
            return Mail.NONE
        if failed and limits.kind(run) in told.kinds:
            return Mail.WITHHELD
        return self._mail(run, job, to, recovered=recovered)

    def _job(self, run: Run) -> tuple[Job, Addressing]:
        if run.entry_id not in self._jobs:
            job = self._find(run)
            self._jobs[run.entry_id] = job, addressing(job, run.host)
        return self._jobs[run.entry_id]

    def _mail(self, run: Run, job: Job, to: Addressing, *, recovered: bool) -> Mail:
        table, server = run.entry.table, clock.server_zone()
        if table not in self._rooms:
            self._rooms[table] = limits.room(table, self._at, server, self._allowed)
        _, morning = limits.night(self._at, server, self._allowed.digest_hour)
        if self._rooms[table] <= 0:
            self._hold_digest(table, morning)
            return Mail.WITHHELD
        self._flush()
        withheld = _withheld(run, recovered=recovered)
        untold = withheld.aggregate(count=Count("id"), since=Min(limits.moment()))
        last = morning if self._rooms[table] == 1 else None
        standing = Standing(job.zone, recovered, untold["count"], untold["since"], last)
        letter = report_text.write(run, to, standing, at=self._at)
        if messages.put(_filed(letter, run)):
            self._rooms[table] -= 1
        withheld.update(mail=Mail.WRITTEN)
        self._told[run.entry_id].add(run.id, limits.kind(run), failed=limits.failed(run))
        return Mail.WRITTEN

    def _hold_digest(self, table: str, morning: datetime) -> None:
        if table not in self._digests:
            report_digest.hold(table, morning, self._at)
            self._digests.add(table)

    def _flush(self) -> None:
        """Write what was decided so far, in one transaction."""
        with transaction.atomic(using=router.db_for_write(Run)):
            for mark, ids in self._marks.items():
                Run.objects.filter(id__in=ids).update(mail=mark)
            for run, note in self._notes.items():
                Run.objects.filter(id=run).update(reason=note)
        self._marks.clear()
        self._notes.clear()


def _wanted(policy: MailWhen, failed: bool, output_size: int) -> bool:
    """Tell whether a run is reported under a policy; nothing is under NEVER."""
    if policy is MailWhen.OUTPUT:
        return output_size > 0
    return policy is MailWhen.ALWAYS or (policy is MailWhen.FAILURE and failed)


def _filed(letter: Letter, run: Run) -> Letter:
    """Give a report's letter with what the limits will want to know of it."""
    known = {
        "run": run.id,
        "entry": run.entry_id,
        "kind": limits.kind(run),
        "failed": limits.failed(run),
    }
    return replace(
        letter,
        group=limits.group(run.entry.table),
        topic=limits.topic(run.entry_id),
        payload={**letter.payload, **known},
    )


def _withheld(run: Run, *, recovered: bool) -> QuerySet[Run]:
    """Find the failures before a run that it tells of: those like it, or all that are over."""
    before = Run.objects.filter(entry=run.entry_id, mail=Mail.WITHHELD, id__lt=run.id)
    if recovered:
        return before.exclude(outcome=Outcome.SUCCEEDED)
    return before.filter(outcome=run.outcome, exit_code=run.exit_code, signal=run.signal)
