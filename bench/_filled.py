"""A folder of Billclock with a crontab of a thousand jobs and very many runs, for a bench."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from billclock import clock

if TYPE_CHECKING:
    from django.test import Client

    from billclock.scheduler.models import Entry, Run

ENTRIES = 1000  # lines of the crontab `root`
OTHERS = 200  # entries of ten more tables; the last of them stands alone in the table `rare`
AT_ONCE = 50_000
PRINTED = 3000  # runs, the newest, that printed something
SECRET = "for a bench only"
EMAIL, LIMITED = "bench@example.net", "limited@example.net"
SCHEDULES = (
    "*/5 * * * *", "0 3 * * *", "15 */2 * * *", "30 2 1 * *", "0 6,18 * * 1-5", "* * * * *",
    "@hourly", "7 4 * * sun",
)  # fmt: skip


def prepare(folder: Path, rows: int) -> "tuple[Client, Client]":
    """Make a folder with a database of so many runs, unless it has one; give signed-in browsers.

    The first may see all, the second two tables.
    """
    os.environ |= {
        "BILLCLOCK_HOME": str(folder),
        "BILLCLOCK_SECRET_KEY": SECRET,
        "BILLCLOCK_ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "billclock.settings",
    }
    import django

    django.setup()
    from django.test import Client

    from billclock.accounts.models import Role, User
    from billclock.commands.prepare import ready
    from billclock.scheduler.models import Run

    ready()
    if not Run.objects.exists():
        fill(rows)
        User.objects.create_user(EMAIL, role=Role.ROOT)
        User.objects.create_user(LIMITED, role=Role.OPERATOR, tables="rare root")
    clients = Client(), Client()
    for client, email in zip(clients, (EMAIL, LIMITED), strict=True):
        client.force_login(User.objects.get(email=email))
    return clients


def begun() -> datetime:
    """Give the moment of the oldest run."""
    from billclock.scheduler.models import Run

    return Run.objects.values_list("planned", flat=True).earliest("id") or clock.now()


def fill(rows: int) -> None:
    """Write the crontab, entries and runs, and the outputs of the newest."""
    from django.conf import settings

    from billclock.scheduler import output
    from billclock.scheduler.models import Entry, Run
    from billclock.scheduler.tables import Tables

    Path(settings.SPOOL).mkdir(exist_ok=True)
    (Path(settings.SPOOL) / "root").write_text("\n\n".join(lines()) + "\n")
    Tables().table("root").load()
    Entry.objects.bulk_create(other(number) for number in range(OTHERS))
    since = clock.now() - timedelta(seconds=rows)
    keys = list(Entry.objects.order_by("id").values_list("id", flat=True))
    for start in range(0, rows, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, rows))
        runs = (run(number, rows, keys, since) for number in numbers)
        Run.objects.bulk_create(runs, batch_size=500)
        print(f"\r{numbers.stop:,} rows", end="", file=sys.stderr)
    for key in Run.objects.filter(output_size__gt=0).values_list("id", flat=True):
        output.write_all(key, printed(key))
    print(file=sys.stderr)


def lines() -> Iterator[str]:
    """Give the jobs of the crontab `root`: every tenth is switched off."""
    for number in range(ENTRIES):
        off = "#" if number % 10 == 9 else ""
        schedule = SCHEDULES[number % len(SCHEDULES)]
        yield f"## Job {number} of the bench\n{off}{schedule} /usr/local/bin/job-{number} --all"


def other(number: int) -> "Entry":
    """Make up an entry of another table."""
    from billclock.scheduler.models import Entry

    return Entry(
        table="rare" if number == OTHERS - 1 else f"user{number % 10}",
        digest=str(number),
        command_digest=str(number),
        expression="* * * * *",
        command=f"/usr/local/bin/other-{number}",
        description=f"Other job {number}",
        line=number + 1,
        first_seen=clock.now(),
    )


def run(number: int, rows: int, keys: list[int], since: datetime) -> "Run":
    """Make up a run, one a second: one in 50 failed, one in 200 by hand; few ended with 77.

    The rare table's entry ran only in the first tenth of all.
    """
    from billclock.scheduler.models import Run, Trigger

    at = since + timedelta(seconds=number)
    failed, by_hand = number % 50 == 7, number % 200 == 3
    rare = number % 5000 == 0 and number < rows / 10
    return Run(
        entry_id=keys[-1] if rare else keys[number % (len(keys) - 1)],
        trigger=Trigger.MANUAL if by_hand else Trigger.SCHEDULE,
        actor="anna@example.net" if by_hand else "",
        planned=at,
        started=at + timedelta(milliseconds=200),
        finished=at + timedelta(seconds=1 + number % 60),
        outcome="failed" if failed else "succeeded",
        exit_code=(77 if number < rows / 2000 else 1) if failed else 0,
        cpu=0.5,
        memory=20_000,
        output_size=4000 if number >= rows - PRINTED else 0,
        host="bench",
        user="root",
    )


def printed(key: int) -> bytes:
    """Make up what a run printed: 4,000 bytes."""
    return (b"Run %012d did its part of the work and says so here\n" % key * 100)[:4000]
