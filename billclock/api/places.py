"""Where a call leads: the table, the entry or the run it names, if they are open to who calls."""

from collections.abc import Mapping

from billclock.accounts.models import Role
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor
from billclock.cron import veiling
from billclock.cron.crontab import Crontab
from billclock.scheduler import desk, models
from billclock.scheduler.table import Snapshot
from billclock.scheduler.tables import Tables

MAIN = "root"
A_PAGE = 200


def table(actor: Actor, name: str) -> str:
    """Give a table's name back; raise FunctionError where it is none or not open to the actor."""
    if not actor.sees(name):
        message = f"the table {name} is not open to {actor.name}"
        raise FunctionError("access", "table", name, message)
    try:
        Tables().table(name)
    except ValueError as error:
        raise FunctionError("value", "table", name, str(error)) from None
    return name


def load(actor: Actor, name: str) -> Snapshot:
    """Read a table; raise FunctionError as `table`, and TableError."""
    return desk.load(table(actor, name))


def reading(actor: Actor, name: str) -> Crontab:
    """Read a table as the actor may: stars for its secrets where he may not edit it."""
    found = load(actor, name).crontab
    if actor.may(Role.ROOT):
        return found
    return Crontab.parse(veiling.text(bytes(found)), system=found.system)


def entry(actor: Actor, elid: int) -> models.Entry:
    """Give the row of an entry in a table; raise FunctionError, the same for another's as for none.

    The name of a table that is not open to the actor is no news for him.
    """
    row = models.Entry.objects.filter(gone_at=None, pk=elid).first()
    if row is None or not actor.sees(row.table):
        raise missing("elid", elid, "entry")
    table(actor, row.table)
    return row


def run(actor: Actor, elid: int) -> models.Run:
    """Give a run with its entry; raise FunctionError, the same for another's as for none."""
    row = models.Run.objects.select_related("entry", "slot").filter(pk=elid).first()
    if row is None or not actor.sees(row.entry.table):
        raise missing("elid", elid, "run")
    return row


def open_to(actor: Actor, column: str = "table") -> Mapping[str, object]:
    """Give the filter of a query that keeps rows of the actor's tables."""
    return {} if actor.tables is None else {f"{column}__in": actor.tables}


def most(limit: int) -> int:
    """Give how many rows a page may have at most."""
    return min(limit, A_PAGE)


def missing(parameter: str, value: object, noun: str) -> FunctionError:
    """Make the error of a thing that is not there."""
    message = f"{parameter}: there is no {noun} {value}, or no longer"
    return FunctionError("missing", parameter, str(value), message)
