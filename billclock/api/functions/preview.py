"""When an expression fires, as a function: its words and the moments to come."""

from datetime import datetime, tzinfo
from itertools import islice
from typing import Annotated

from billclock import clock
from billclock.accounts.models import Role
from billclock.api.documents import Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.cron import CronError, Expression, zones

MOST = 1000


@function("scheduler.next", title="When an expression fires", kind=Kind.LIST, role=Role.VIEWER)
def moments(
    _actor: Actor,
    *,
    expression: Annotated[str, "five fields, or an @word"],
    zone: Annotated[str, "the zone of its fields, the server's if left out"] = "",
    since: Annotated[datetime | None, "moments later than this, now if left out"] = None,
    count: Annotated[int, "how many at most, up to 1000"] = 5,
) -> Document:
    """List the next moments of an expression, by its own zone's clock."""
    try:
        parsed = Expression.parse(expression)
    except CronError as error:
        raise FunctionError("value", "expression", expression, str(error)) from None
    place = _zone(zone)
    coming = parsed.upcoming(_begin(since, place))
    return Document(
        "scheduler.next",
        Kind.LIST,
        rows=[{"moment": at.isoformat()} for at in islice(coming, min(count, MOST))],
        values={"expression": str(parsed), "words": parsed.describe(), "zone": str(place)},
    )


def _zone(name: str) -> tzinfo:
    if not name:
        return clock.server_zone()
    try:
        return zones.named(name)
    except ValueError:
        message = f"zone: there is no zone {name!r}; zones have names such as Europe/Berlin"
        raise FunctionError("value", "zone", name, message) from None


def _begin(since: datetime | None, zone: tzinfo) -> datetime:
    try:
        return (since or clock.now()).astimezone(zone)
    except OverflowError:
        message = f"since: {since} is too near the end of the calendar"
        raise FunctionError("value", "since", str(since), message) from None
