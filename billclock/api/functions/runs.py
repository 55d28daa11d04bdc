"""What ran as functions: the list, one run, its output, and the hand that stops it."""

import codecs
from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet

from billclock.accounts.models import Role
from billclock.api import places
from billclock.api.documents import Change, Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.scheduler import control, output
from billclock.scheduler.models import Outcome, Run, Trigger

RUNNING = "running"
A_PIECE = 256 * 1024

Elid = Annotated[int, "a run's number"]


@function("runs", title="Runs", kind=Kind.LIST, role=Role.VIEWER)
def runs(  # noqa: PLR0913 - the filters of the screen
    actor: Actor,
    *,
    entry: Annotated[int | None, "of this entry, by its key"] = None,
    table: Annotated[str, "of this table"] = "",
    outcome: Annotated[str, "running, or an outcome such as failed or timed out"] = "",
    trigger: Annotated[str, "schedule, catch-up, retry, chain, manual, api or test"] = "",
    who: Annotated[str, "started by hand by this user"] = "",
    exit_code: Annotated[int | None, "that ended with this code"] = None,
    since: Annotated[datetime | None, "started then or later"] = None,
    until: Annotated[datetime | None, "started before then"] = None,
    before: Annotated[int | None, "runs below this number: the last of the page before"] = None,
    limit: Annotated[int, "how many at most, up to 200"] = 50,
) -> Document:
    """List runs, the newest first."""
    given = {
        "entry_id": entry,
        "entry__table": places.table(actor, table) if table else None,
        "outcome": _outcome(outcome),
        "trigger": _one_of("trigger", trigger, Trigger.values),
        "actor": who or None,
        "exit_code": exit_code,
        "started__gte": since,
        "started__lt": until,
        "id__lt": before,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    found = _open_to(actor).filter(**filters).order_by("-id")
    return Document("runs", Kind.LIST, rows=[_row(run) for run in found[: places.most(limit)]])


@function("runs.show", title="A run", kind=Kind.FORM, role=Role.VIEWER)
def show(actor: Actor, *, elid: Elid) -> Document:
    """Give one run."""
    return Document("runs.show", Kind.FORM, values=_row(places.run(actor, elid)))


@function("runs.output", title="The output of a run", kind=Kind.FORM, role=Role.VIEWER)
def printed(
    actor: Actor,
    *,
    elid: Elid,
    offset: Annotated[int, "the byte to begin at: `next` of the answer before"] = 0,
) -> Document:
    """Give a piece of a run's output, up to 256 KiB, whether the run goes on or not.

    Ask again from `next` as long as there is text or the run goes on; `left_out` bytes before the
    text were not kept. Bytes that are no UTF-8 come as U+FFFD.
    """
    run = places.run(actor, elid)
    chunk = output.read(run.pk, offset, limit=A_PIECE)
    # a sign that is cut in two is left for the next piece, where there is or may be one
    more = not run.outcome or len(chunk.data) == A_PIECE
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(chunk.data, final=not more)
    values = {
        "offset": str(offset),
        "next": str(chunk.next - len(decoder.getstate()[0])),
        "left_out": str(chunk.left_out),
        "going_on": "off" if run.outcome else "on",
        "text": text,
    }
    return Document("runs.output", Kind.FORM, values=values)


@function("runs.stop", title="Stop a run", kind=Kind.ACTION, role=Role.OPERATOR)
def stop(actor: Actor, *, elid: Elid) -> Document:
    """Have the daemon end a run: TERM, its grace, then KILL."""
    run = places.run(actor, elid)
    control.ask("stop", run=run.pk, actor=actor.name)
    changes = [Change(f"run {run.pk}", run.entry.table, before=RUNNING)]
    return Document("runs.stop", Kind.ACTION, changes=changes)


def _open_to(actor: Actor) -> QuerySet[Run]:
    return Run.objects.select_related("entry").filter(**places.open_to(actor, "entry__table"))


def _outcome(text: str) -> str | None:
    """Give an outcome as the database keeps it; None for any."""
    plain = text.strip().lower().replace("-", " ").replace("_", " ")
    found = _one_of("outcome", plain, [RUNNING, *Outcome.values])
    return "" if found == RUNNING else found


def _one_of(name: str, text: str, known: list[str]) -> str | None:
    if text and text not in known:
        message = f"{name}: {text!r} is not one of {', '.join(known)}"
        raise FunctionError("value", name, text, message)
    return text or None


def _row(run: Run) -> dict[str, str]:
    """Give a run's columns: seconds, KiB and bytes, moments in UTC."""
    moments = {name: getattr(run, name) for name in ("planned", "started", "finished")}
    figures = ("exit_code", "signal", "cpu", "memory", "output_size", "pid")
    return {
        "key": str(run.pk),
        "entry": str(run.entry_id),
        "table": run.entry.table,
        "command": run.entry.command,
        "description": run.entry.description,
        "outcome": run.outcome or RUNNING,
        "reason": run.reason,
        "trigger": run.trigger,
        "attempt": str(run.attempt),
        "who": run.actor,
        **{name: at.isoformat() if at else "" for name, at in moments.items()},
        **{name: _figure(getattr(run, name)) for name in figures},
        "host": run.host,
        "user": run.user,
    }


def _figure(value: float | None) -> str:
    return "" if value is None else str(value)
