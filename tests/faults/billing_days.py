"""Bills a row of dates in a process of its own, to be killed at any moment: `billing_days.py DAYS`.

Founds the company where there is none. Says `begun` before the first date and `done` at the end.
"""

import os
import sys
from datetime import UTC, date, datetime, timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"

from billclock.commands.prepare import ready

ready()

from django.conf import settings

from billclock import clock
from billclock.billing import progress, sealing
from billclock.billing.daily import run
from billclock.billing.provider import Provider
from billclock.simulation import company

START = date(2026, 1, 28)

if not Provider.objects.exists():
    with clock.at(datetime(2026, 1, 28, tzinfo=UTC)):
        company.found(company.Size(240), START)
print("begun", flush=True)
provider = Provider.objects.get()
last = START + timedelta(days=int(sys.argv[1]))
first = START + timedelta(days=1)
marks = progress.Watermark.objects.filter(job=run.JOB)
while (on := max([first, *(mark.on + timedelta(days=1) for mark in marks.all())])) <= last:
    with clock.at(datetime.combine(on, datetime.min.time(), UTC)):
        run.bill(provider, on, run.Plan(chunk=25, workers=settings.BILLING_WORKERS or 1))
        sealing.seal(on)
print("done", flush=True)
