"""A span of a company's time, lived by the simulation or by a scheduler that starts processes.

`real_month.py simulated|real SERVICES SINCE UNTIL` founds the company in BILLCLOCK_HOME, lives and
prints what came of it as JSON. The real way has the real loop, slots, shell and commands, each in a
process of its own; only the clock is set, for a command to the moment its run was planned for:
`real_month.py at PROGRAM WORD…`. The world outside is the same for both.
"""

import json
import os
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

ALIKE = {"BILLCLOCK_SECRET_KEY": "the same for both", "TZ": "UTC"}
sys.path.insert(0, str(Path(__file__).parents[2]))  # commands of a table have no PYTHONPATH
os.environ |= {**ALIKE, "DJANGO_SETTINGS_MODULE": "billclock.settings"}

MINUTE = timedelta(minutes=1)
PLACE = b"/usr/local/mgr5/sbin/"


def main() -> None:
    way, *words = sys.argv[1:]
    if way == "at":
        sys.exit(at_its_moment(*words))
    from billclock.commands.prepare import ready

    ready()
    services, since, until = int(words[0]), *map(datetime.fromisoformat, words[1:])
    found(services, since)
    lived = {"simulated": simulated, "real": real}[way](since, until)
    sys.stdout.write(json.dumps({**told(), **lived}))


def at_its_moment(program: str, *words: str) -> int:
    """Run a command of the table at the moment for which its run was planned."""
    import django

    django.setup()
    from billclock import clock
    from billclock.commands import billmaintain, mgrctl
    from billclock.scheduler.models import Run

    planned = Run.objects.select_related("slot").get(pk=os.environ["BILLCLOCK_RUN"]).slot.planned
    with clock.at(planned):
        return {"billmaintain": billmaintain, "mgrctl": mgrctl}[program].main(list(words))


def found(services: int, since: datetime) -> None:
    from billclock import clock
    from billclock.simulation import company, outside

    with clock.at(since):
        provider = company.found(company.Size(services), since.date())
        outside.give_cards(provider)
        outside.furnish_panel(provider)


def simulated(since: datetime, until: datetime) -> dict[str, object]:
    """Let the simulation live; give how often each job ran, and which failed."""
    from billclock.billing.provider import Provider
    from billclock.jobs import registry
    from billclock.simulation.advance import live

    lived = live(registry.default_table(), since, until, provider=Provider.objects.get())
    return {"runs": lived.runs, "failed": sorted(lived.failures)}


def real(since: datetime, until: datetime) -> dict[str, object]:
    """Let the scheduler's own loop go from minute to minute, each when its runs are over."""
    from billclock import clock
    from billclock.billing.provider import Provider
    from billclock.jobs import registry
    from billclock.scheduler.executors.process import ProcessExecutor
    from billclock.scheduler.loop import Loop
    from billclock.scheduler.models import Run
    from billclock.scheduler.roster import Roster, jobs
    from billclock.scheduler.tables import Tables
    from billclock.simulation import advance

    ours = f"{sys.executable} {Path(__file__).resolve()} at ".encode()
    spool = Path(os.environ["BILLCLOCK_HOME"]) / "spool"
    spool.mkdir()
    (spool / "root").write_bytes(registry.default_table().replace(PLACE, ours))
    roster = Roster(since.timestamp())
    loop = Loop(roster, ProcessExecutor(), host="here")
    for table in Tables():
        roster.replace(table.name, jobs(table.load()))
    provider, now = Provider.objects.get(), since
    while now < until:
        now += MINUTE
        with clock.at(now):
            loop.tick(now)
            while loop.attempts.running:
                time.sleep(0.01)
                loop.attempts.attend()
            loop.records.flush()
            if now.minute == 31:
                advance._pass(now, provider)
    runs, failed = Counter[str](), set()
    for run in Run.objects.select_related("slot__entry").exclude(slot=None):
        words = [word for word in run.slot.entry.command.split(" >")[0].split() if "=" not in word]
        runs[words[-1]] += 1
        failed |= set() if run.exit_code == 0 else {words[-1]}
    return {"runs": runs, "failed": sorted(failed)}


def told() -> dict[str, object]:
    from billclock.billing import fingerprint
    from billclock.billing.charges import Charge
    from billclock.billing.notifications import Notice
    from billclock.billing.payments import Payment
    from billclock.billing.verifying import breaches

    return {
        "hash": fingerprint.take(),
        "breaches": [f"{breach.invariant}: {breach.what}" for breach in breaches()],
        "charges": Charge.objects.count(),
        "letters": Notice.objects.exclude(message="").count(),
        "paid": Payment.objects.exclude(credited_on=None).count(),
    }


if __name__ == "__main__":
    main()
