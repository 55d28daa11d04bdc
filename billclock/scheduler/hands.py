"""What people ask of a running daemon, and what it does at the start of a machine."""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.scheduler import claims, desk, entries, pauses
from billclock.scheduler.attempts import Attempt
from billclock.scheduler.claims import Wanted, moment
from billclock.scheduler.errors import TableError
from billclock.scheduler.models import Entry, Slot, Trigger
from billclock.scheduler.roster import Job, Zones

if TYPE_CHECKING:
    from billclock.scheduler.daemon import Daemon
    from billclock.scheduler.loop import Loop

log = logging.getLogger("billclock.scheduler")


class RequestError(Exception):
    """A request that can't be done; the text says why."""


def answer(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a request asks; the answer has `ok`, and `error` where it is false."""
    known = ANSWERS.get(str(request.get("do")))
    if known is None:
        return {"ok": False, "error": f"do: expected one of {', '.join(ANSWERS)}"}
    try:
        return {"ok": True, **known(daemon, request)}
    except TableError as error:
        return {"ok": False, "error": str(error), "details": desk.answer_error(error, request)}
    except (RequestError, DatabaseError) as error:
        return {"ok": False, "error": str(error)}
    except Exception:  # whatever one request holds, the jobs of all the others go on
        log.exception("a request to %s failed", request["do"])
        return {"ok": False, "error": "the scheduler can't do this: its log says why"}


def start_at_boot(loop: Loop, booted: float) -> None:
    """Start the @reboot entries for the machine's start at `booted` (seconds since the epoch)."""
    # whole seconds: every scheduler of this start then names the same moment
    planned = float(int(booted))
    wanted = [Wanted(job.entry, planned, job.era) for job in loop.roster.at_boot()]
    for won in claims.claim(wanted, at=clock.now(), host=loop.host):
        job = loop.roster.get(won.wanted.entry)
        if job is not None:
            loop.attempts.launch(Attempt(job, won.run, won.slot, planned))


def _run_now(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    entry = _number(request, "entry")
    attempts = daemon.loop.attempts
    job = daemon.job(entry)
    if job is None:
        raise RequestError(f"entry {entry} is in no table")
    going_on = attempts.runs_of(entry)
    if going_on and not job.options.overlaps:
        raise RequestError(f"run {min(going_on)} of entry {entry} is still going on")
    trigger = Trigger.API if request.get("api") else Trigger.MANUAL
    actor = str(request.get("actor", ""))
    run = claims.by_hand(entry, actor=actor, host=daemon.host, trigger=trigger)
    attempts.launch(Attempt(job, run, trigger=trigger))
    return {"run": run}


def _test_run(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    """Run an entry as the unsaved text `data` has it, at `place` of its entries.

    It is the entry `entry`, or without one a new one of the table `table`. The run is nobody's
    regular one: no report leaves, and retries do not follow.
    """
    try:
        crontab, place = Crontab.parse(b64decode(str(request["data"]))), _number(request, "place")
        line = crontab.entries[place]
    except (KeyError, ValueError, IndexError):
        raise RequestError("data: expected a crontab in base64 with an entry at place") from None
    if request.get("entry") is None:
        table = _table_name(daemon, request)
        entry = entries.tried(table, crontab, place)
    else:
        entry = _number(request, "entry")
        table = _table_of(entry)
    if going_on := daemon.loop.attempts.runs_of(entry):
        raise RequestError(f"run {min(going_on)} of entry {entry} is still going on")
    actor = str(request.get("actor", ""))
    run = claims.by_hand(entry, actor=actor, host=daemon.host, trigger=Trigger.TEST)
    job = Job(entry, table, line, Zones().of(line))
    daemon.loop.attempts.launch(Attempt(job, run, trigger=Trigger.TEST))
    return {"run": run}


def _table_name(daemon: Daemon, request: Mapping[str, Any]) -> str:
    try:
        return daemon.tables.table(str(request["table"])).name
    except (KeyError, ValueError):
        raise RequestError("table: expected the name of a crontab") from None


def _table_of(entry: int) -> str:
    row = Entry.objects.filter(pk=entry, gone_at=None).first()
    if row is None:
        raise RequestError(f"entry {entry} is in no table")
    return row.table


def _stop(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    run = _number(request, "run")
    who = str(request.get("actor", "")) or "a person"
    if not daemon.loop.attempts.stop(run, f"stopped by {who}"):
        raise RequestError(f"run {run} is not going on")
    return {}


def _pause(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    until = request.get("until")
    try:
        end = None if not until else datetime.fromisoformat(str(until))
    except ValueError:
        raise RequestError(f"until: {until!r} is not a moment in ISO form") from None
    if end is not None and end.tzinfo is None:
        end = end.replace(tzinfo=clock.server_zone())
    pauses.pause(str(request.get("scope", "")), actor=str(request.get("actor", "")), until=end)
    daemon.loop.attempts.pauses.load()
    return {}


def _resume(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    ended = pauses.resume(str(request.get("scope", "")))
    daemon.loop.attempts.pauses.load()
    return {"ended": ended}


def _follow_clock(daemon: Daemon, _request: Mapping[str, Any]) -> dict[str, Any]:
    """Let entries whose next moments have slots already, from before the clock was set back, run.

    They get a new era, in which those moments are theirs again.
    """
    now = moment(clock.seconds())
    ahead = Slot.objects.filter(planned__gt=now).values("entry_id")
    waiting = list(Entry.objects.filter(pk__in=ahead, gone_at=None))
    for entry in waiting:
        entry.era += 1
        entry.save(update_fields=["era"])
    daemon.reload()
    return {"entries": [entry.pk for entry in waiting]}


def _table_names(daemon: Daemon, _request: Mapping[str, Any]) -> dict[str, Any]:
    return {"names": [table.name for table in daemon.tables]}


def _table(daemon: Daemon, request: Mapping[str, Any]) -> dict[str, Any]:
    """Read or change a crontab for a web process that may not touch it; see desk.py."""
    try:
        table = daemon.tables.table(str(request["name"]))
        if request["do"] == "table-load":
            return desk.answer_load(table)
        if request["do"] == "table-save":
            return desk.answer_save(table, request)
        return desk.answer_other(table, request)
    except (KeyError, ValueError, TypeError) as error:
        raise RequestError(f"{request['do']}: {error!r}") from None


def _take_settings(daemon: Daemon, _request: Mapping[str, Any]) -> dict[str, Any]:
    daemon.take_settings()
    return {}


def _status(daemon: Daemon, _request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entries": len(daemon.roster),
        "running": sorted(daemon.loop.attempts.running),
        "host": daemon.host,
    }


def _halt(daemon: Daemon, _request: Mapping[str, Any]) -> dict[str, Any]:
    daemon.stop()
    return {}


ANSWERS: dict[str, Callable[[Daemon, Mapping[str, Any]], dict[str, Any]]] = {
    "run-now": _run_now,
    "test-run": _test_run,
    "stop": _stop,
    "pause": _pause,
    "resume": _resume,
    "follow-clock": _follow_clock,
    "table-names": _table_names,
    "table-load": _table,
    "table-save": _table,
    "table-remove": _table,
    "table-restore": _table,
    "table-undo": _table,
    "take-settings": _take_settings,
    "status": _status,
    "halt": _halt,
}


def _number(request: Mapping[str, Any], name: str) -> int:
    try:
        return int(request[name])
    except (KeyError, TypeError, ValueError):
        raise RequestError(f"{name}: expected a number") from None
