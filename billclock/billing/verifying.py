"""What must hold at any moment (spec: money): each invariant as a query for what breaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from billclock.billing import closing, engine, insert_only, sealing

MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that does not hold, and where."""

    invariant: str
    what: str


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must hold, and a query whose every row tells of one breach in its columns."""

    name: str
    told: str
    query: str


_TILES = """SELECT c.service_id, c.period_start, c.period_end FROM billing_charge c
            LEFT JOIN billing_reversal r ON r.charge_id = c.id
            WHERE c.kind IN (1, 5, 6, 7) AND c.addon = 0 AND r.id IS NULL"""

INVARIANTS = (
    Invariant(
        "per currency, debits equal credits",
        "the balances of {0} sum to {1}, not to 0",
        """SELECT currency, sum(balance_minor) FROM billing_ledgeraccount
           GROUP BY currency HAVING sum(balance_minor) <> 0""",
    ),
    Invariant(
        "a transfer stays within one currency",
        "transfer {0} moves {1} between accounts of {2} and {3}",
        """SELECT t.id, t.currency, d.currency, c.currency FROM billing_transfer t
           LEFT JOIN billing_ledgeraccount d ON d.id = t.debit_id
           LEFT JOIN billing_ledgeraccount c ON c.id = t.credit_id
           WHERE d.id IS NULL OR c.id IS NULL
              OR t.currency <> d.currency OR t.currency <> c.currency""",
    ),
    Invariant(
        "every balance equals its transfers",
        "the account of {0} ({1}) holds {2}, its transfers give {3}",
        """SELECT a.owner, a.currency, a.balance_minor, coalesce(m.moved, 0)
           FROM billing_ledgeraccount a
           LEFT JOIN (SELECT id, sum(amount) AS moved FROM (
                SELECT credit_id AS id, amount_minor AS amount FROM billing_transfer
                UNION ALL
                SELECT debit_id, -amount_minor FROM billing_transfer) sides GROUP BY id) m
             ON m.id = a.id
           WHERE a.balance_minor <> coalesce(m.moved, 0)""",
    ),
    Invariant(
        "a service's charged periods tile",
        "service {0}: a period begins on {1}, the one before ends on {2}",
        f"""SELECT s.number, t.period_start, t.before FROM (
                SELECT service_id, period_start,
                       lag(period_end) OVER (PARTITION BY service_id
                                             ORDER BY period_start, period_end) AS before
                FROM ({_TILES}) live) t
            JOIN billing_service s ON s.id = t.service_id
            WHERE t.before IS NOT NULL AND t.before <> t.period_start""",  # noqa: S608
    ),
    Invariant(
        "a service is paid until its last charged period ends",
        "service {0} is paid until {1}, its last charge ends on {2}",
        f"""SELECT s.number, s.paid_until, t.ends FROM billing_service s
            JOIN (SELECT service_id, max(period_end) AS ends FROM ({_TILES}) live
                  GROUP BY service_id) t ON t.service_id = s.id
            WHERE s.paid_until <> t.ends AND s.status <> 4""",  # noqa: S608
    ),
    Invariant(
        "no charge without its transfers",
        "charge {0}: {1} were to be posted, {2} were",
        """SELECT c.id, c.net_minor + c.tax_minor, coalesce(t.posted, 0) FROM billing_charge c
           LEFT JOIN (SELECT source, sum(amount_minor) AS posted FROM billing_transfer
                      WHERE cause IN (1, 2) GROUP BY source) t ON t.source = c.id
           WHERE c.net_minor + c.tax_minor <> coalesce(t.posted, 0)""",
    ),
    Invariant(
        "no transfer without its source",
        "transfer {0} (cause {1}) names source {2}, which is not there",
        """SELECT t.id, t.cause, t.source FROM billing_transfer t
           LEFT JOIN billing_charge c ON c.id = t.source AND t.cause IN (1, 2)
           LEFT JOIN billing_payment p ON p.id = t.source AND t.cause = 3
           LEFT JOIN billing_transfer r ON r.id = t.source AND t.cause = 12
           LEFT JOIN billing_invoice i ON i.id = t.source AND t.cause = 9
           LEFT JOIN billing_handentry h ON h.id = t.source AND t.cause = 13
           WHERE (t.cause IN (1, 2) AND c.id IS NULL) OR (t.cause = 3 AND p.id IS NULL)
              OR (t.cause = 9 AND i.id IS NULL) OR (t.cause = 13 AND h.id IS NULL)
              OR (t.cause = 12 AND (r.id IS NULL OR t.reverses_id <> t.source))""",
    ),
    Invariant(
        "a charge is of its service's account",
        "charge {0} is of account {1}, its service of {2}",
        """SELECT c.id, c.account_id, s.account_id FROM billing_charge c
           LEFT JOIN billing_service s ON s.id = c.service_id
           WHERE s.id IS NULL OR s.account_id <> c.account_id""",
    ),
    Invariant(
        "a reversed charge's transfers are reversed",
        "charge {0} was taken back, {1} of its transfers were not",
        """SELECT r.charge_id, count(*) FROM billing_reversal r
           JOIN billing_transfer t ON t.cause IN (1, 2) AND t.source = r.charge_id
           LEFT JOIN billing_transfer b ON b.reverses_id = t.id
           WHERE b.id IS NULL GROUP BY r.charge_id""",
    ),
    Invariant(
        "captured money equals posted payments",
        "payment {0} is credited with {1}, transfers give {2}",
        """SELECT p.number, p.amount_minor, coalesce(t.posted, 0) FROM billing_payment p
           LEFT JOIN (SELECT source, sum(amount_minor) AS posted FROM billing_transfer
                      WHERE cause = 3 GROUP BY source) t ON t.source = p.id
           WHERE (p.credited_on IS NULL AND coalesce(t.posted, 0) <> 0)
              OR (p.credited_on IS NOT NULL AND coalesce(t.posted, 0) <> p.amount_minor)""",
    ),
    Invariant(
        "a captured attempt's payment is credited",
        "attempt {0} took the money of payment {1}, which is not credited",
        """SELECT a.key, p.number
           FROM billing_attempt a JOIN billing_payment p ON p.id = a.payment_id
           WHERE a.action = 'charge' AND a.state = 'captured' AND p.credited_on IS NULL""",
    ),
    Invariant(
        "returned money equals its transfers",
        "of payment {0} went back {1}, transfers give {2}",
        """SELECT p.number, p.refunded_minor, coalesce(t.gone, 0) FROM billing_payment p
           LEFT JOIN (SELECT r.source, sum(CASE WHEN r.debit_id = q.account_id
                                           THEN r.amount_minor ELSE -r.amount_minor END) AS gone
                      FROM billing_transfer r JOIN billing_payment q ON q.id = r.source
                      WHERE r.cause IN (4, 5) GROUP BY r.source) t ON t.source = p.id
           WHERE p.refunded_minor <> coalesce(t.gone, 0)""",
    ),
    Invariant(
        "money entered by hand is what was posted",
        "entry by hand {0} says {1}, its transfers give {2}",
        """SELECT m.id, m.amount_minor, m.moved FROM (
                SELECT h.id, h.amount_minor,
                       coalesce(CASE WHEN t.credit_id = h.account_id THEN t.amount_minor
                                     WHEN t.debit_id = h.account_id THEN -t.amount_minor END,
                                0) AS moved
                FROM billing_handentry h
                LEFT JOIN billing_transfer o ON o.cause = 13
                  AND o.source = coalesce(h.takes_back_id, h.id)
                LEFT JOIN billing_transfer b ON b.reverses_id = o.id
                LEFT JOIN billing_transfer t
                  ON t.id = CASE WHEN h.takes_back_id IS NULL THEN o.id ELSE b.id END) m
           WHERE m.moved <> m.amount_minor""",
    ),
    Invariant(
        "a service is stopped for its suspensions",
        "service {0} is stopped for {1}, its suspensions say {2}",
        """SELECT s.number, s.stopped_for, coalesce(u.reasons, 0) FROM billing_service s
           LEFT JOIN (SELECT service_id, sum(reason) AS reasons FROM billing_suspension
                      WHERE lifted_on IS NULL GROUP BY service_id) u ON u.service_id = s.id
           WHERE s.stopped_for <> coalesce(u.reasons, 0)""",
    ),
    Invariant(
        "what billing stopped has its verdict",
        "service {0} was suspended on {1} without a verdict",
        """SELECT s.number, u.on FROM billing_suspension u
           JOIN billing_service s ON s.id = u.service_id
           LEFT JOIN billing_verdict v ON v.id = u.verdict_id AND v.service_id = u.service_id
           WHERE u.reason IN (1, 2, 32) AND v.id IS NULL""",
    ),
    Invariant(
        "an issued invoice's lines give its totals",
        "invoice {0} says {1} and tax {2}, its lines {3} and {4}",
        """SELECT i.number, i.net_minor, i.tax_minor,
                  coalesce(sum(l.net_minor), 0), coalesce(sum(l.tax_minor), 0)
           FROM billing_invoice i LEFT JOIN billing_invoiceline l ON l.invoice_id = i.id
           WHERE i.state IN ('issued', 'closed')
           GROUP BY i.id, i.number, i.net_minor, i.tax_minor
           HAVING i.net_minor <> coalesce(sum(l.net_minor), 0)
               OR i.tax_minor <> coalesce(sum(l.tax_minor), 0)""",
    ),
    Invariant(
        "an issued invoice is what its charges and its rounding posted",
        "{0} {1} is over {2}, its charges are {3}, its rounding {4}",
        """SELECT i.kind, i.number, i.net_minor + i.tax_minor, c.posted, coalesce(m.moved, 0)
           FROM billing_invoice i
           JOIN (SELECT l.invoice_id, sum(c.net_minor + c.tax_minor) AS posted
                 FROM billing_invoiceline l
                 LEFT JOIN billing_invoiceline o ON o.id = l.takes_back_id
                 JOIN billing_charge c ON c.id = coalesce(l.charge_id, o.charge_id)
                 GROUP BY l.invoice_id) c ON c.invoice_id = i.id
           LEFT JOIN (SELECT t.source, sum(CASE WHEN t.debit_id = i.account_id
                             THEN t.amount_minor ELSE -t.amount_minor END) AS moved
                      FROM billing_transfer t JOIN billing_invoice i ON i.id = t.source
                      WHERE t.cause = 9 AND i.account_id IN (t.debit_id, t.credit_id)
                      GROUP BY t.source) m ON m.source = i.id
           WHERE i.state IN ('issued', 'closed')
             AND i.net_minor + i.tax_minor - c.posted <>
                 CASE WHEN i.kind = 'credit note' THEN -1 ELSE 1 END * coalesce(m.moved, 0)""",
    ),
    Invariant(
        "the numbers of documents have no gap",
        "of {0} {1} in {2} the last number is {3}; {4} have one, the highest {5}",
        """SELECT c.code, s.kind, s.year, s.last, count(i.id), coalesce(max(i.place), 0)
           FROM billing_numbersequence s JOIN billing_company c ON c.id = s.company_id
           LEFT JOIN billing_invoice i ON i.sequence_id = s.id
           WHERE s.kind IN ('invoice', 'request', 'credit note')
           GROUP BY s.id, c.code, s.kind, s.year, s.last
           HAVING count(i.id) <> s.last OR coalesce(max(i.place), 0) <> s.last""",
    ),
    Invariant(
        "a letter is in the outbox once",
        "notice {0} of account {1} names the message {2}, which is not there",
        """SELECT n.kind, n.account_id, n.message FROM billing_notice n
           LEFT JOIN outbox_message m ON m.dedupe_key = n.message
           WHERE n.message <> '' AND m.id IS NULL""",
    ),
    Invariant(
        "every billing run left each due service with an outcome",
        "service {0} ended on {1} and has no verdict of {2}",
        """SELECT s.number, s.paid_until, w.on FROM billing_watermark w
           JOIN billing_account a ON a.provider_id = w.provider_id
           JOIN billing_service s ON s.account_id = a.funds_id
           LEFT JOIN billing_verdict v ON v.service_id = s.id AND v.on = w.on
           LEFT JOIN billing_parked k ON k.account_id = s.account_id
           WHERE w.job = 'billdaily' AND s.paid_until <= w.on AND s.opened_on <= w.on
             AND s.status IN (2, 3, 5) AND s.stopped_for = 0 AND v.id IS NULL AND k.id IS NULL
             AND (s.held_until IS NULL OR s.held_until <= w.on)""",
    ),
)


def breaches() -> Iterator[Breach]:
    """Check every invariant and give what breaches it, at most MOST_LISTED each."""
    for invariant in INVARIANTS:
        for row in engine.rows(f"{_quoted(invariant.query)} LIMIT {MOST_LISTED}"):
            yield Breach(invariant.name, invariant.told.format(*row))
    for name, found in _OTHERS:
        for what in found():
            yield Breach(name, what)


def _quoted(query: str) -> str:
    """Quote the columns named `on`, a word of SQL."""
    return query.replace("v.on ", 'v."on" ').replace("w.on", 'w."on"').replace("u.on", 'u."on"')


def _seals() -> Iterator[str]:
    for breach in sealing.check():
        yield f"the day {breach.seal.on} was sealed otherwise"


def _triggers() -> list[str]:
    return [f"{name} is possible" for name in insert_only.unguarded(connection)]


_OTHERS: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("a sealed day stays as it was", _seals),
    ("the books are only added to", _triggers),
    ("a closed document stays as it was sealed", closing.changed),
)

COUNT = len(INVARIANTS) + len(_OTHERS)
"""How many invariants a check goes through."""
