"""How long do the lists of the books take among a million services, however filtered?

Each page is asked for as in bench/pages.py. The books are those of bench/billing.py: a company in
its first days, one date billed; payments and invoices are added, one an account. They lie where
BILLCLOCK_HOME and BILLCLOCK_DATABASE say, and are made there if they are not.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from _print import show
from pages import measured, page

LISTS = {
    "clients": ("", "q=Nordlicht"),
    "client-accounts": ("", "q=A77"),
    "services": ("", "q=S777", "state=2", "state=3"),
    "charges": ("", "kind=1", "kind=4", "kind=2", "state=reversed", "since_on=2026-11-23",
                "q=S777", "product=1"),
    "payments": ("", "state=4", "state=6", "purpose=top-up", "purpose=renewal", "method=1",
                 "created_on_since=2026-11-23", "q=A777"),
    "invoices": ("", "state=unpaid", "kind=invoice", "kind=credit+note", "company=1", "q=A777"),
    "letters": ("", "kind=renewed", "kind=expiring", "state=sent", "state=queued", "state=failed",
                "state=untold", "q=A777"),
}  # fmt: skip
ADDED = (
    """INSERT INTO billing_payment (key, number, account_id, method_id, purpose, state,
           amount_minor, refunded_minor, created_at, created_on, credited_on, tries, decline)
       SELECT 'bench ' || a.number, 'P' || a.number, a.funds_id,
              (SELECT min(id) FROM billing_paymentmethod), 'top-up',
              CASE WHEN a.funds_id %% 997 = 0 THEN 6 ELSE 4 END, 1000, 0,
              '2026-11-01 00:00:00+00:00', '2026-11-01', '2026-11-01', 0, ''
       FROM billing_account a""",
    """INSERT INTO billing_invoice (kind, key, company_id, account_id, currency, state, number,
           issued_on, due_on, paid_on, net_minor, tax_minor, rounding_minor, covered_minor, note,
           seller, buyer, digest, pdf_digest)
       SELECT 'invoice', 'bench ' || a.number, a.company_id, a.funds_id, a.currency_id, 'issued',
              'B' || a.number, '2026-11-01', '2026-11-15',
              CASE WHEN a.funds_id %% 97 <> 0 THEN '2026-11-02'{date} END, 1000, 0, 0, 0, '',
              '{{}}', '{{}}', '', ''
       FROM billing_account a""",
)


def main() -> None:
    """Measure each list as it comes, and with each filter."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--services", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--lists", nargs="*", default=list(LISTS))
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    client = prepare(chosen.services)
    rows: list[dict[str, Any]] = []
    for name in chosen.lists:
        for sift in LISTS[name]:
            figures = measured(page(client, f"/{name}?{sift}"), chosen.times)
            rows.append({"list": name, "filter": sift or "none", **figures})
    show("Lists of the books", rows, as_json=chosen.json)


def prepare(services: int) -> Any:
    """Make the books unless they are there, and give a signed-in browser."""
    os.environ.setdefault("BILLCLOCK_SECRET_KEY", "for a bench only")
    os.environ |= {
        "BILLCLOCK_ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "billclock.settings",
    }
    import django

    django.setup()
    from django.test import Client

    from billclock.accounts.models import Role, User
    from billclock.billing import engine
    from billclock.billing.models import Payment, Provider
    from billclock.commands.prepare import ready

    ready()
    if not Provider.objects.exists():
        books = Path(__file__).resolve().parent / "_books.py"
        for what in ("found", "whole"):
            subprocess.run([sys.executable, str(books), what, str(services)], check=True)
    if not Payment.objects.exists():
        for statement in ADDED:
            engine.execute(statement.format(date="::date" if engine.on_postgresql() else ""))
        engine.execute("ANALYZE")
    user = User.objects.filter(role=Role.ROOT).first() or User.objects.create_user(
        "bench@example.net", role=Role.ROOT
    )
    client = Client()
    client.force_login(user)
    return client


if __name__ == "__main__":
    main()
