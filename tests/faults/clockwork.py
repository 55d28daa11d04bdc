"""A scheduler whose minutes pass in milliseconds, to be killed at any of them.

Run as a program: `clockwork.py MINUTES PACE`. It goes on where the one before it was killed, with
the real tables, database, executor and recovery; only its clock is simulated. It ends when MINUTES
have passed since the first start and all its runs are over.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

import django

FIRST = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOST = "here"


def main() -> None:
    minutes, pace = int(sys.argv[1]), float(sys.argv[2])
    django.setup()
    from billclock import clock
    from billclock.scheduler import beats
    from billclock.scheduler.executors.process import ProcessExecutor
    from billclock.scheduler.loop import Loop
    from billclock.scheduler.recovery import recover
    from billclock.scheduler.roster import Roster, jobs
    from billclock.scheduler.tables import Tables

    last = beats.last(HOST)
    served = last.served if last else FIRST.timestamp()
    roster = Roster(served)
    executor = ProcessExecutor()
    loop = Loop(roster, executor, host=HOST)
    for table in Tables():
        roster.replace(table.name, jobs(table.load()))
    now = datetime.fromtimestamp(served, UTC)
    with clock.at(now):
        if os.environ.get("CLOCKWORK_ALONE", "yes") == "yes":
            recover(loop.attempts, executor)
    while now < FIRST + minutes * MINUTE or loop.attempts.running:
        if now < FIRST + minutes * MINUTE:
            now += MINUTE
        with clock.at(now):
            loop.tick(now)
            if os.environ.get("CLOCKWORK_ALONE", "yes") == "yes":
                beats.beat(HOST, served=now.timestamp(), offset=0.0)
            time.sleep(pace)
            loop.attempts.attend()
            loop.records.flush()


if __name__ == "__main__":
    main()
