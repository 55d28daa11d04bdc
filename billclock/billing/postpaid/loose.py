"""What accounts that pay afterwards have on no invoice: found by set, read line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from billclock.billing import engine, invoice_lines, parties
from billclock.billing.clients import Account
from billclock.billing.invoice_lines import Charged
from billclock.billing.postpaid.month import Month

_PAYS_LATER = """(a.kind = 3 OR a.kind = 2 AND %(credit)s = 1)
    AND NOT EXISTS (SELECT 1 FROM billing_parked k WHERE k.account_id = a.funds_id)"""

_LOOSE = """c.net_minor + c.tax_minor > 0
    AND NOT EXISTS (SELECT 1 FROM billing_invoiceline l WHERE l.charge_id = c.id)
    AND NOT EXISTS (SELECT 1 FROM billing_reversal r WHERE r.charge_id = c.id)"""


def _pays_later() -> str:
    """Give the condition that accounts (a) are the provider's, pay later and are not parked."""
    return f"{engine.sifted('a.provider_id')} = %(provider)s AND {_PAYS_LATER}"


@dataclass(frozen=True, slots=True)
class Owing:
    """What an account has on no invoice by the end of a month: charges, and the month's sum."""

    account: int
    currency: str
    charges: int
    minor: int


def owing(month: Month) -> list[Owing]:
    """Find who has something on no invoice by the end of a month, in the order of accounts."""
    since, until = engine.day("since"), engine.day("until")
    found = engine.rows(
        f"""SELECT a.funds_id, a.currency_id, count(*),
                   sum(CASE WHEN c."on" >= {since} THEN c.net_minor + c.tax_minor ELSE 0 END)
            FROM billing_account a
            JOIN billing_charge c ON c.account_id = a.funds_id AND c."on" < {until}
            WHERE {_pays_later()} AND {_LOOSE}
            GROUP BY a.funds_id, a.currency_id ORDER BY a.funds_id""",  # noqa: S608
        month.values,
    )
    return [Owing(account, code, count, int(minor)) for account, code, count, minor in found]


def charged(month: Month, first: int, last: int) -> tuple[list[Charged], dict[int, Account]]:
    """Read what a range's invoices are to be over, and the accounts they are of.

    Money pays the oldest debt first. So of what an account owes beyond its open invoices, the
    charges that are on none are unpaid from the newest one back: an early one belongs to a debt
    if those after it do not make the debt up.
    """
    values = {**month.values, "first": first, "last": last}
    engine.scratch("to_invoice", "charge_id bigint PRIMARY KEY, account_id bigint")
    engine.execute(
        f"""INSERT INTO to_invoice (charge_id, account_id)
            WITH owing AS (
                SELECT a.funds_id AS account_id, -h.balance_minor - coalesce((
                       SELECT sum(i.net_minor + i.tax_minor - coalesce((
                              SELECT sum(n.net_minor + n.tax_minor) FROM billing_invoice n
                              WHERE n.account_id = i.account_id AND n.credits_id = i.id), 0))
                       FROM billing_invoice i
                       WHERE i.account_id = a.funds_id AND i.kind = 'invoice'
                         AND i.state IN ('issued', 'closed') AND i.paid_on IS NULL), 0) AS debt
                FROM billing_account a JOIN billing_ledgeraccount h ON h.id = a.funds_id
                WHERE a.funds_id BETWEEN %(first)s AND %(last)s AND {_pays_later()}),
            loose AS (
                SELECT c.id, c.account_id, c."on", owing.debt,
                       sum(c.net_minor + c.tax_minor) OVER (
                           PARTITION BY c.account_id ORDER BY c."on" DESC, c.id DESC)
                       - c.net_minor - c.tax_minor AS newer
                FROM billing_charge c JOIN owing ON owing.account_id = c.account_id
                WHERE {_LOOSE})
            SELECT id, account_id FROM loose
            WHERE "on" < {engine.day("until")}
              AND ("on" >= {engine.day("since")} OR newer < debt)""",  # noqa: S608
        values,
    )
    found = accounts(key for (key,) in engine.rows("SELECT account_id FROM to_invoice"))
    languages = {key: parties.language(account) for key, account in found.items()}
    wanted = "c.id IN (SELECT charge_id FROM to_invoice)"
    return invoice_lines.charged(wanted, {}, languages), found


def accounts(keys: Iterable[int]) -> dict[int, Account]:
    """Read accounts with all that their documents name."""
    related = ("client", "company", "provider", "payer", "funds")
    found = Account.objects.select_related(*related).prefetch_related("client__contacts")
    return found.in_bulk(sorted(set(keys)))
