"""Webhooks: who hears of a run that ended. The loop only marks the run, all else comes later.

`owed` is all that the daemon's loop asks. `write_due`, in the errand that writes reports too, puts
one outbox message in for each address that is to hear of the run.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import router, transaction

from billclock import clock
from billclock.cron.hooks import shown
from billclock.outbox import messages
from billclock.outbox.channels import Letter
from billclock.outbox.models import Message
from billclock.scheduler.models import Mail, Outcome, Run, TableHook, Trigger
from billclock.scheduler.policies import HookWhen
from billclock.scheduler.recall import Recall
from billclock.scheduler.report import TOLD
from billclock.scheduler.report_text import masked, page
from billclock.scheduler.roster import Job

if TYPE_CHECKING:
    from billclock.scheduler.attempts import Attempt

AN_HOUR = 1000
"""Webhooks of one table in an hour; of what is beyond, the run's page says that none left."""

Find = Callable[[Run], Job]


def owed(
    attempt: "Attempt", outcome: Outcome, tables: Mapping[str, HookWhen], *, retried: bool = False
) -> Mail:
    """Tell whether somebody is to hear of a run that ended so; pure and quick.

    `tables` says of which endings the tables with a webhook of their own tell. Of an attempt that
    another one follows (`retried`), of a trial and of what never ran nobody hears.
    """
    if outcome not in TOLD or retried or attempt.trigger is Trigger.TEST:
        return Mail.NONE
    wishes = [tables[attempt.job.table]] if attempt.job.table in tables else []
    options = attempt.job.options
    if options.webhook:
        wishes.append(options.webhook_when)
    return Mail.DUE if any(hears(wish, outcome) for wish in wishes) else Mail.NONE


def hears(wish: HookWhen, outcome: str) -> bool:
    """Tell whether a webhook hears of an ending; what did not succeed is a failure."""
    succeeded = outcome == Outcome.SUCCEEDED
    return wish is HookWhen.ALWAYS or (wish is HookWhen.SUCCESS) == succeeded


def tables() -> dict[str, HookWhen]:
    """Read which tables have a webhook, and of which endings it hears: one query."""
    rows = TableHook.objects.values_list("table", "when")
    return {table: HookWhen(when) for table, when in rows}


def write_due(limit: int = 500, *, find: Find | None = None) -> int:
    """Put the webhooks of up to `limit` runs into the outbox; give how many runs were dealt with.

    Two at a time put none in twice.
    """
    runs = list(Run.objects.filter(hook=Mail.DUE).select_related("entry").order_by("id")[:limit])
    if not runs:
        return 0
    find = find or Recall().job
    at = clock.now()
    by_table = {row.table: row for row in TableHook.objects.all()}
    marks = {run.pk: _written(run, find(run), by_table.get(run.entry.table), at) for run in runs}
    with transaction.atomic(using=router.db_for_write(Run)):
        for mark in set(marks.values()):
            ids = [run for run, other in marks.items() if other is mark]
            Run.objects.filter(pk__in=ids).update(hook=mark)
    return len(runs)


def group(table: str) -> str:
    """Name a table's webhooks in the outbox."""
    return f"webhook:{table}"


def keys(run: int) -> list[str]:
    """Name a run's webhooks in the outbox: of its entry, and of its table."""
    return [f"webhook:run:{run}:{number}" for number in (1, 2)]


def _written(run: Run, job: Job, table: TableHook | None, at: datetime) -> Mail:
    addresses = list(dict.fromkeys(_addresses(run, job, table)))
    if not addresses:
        return Mail.NONE
    of = group(run.entry.table)
    if Message.objects.filter(group=of, created__gt=at - timedelta(hours=1)).count() >= AN_HOUR:
        return Mail.WITHHELD
    for key, address in zip(keys(run.pk), addresses, strict=False):
        messages.put(
            Letter(
                channel="webhook",
                dedupe_key=key,
                recipients=(shown(address),),
                at=at,
                body=json.dumps(told(run, job), ensure_ascii=False),
                payload={"url": address, "run": run.pk},
                group=of,
            )
        )
    return Mail.WRITTEN


def _addresses(run: Run, job: Job, table: TableHook | None) -> Iterator[str]:
    """Give the addresses that hear of a run, as its directives and its table's settings are now."""
    if job.options.webhook and hears(job.options.webhook_when, run.outcome):
        yield job.options.webhook
    if table is not None and hears(HookWhen(table.when), run.outcome):
        yield table.url


def told(run: Run, job: Job) -> dict[str, Any]:
    """Give what a webhook is told of a run: docs/reference/webhooks.md says each field."""
    seconds = (run.finished - run.started).total_seconds() if run.finished and run.started else None
    return {
        "type": "run.ended",
        "run": run.pk,
        "url": f"{page()}/{run.pk}",
        "job": {
            "id": run.entry_id,
            "table": run.entry.table,
            "name": job.line.directives.get("name", ""),
            "description": run.entry.description,
            "command": masked("", run.entry.command),
            "tags": list(job.options.tags),
        },
        "outcome": run.outcome,
        "reason": run.reason,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "trigger": run.trigger,
        "attempt": run.attempt,
        "cause": run.cause,
        "planned": _iso(run.planned),
        "started": _iso(run.started),
        "finished": _iso(run.finished),
        "seconds": seconds,
        "output_bytes": run.output_size,
        "host": run.host,
        "user": run.user,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
