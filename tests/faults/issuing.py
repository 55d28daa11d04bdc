"""Issues invoices in a process of its own: `issuing.py found`, `SEED COUNT` or `count`.

Some transactions are undone, some invoices only drafted, as it happens in a shop. Says `begun`
before the first invoice and `done` at the end.
"""

import os
import random
import sys
from datetime import UTC, date, datetime

os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"

from billclock.commands.prepare import ready

ready()

from django.db import transaction

from billclock import clock
from billclock.billing import invoice_posting, invoicing
from billclock.billing.charges import Charge
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.provider import Company
from tests.billing.charged import charge
from tests.billing.company import House

ON = date(2026, 12, 1)
ACCOUNTS = 4

if sys.argv[1] == "found":
    with transaction.atomic():
        house = House()
        accounts = [house.account(kind=Account.Kind.POSTPAID) for _ in range(ACCOUNTS)]
        for account in accounts:
            for _ in range(24):
                charge(house, account, 13)
    sys.exit()

if sys.argv[1] == "count":
    print(Invoice.objects.exclude(number="").count())
    sys.exit()


def issue(seed: int, step: int) -> None:
    """Issue an invoice over two charges that are on none, or give it up after its number."""
    account = accounts[chosen.randrange(len(accounts))]
    loose = Charge.objects.filter(account=account, invoice_line=None, net_minor__gt=0)
    fate = chosen.random()
    with transaction.atomic():
        invoice_posting.lock([account.pk])
        charges = list(loose.order_by("id")[:2])
        if not charges:
            return
        made = invoicing.draft(account, company, charges, key=f"{seed} {step}")
        if fate < 0.3:
            invoicing.cancel(made)
            return
        invoicing.issue(made, ON)
        transaction.set_rollback(fate > 0.7)


chosen = random.Random(sys.argv[1])
company = Company.objects.get()
accounts = list(Account.objects.select_related("client", "provider", "company").order_by("pk"))
print("begun", flush=True)
with clock.at(datetime(2026, 12, 1, tzinfo=UTC)):
    for step in range(int(sys.argv[2])):
        issue(int(sys.argv[1]), step)
print("done", flush=True)
