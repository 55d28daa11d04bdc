"""Credit limits: taken away while a debt is overdue, given back when it is paid."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from billclock.billing import engine
from billclock.billing.clients import Account
from billclock.billing.provider import Provider


@transaction.atomic
def settle(provider: Provider, on: date, account: Account | None = None) -> tuple[int, int]:
    """Block the limits of accounts (one, or all of a provider) whose debt is overdue, free others.

    Gives how many were blocked and how many freed. With invoices a debt is overdue when one is
    open past its day; without them when some of it is older than the account's days. Money pays
    the oldest debt first, so that is so when a debt is more than what was charged since.
    """
    overdue = _INVOICE if provider.invoices_for_credit else _CHARGES.format(since=_since())
    values: dict[str, object] = {"provider": provider.pk, "on": on.isoformat()}
    only = ""
    if account is not None:
        only = " AND a.funds_id = %(account)s"
        values["account"] = account.pk
    if engine.on_postgresql():
        locked = engine.rows(_dated(_LOCK + only, which=overdue) + _IN_ORDER, values)
        only = " AND a.funds_id = ANY(%(locked)s)"
        values["locked"] = [key for (key,) in locked]
    blocked = engine.execute(_dated(_SET + only, now="true", which=overdue), values)
    freed = engine.execute(_dated(_SET + only, now="false", which=f"NOT {overdue}"), values)
    return blocked, freed


_SET = """UPDATE billing_account AS a SET credit_blocked = {now}
    WHERE a.provider_id = %(provider)s AND a.kind = 2 AND a.credit_blocked <> {now} AND {which}"""

_LOCK = """SELECT a.funds_id FROM billing_account a
    JOIN billing_ledgeraccount l ON l.id = a.funds_id
    WHERE a.provider_id = %(provider)s AND a.kind = 2 AND a.credit_blocked <> ({which})"""
_IN_ORDER = " ORDER BY l.id FOR UPDATE OF l"
"""What would change is locked first, as by whoever posts there, and then looked at again: money
that comes in while a statement goes over all accounts is not seen by it."""

_INVOICE = """EXISTS (
    SELECT 1 FROM billing_invoice i
    WHERE i.account_id = a.funds_id AND i.kind = 'invoice' AND i.state IN ('issued', 'closed')
      AND i.paid_on IS NULL AND i.due_on < {on})"""

_CHARGES = """EXISTS (
    SELECT 1 FROM billing_ledgeraccount h
    WHERE h.id = a.funds_id AND h.balance_minor < 0 AND -h.balance_minor > coalesce((
          SELECT sum(c.net_minor + c.tax_minor) FROM billing_charge c
          WHERE c.account_id = a.funds_id AND c."on" > {since} AND NOT EXISTS (
                SELECT 1 FROM billing_reversal r WHERE r.charge_id = c.id)), 0))"""


def _dated(statement: str, **parts: str) -> str:
    return statement.format(**parts).replace("{on}", engine.day("on"))


def _since() -> str:
    """Give the last day whose charges are overdue, as an expression on accounts (a)."""
    if engine.on_postgresql():
        return "{on} - CAST(a.credit_due_days AS integer) - 1"
    return "date({on}, '-' || (a.credit_due_days + 1) || ' days')"
