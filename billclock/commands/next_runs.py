"""`billclock next`: an expression in words, and the moments at which it runs next."""

import json
import sys
from argparse import Namespace
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from billclock import clock
from billclock.commands.errors import DONE, FAILED, UsageError
from billclock.commands.pointing import clipped, pointed
from billclock.cron import CronError, Expression, zones


def run(args: Namespace) -> int:
    """Print the words, then a moment a line; an expression that is none is shown with a caret."""
    zone = zone_named(args.zone)
    start = moment(args.start, zone) if args.start else clock.now().astimezone(zone)
    try:
        expression = Expression.parse(args.expression)
    except CronError as error:
        _refuse(args.expression, error)
        return FAILED
    coming = islice(expression.upcoming(start), args.count)
    if args.json:
        moments = [at.isoformat() for at in coming]
        told = {"expression": str(expression), "words": expression.describe(), "zone": zone.key}
        print(json.dumps({**told, "next": moments}, ensure_ascii=False))
        return DONE
    print(expression.describe())
    for at in coming:
        print(at.isoformat())
    return DONE


def zone_named(name: str | None) -> ZoneInfo:
    """Give a zone by its name, without one the server's. Raise UsageError for one there isn't."""
    if not name:
        return clock.server_zone()
    try:
        return zones.named(name)
    except ValueError:
        mend = "zones have names such as Europe/Berlin"
        raise UsageError(f"--zone: there is no zone {name!r}; {mend}") from None


def moment(text: str, zone: ZoneInfo, option: str = "--from") -> datetime:
    """Read a moment in ISO form, by the zone's clock where it names no offset.

    Raise UsageError for what is none.
    """
    try:
        found = datetime.fromisoformat(text)
        aware = found if found.tzinfo else found.replace(tzinfo=zone)
        return aware.astimezone(UTC).astimezone(zone)
    except (ValueError, OverflowError):
        mend = "write it as 2027-03-28 or 2027-03-28T01:30, in the years 1 to 9999"
        raise UsageError(f"{option}: {text!r} is not a moment; {mend}") from None


def _refuse(text: str, error: CronError) -> None:
    field = f"{error.field}: " if error.field else ""
    lines = [f"billclock next: {field}{error.reason} (column {error.column})"]
    lines += pointed(text, error.column)
    if error.suggestion is not None:
        lines.append(f"  did you mean: {clipped(error.suggestion)}")
    print("\n".join(lines), file=sys.stderr)
