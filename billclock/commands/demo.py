"""`billclock demo`: a company that does not exist, in a folder of its own, and time for it.

Cut off, it goes on from the step it was at: --until names the moment the whole was to reach.
"""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from billclock.commands.errors import DONE, FAILED, CommandError
from billclock.commands.pointing import counted
from billclock.commands.start import database

if TYPE_CHECKING:
    from pathlib import Path

    from billclock.billing.provider import Provider
    from billclock.simulation.advance import Lived


def run(args: Namespace) -> int:
    """Found the company where there is none, then let time pass."""
    database()
    from billclock.billing.provider import Provider
    from billclock.simulation.stock import CODE

    provider = Provider.objects.filter(code=CODE).first()
    if provider is None and (args.advance or args.until) and not args.services:
        raise CommandError("there is no demonstration here", "make one with billclock demo")
    passes = args.advance
    if provider is None:
        provider = _found(args)
        passes = passes or (0 if args.until else args.days)
    elif args.services:
        raise CommandError(
            "there is a demonstration here already", "move it on with --advance 31d, or remove it"
        )
    lived = _live(provider, passes or 0, args.until)
    print(json.dumps(_values(lived)) if args.json else _told(lived))
    return FAILED if lived.failures else DONE


def _found(args: Namespace) -> Provider:
    from billclock import clock
    from billclock.billing import engine
    from billclock.simulation import company, outside

    services = args.services or 200
    start = clock.today(clock.server_zone()) - timedelta(days=args.days)
    at = datetime.combine(start, time(), clock.server_zone())
    with clock.at(at), engine.roomy():
        provider = company.found(company.Size(services), start)
        outside.give_cards(provider)
        outside.furnish_panel(provider)
    _write(at)
    print(f"{provider.name}: {counted(services, 'service')}, founded on {start}", flush=True)
    return provider


def _live(provider: Provider, days: int, until_day: date | None) -> Lived:
    from billclock import clock
    from billclock.jobs import registry
    from billclock.simulation.advance import live

    zone = clock.server_zone()
    since = datetime.fromisoformat(_place().read_text(encoding="ascii")).astimezone(zone)
    until = (since.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone)
    if until_day is not None:
        until = datetime.combine(until_day, time(), zone)
    lived = live(registry.default_table(), since, until, provider=provider, reached=_write)
    _write(until)
    print(f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} passed")
    return lived


def _place() -> Path:
    from django.conf import settings

    home: Path = settings.HOME
    return home / "demo-clock"


def _write(at: datetime) -> None:
    """Keep how far the company's time has come, whole or not at all."""
    beside = _place().with_suffix(".new")
    beside.write_text(at.isoformat(), encoding="ascii")
    beside.replace(_place())


def _values(lived: Lived) -> dict[str, object]:
    return {"runs": dict(lived.runs), "done": dict(lived.done), "failures": lived.failures}


def _told(lived: Lived) -> str:
    lines = [
        f"{job:<32}{counted(runs, 'run'):>10}{lived.done[job]:>12} done"
        for job, runs in sorted(lived.runs.items())
    ]
    lines += [f"failed: {job}: {why}" for job, why in lived.failures.items()]
    return "\n".join(lines)
