"""What a chunk writes: charges, transfers, balances, the new ends, verdicts, letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from billclock import clock
from billclock.billing import engine
from billclock.billing.charges import ChargeKind
from billclock.billing.daily.due import Scope
from billclock.billing.daily.funding import SPENDABLE
from billclock.billing.ledger import Cause
from billclock.billing.notifications import Telling, notify_many, notify_set
from billclock.billing.services import Outcome


def verdicts(scope: Scope, run: int | None, sequence: int) -> None:
    """Write what was decided for each service in `due`, with the numbers it was decided on."""
    engine.execute(
        f"""INSERT INTO billing_verdict
                (service_id, "on", sequence, outcome, need_minor, available_minor, run_id)
            SELECT d.service_id, {engine.day("on")}, {sequence},
                   CASE WHEN d.funded = 1 THEN {int(Outcome.RENEWED)}
                        ELSE {int(Outcome.UNFUNDED)} END,
                   d.need, {SPENDABLE}, %(run)s
            FROM (SELECT service_id, min(account_id) AS account_id, min(funded) AS funded,
                         sum(net_minor + tax_minor) AS need
                  FROM due GROUP BY service_id) d
            JOIN billing_ledgeraccount l ON l.id = d.account_id
            JOIN billing_account a ON a.funds_id = d.account_id
            ON CONFLICT DO NOTHING""",
        {**scope.values, "run": run},
    )


def charges(scope: Scope, run: int | None) -> int:
    """Insert the charges of what is funded; one that is there already is an IntegrityError."""
    return engine.execute(
        f"""INSERT INTO billing_charge
                (id, service_id, account_id, kind, addon, period_start, period_end, generation,
                 price_id, quantity, list_minor, discount_minor, net_minor, tax_minor,
                 tax_rate_id, "on", run_id)
            SELECT charge_id, service_id, account_id, kind, addon, starts, ends, generation,
                   price_id, quantity, list_minor, discount_minor, net_minor, tax_minor,
                   tax_rate_id, {engine.day("on")}, %(run)s
            FROM due WHERE funded = 1""",
        {**scope.values, "run": run},
    )


def transfers(scope: Scope, run: int | None) -> int:
    """Insert the transfers of the charges: the net to the revenue, the tax to its area."""
    values = {**scope.values, "run": run, "now": clock.now()}
    return sum(
        engine.execute(
            f"""INSERT INTO billing_transfer
                    (debit_id, credit_id, amount_minor, currency, "on", cause, source, sequence,
                     run_id, posted_at)
                SELECT d.account_id, d.{credit}, d.{amount}, l.currency, {engine.day("on")},
                       {int(cause)}, d.charge_id, 0, %(run)s, %(now)s
                FROM due d JOIN billing_ledgeraccount l ON l.id = d.account_id
                WHERE d.funded = 1 AND d.{amount} > 0""",
            values,
        )
        for credit, amount, cause in (
            ("revenue_id", "net_minor", Cause.CHARGE),
            ("tax_account_id", "tax_minor", Cause.CHARGE_TAX),
        )
    )


def balances() -> None:
    """Bring the balances of all accounts in `due` up to what was transferred."""
    _lock_ours()
    for account, change in (
        ("account_id", "-sum(net_minor + tax_minor)"),
        ("revenue_id", "sum(net_minor)"),
        ("tax_account_id", "sum(tax_minor)"),
    ):
        engine.execute(
            f"""UPDATE billing_ledgeraccount
                SET balance_minor = balance_minor + moved.change
                FROM (SELECT {account} AS id, CAST({change} AS bigint) AS change
                      FROM due WHERE funded = 1 AND {account} IS NOT NULL GROUP BY {account}) moved
                WHERE billing_ledgeraccount.id = moved.id"""
        )


def _lock_ours() -> None:
    """Take the revenue and tax accounts in the order of ledger.post, which other acts post by.

    The clients' accounts are locked already; without one order for ours two acts could wait for
    each other, and PostgreSQL would end one of them.
    """
    if engine.on_postgresql():
        engine.execute(
            """SELECT 1 FROM billing_ledgeraccount
               WHERE id IN (SELECT revenue_id FROM due WHERE funded = 1
                            UNION SELECT tax_account_id FROM due WHERE funded = 1)
               ORDER BY id FOR UPDATE"""
        )


def ends() -> int:
    """Move the ends of renewed services on, where they still are what was billed from."""
    return engine.execute(
        """UPDATE billing_service
           SET paid_until = renewed.ends, unfunded_since = NULL
           FROM (SELECT service_id, min(starts) AS starts, max(ends) AS ends
                 FROM due WHERE funded = 1 AND addon = 0 GROUP BY service_id) renewed
           WHERE billing_service.id = renewed.service_id
             AND billing_service.paid_until = renewed.starts"""
    )


def refused(scope: Scope) -> set[int]:
    """Remember since when services are without money; give the accounts of new ones.

    What has ended for good stays so: only its verdict says that its last use was not paid.
    """
    found = engine.rows(
        f"""UPDATE billing_service SET unfunded_since = {engine.day("on")}
            WHERE unfunded_since IS NULL AND status IN (2, 3, 5)
              AND (auto_renew OR paid_until > {engine.day("on")})
              AND id IN (SELECT service_id FROM due WHERE funded = 0)
            RETURNING account_id""",
        scope.values,
    )
    return {account for (account,) in found}


def left_out(scope: Scope, run: int | None) -> Counter[str]:
    """Write a verdict for what has ended and is not renewed, and for what has no price.

    A service that ended before and was told of so is not told again. Gives how many were
    `left_out`, and how many of them `not_priced`.
    """
    found = engine.rows(
        f"""INSERT INTO billing_verdict
                (service_id, "on", sequence, outcome, need_minor, available_minor, run_id)
            SELECT s.id, {engine.day("on")}, 0, it.outcome, 0, 0, %(run)s
            FROM (SELECT s.id, CASE WHEN NOT s.auto_renew THEN {int(Outcome.NO_AUTO_RENEWAL)}
                                    ELSE {int(Outcome.NOT_PRICED)} END AS outcome
                  FROM billing_service s
                  JOIN billing_account a ON a.funds_id = s.account_id
                  WHERE {scope.due} AND (s.stopped_for & 33) = 0
                    AND (NOT s.auto_renew OR NOT EXISTS (
                         SELECT 1 FROM price_now p WHERE p.product_id = s.product_id
                            AND p.addon = 0 AND p.currency = a.currency_id
                            AND p.months = s.months))) it
            JOIN billing_service s ON s.id = it.id
            WHERE 1 = 1
            ON CONFLICT DO NOTHING RETURNING outcome""",
        {**scope.values, "run": run},
    )
    unpriced = sum(outcome == Outcome.NOT_PRICED for (outcome,) in found)
    return Counter(left_out=len(found), not_priced=unpriced)


def letters(scope: Scope, refused: Iterable[int]) -> None:
    """Tell each account once of what was renewed, and of what from this date on is not.

    Charges by the day or hour are no news; `refused` are the accounts with something that was
    refused for the first time.
    """
    notify_set(
        "renewed",
        f"""SELECT account_id, 0, {engine.day("on")}, 0
            FROM due WHERE funded = 1 AND kind = {int(ChargeKind.PERIOD)} GROUP BY account_id""",
        scope.values,
        on=scope.on,
    )
    notify_many(
        [Telling(account, "not_renewed", period=scope.on) for account in sorted(refused)],
        on=scope.on,
    )
