"""What has happened on the stage: the article's jobs for a week, others really run, acts, users.

It is called inside the served folder's own settings, by `Server.python`.
"""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.test import Client

from billclock import clock
from billclock.accounts.models import AuditRow, Role, User
from billclock.billing.services import Service, Status
from billclock.scheduler import control, desk
from billclock.scheduler.models import Entry, Outcome, Run, Slot, Version
from billclock.scheduler.roster import Zones
from billclock.scheduler.tables import Tables
from billclock.web.sections import all_sections

DAYS = 7
MOST_MOMENTS = 240  # of one entry: what runs every minute is not shown for longer
RARELY = 0.01
RATES = Path(__file__).resolve().parents[2] / "data" / "rates" / "eurofxref-daily.xml"
MGRCTL = "/usr/local/mgr5/sbin/mgrctl -m billmgr"
UPLOAD = f"{MGRCTL} currencyrate.upload upload=on sok=ok plid=EUR/USD source={RATES}"
OWN = f"""
PATH=/usr/local/bin:/usr/bin:/bin:{settings.HOME}/bin

## Nightly copies
# billclock: timeout=2h tags=night,backup mail=failure
30 2 * * * nightly-copies --all

## Import of orders
# billclock: tags=shop
*/20 6-22 * * 1-5 import-orders

## Stock of the shop
# billclock: tags=shop retries=2
5 * * * * sync-stock

## Rates of the European Central Bank
0 17 * * 1-5 {UPLOAD}

## Sums of the night
#45 3 * * * nightly-copies --sums
"""
COPIES = r"""#!/bin/sh
for name in accounts invoices orders prices services tickets; do
    printf '\033[1m%s\033[0m\n' "$name"
    for part in 1 2 3; do printf '  part %s of 3  \033[32mcopied\033[0m\n' "$part"; done
    sleep 0.1
done
printf '\033[33mwarning:\033[0m the disk is 81 %% full\n'
echo '18 parts copied, none left out'
"""
ORDERS = """#!/bin/sh
n=0
while [ $n -lt 900 ]; do n=$((n + 1)); echo "order $((48200 + n)) taken"; sleep 1; done
"""
STOCK = """#!/bin/sh
echo 'asking the warehouse for 1,204 articles'
echo 'the warehouse did not answer within 2 s' >&2
exit 75
"""


def fill() -> None:
    """Fill the table behind what it has, and write its history as the scheduler would."""
    folder = settings.HOME / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in {
        "nightly-copies": COPIES,
        "import-orders": ORDERS,
        "sync-stock": STOCK,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    now = clock.now()
    with clock.at(now - timedelta(days=DAYS)):
        Tables().table("root").load()
        desk.edit("root", lambda had: type(had).parse(bytes(had) + OWN.encode()), author="root")
        (settings.SPOOL / "www-data").write_text("## Sitemap\n50 4 * * * /usr/bin/true\n")
        (settings.SPOOL / "backup").write_text("")
        for name in ("root", "www-data"):
            Tables().table(name).load()
    entries = Entry.objects.filter(active=True)
    weeks = [pair for entry in entries for pair in week(entry, now)]
    weeks.sort(key=lambda pair: pair[0].planned)
    Slot.objects.bulk_create(slot for slot, _run in weeks)
    Run.objects.bulk_create(run for _slot, run in weeks)


def week(entry: Entry, now: datetime) -> Iterator[tuple[Slot, Run]]:
    """Make the slots and runs of one entry's last days up; one in a hundred went wrong."""
    chance = random.Random(entry.line)
    usual = chance.choice((0.4, 2.0, 7.0, 45.0, 200.0))
    bad = 0.4 if "sync-stock" in entry.command else RARELY
    for at in [*moments(entry, now)][-MOST_MOMENTS:]:
        failed = chance.random() < bad
        outcome = Outcome.FAILED if failed else Outcome.SUCCEEDED
        slot = Slot(entry=entry, planned=at, claimed_at=at, outcome=outcome)
        yield slot, Run(
            slot=slot, entry=entry, planned=at, started=at,
            finished=at + timedelta(seconds=usual * chance.uniform(0.7, 1.6)),
            outcome=outcome, exit_code=75 if failed else 0,
            cpu=usual * chance.uniform(0.1, 0.4), memory=chance.randint(18_000, 64_000),
            host=os.uname().nodename, user=entry.table, pid=chance.randint(900, 30_000),
        )  # fmt: skip


def moments(entry: Entry, now: datetime) -> Iterator[datetime]:
    """Give when an entry should have run."""
    (read,) = (one for one in desk.load(entry.table).crontab.entries if one.line == entry.line)
    zone = Zones().of(read)
    start = (now - timedelta(days=DAYS)).astimezone(zone)
    return (at.astimezone(UTC) for at in read.expression.between(start, now.astimezone(zone)))


def act(email: str) -> None:
    """Run jobs by the daemon, edit the table by the web, and have more users."""
    going = started("import-orders", email)
    over = ("nightly-copies --all", "sync-stock", "currencyrate.upload upload", "collect_usageinfo")
    ended(*[started(command, email) for command in over])
    slot = Slot.objects.filter(entry__command="nightly-copies --all").order_by("-planned").first()
    if slot is not None:  # one night nobody was there
        slot.runs.all().delete()
        Slot.objects.filter(pk=slot.pk).update(
            outcome=Outcome.MISSED, reason="the scheduler was not running", claimed_at=clock.now()
        )
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(email=email))
    for what in ("disable", "enable"):
        key = Entry.objects.get(command="/usr/bin/true").pk
        client.post("/jobs/act", {"one": f"{what}:{key}", "table": "www-data"})
    client.post("/account/keys", {"name": "monitoring", "role": "viewer", "days": "90"})
    User.objects.create_user("petra.novak@example.net", role=Role.OPERATOR)
    User.objects.create_user("li.wei@example.net", role=Role.VIEWER, tables="www-data")
    assert Run.objects.get(pk=going).outcome == ""


def started(command: str, actor: str) -> int:
    """Have the daemon start the entry whose command holds a text; give the run."""
    entry = Entry.objects.get(command__contains=command, gone_at=None, active=True)
    return int(control.ask("run-now", entry=entry.pk, actor=actor)["run"])


def ended(*runs: int) -> None:
    """Wait until runs are over."""
    end = time.monotonic() + 30
    while Run.objects.filter(pk__in=runs, outcome="").exists():
        assert time.monotonic() < end, "the runs do not end"
        time.sleep(0.05)


def known() -> Mapping[str, object]:
    """Give the keys that addresses of screens are made with."""
    copies = Run.objects.filter(entry__command="nightly-copies --all", trigger="manual")
    missed = Slot.objects.filter(outcome=Outcome.MISSED).latest("planned").planned
    rows = {section.name: section.rows().first() for section in all_sections()}
    ordinary = Service.objects.filter(status=Status.ACTIVE, account__parked=None, months=1)
    return {
        **{name: row.pk for name, row in rows.items() if row is not None},
        "services": ordinary.earliest("pk").pk,
        "job": Entry.objects.get(command="nightly-copies --all").pk,
        "run": copies.latest("pk").pk,
        "failed": Run.objects.filter(entry__command="sync-stock").latest("pk").pk,
        "going": Run.objects.filter(entry__command="import-orders").latest("pk").pk,
        "version": Version.objects.filter(table="root").latest("number").number,
        "user": User.objects.get(email="petra.novak@example.net").pk,
        "audit": AuditRow.objects.filter(act="job.disable").latest("pk").pk,
        "missed": f"{missed:%Y-%m-%dT%H:%M}",
    }


def tell() -> None:
    """Print what is known, as JSON."""
    print(json.dumps(known()))
