"""Who can pay what is due: whole accounts by set, the few that fall short one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from billclock.billing import engine

SPENDABLE = "l.balance_minor - CASE WHEN a.credit_blocked THEN 0 ELSE l.floor_minor END"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What renewing a service takes, in minor units."""

    account: int
    service: int
    need: int


def decide(renewals: Iterable[Renewal], spendable: int) -> Iterator[Renewal]:
    """Give those of one account's renewals, in their order, that what remains does not cover.

    One that cannot be renewed does not block a smaller one after it; one that costs nothing is
    renewed whatever the account owes.
    """
    for renewal in renewals:
        if renewal.need <= max(spendable, 0):
            spendable -= renewal.need
        else:
            yield renewal


def settle() -> int:
    """Mark in `due` what cannot be paid, and give the number of services.

    Money goes first to the type of highest priority, then to what ended first, then by id.
    """
    short = dict(
        engine.rows(
            f"""SELECT d.account_id, {SPENDABLE}
                FROM (SELECT account_id, sum(net_minor + tax_minor) AS need
                      FROM due GROUP BY account_id) d
                JOIN billing_ledgeraccount l ON l.id = d.account_id
                JOIN billing_account a ON a.funds_id = d.account_id
                WHERE d.need > 0 AND d.need > {SPENDABLE}"""
        )
    )
    if not short:
        return 0
    unfunded = [
        renewal.service
        for account, renewals in groupby(_in_order(short), key=lambda r: r.account)
        for renewal in decide(renewals, short[account])
    ]
    engine.scratch("unfunded", "service_id bigint PRIMARY KEY")
    engine.insert("unfunded", ("service_id",), [(service,) for service in unfunded])
    engine.execute(
        "UPDATE due SET funded = 0 WHERE service_id IN (SELECT service_id FROM unfunded)"
    )
    return len(unfunded)


def _in_order(accounts: Iterable[int]) -> Iterator[Renewal]:
    engine.scratch("short", "account_id bigint PRIMARY KEY")
    engine.insert("short", ("account_id",), [(account,) for account in accounts])
    found = engine.rows(
        """SELECT account_id, service_id, sum(net_minor + tax_minor)
           FROM due WHERE account_id IN (SELECT account_id FROM short)
           GROUP BY account_id, service_id
           ORDER BY account_id, max(priority) DESC, min(starts), service_id"""
    )
    return (Renewal(*row) for row in found)


def of_account(account: int) -> tuple[int, int]:
    """Give what all that lies in `due` needs, and what an account has to spend, in minor units."""
    ((need, spendable),) = engine.rows(
        f"""SELECT (SELECT coalesce(sum(net_minor + tax_minor), 0) FROM due), {SPENDABLE}
            FROM billing_account a JOIN billing_ledgeraccount l ON l.id = a.funds_id
            WHERE a.funds_id = %(account)s""",
        {"account": account},
    )
    return int(need), int(spendable)
