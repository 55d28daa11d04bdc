"""What was used over what a plan includes: by the day, or a finished period's peak at its end.

A day's use is the level at which it began, whenever the run is made. Days that could not be paid
are not charged later: the service is unfunded from then on, and stops when its grace is over.
"""

from __future__ import annotations

from collections.abc import Iterator

from billclock.billing import batches, engine, money
from billclock.billing.catalog import AddOn
from billclock.billing.charges import ChargeKind
from billclock.billing.daily.due import (
    LARGEST_PPM,
    SERVICE,
    TERMS,
    Scope,
    largest_discount,
    make_table,
    priced,
)
from billclock.billing.daily.pace import Pace

CLASSES = ("2, 3, 5", "1, 4")
"""The statuses of open services and of all others: either class has its own index by accounts.

A statement that names neither reads all services there are, for a few accounts too.
"""

DAILY, PEAK = int(AddOn.Billing.USED), int(AddOn.Billing.PEAK)

LEVEL = """CASE WHEN o.read_at IS NULL THEN o.used ELSE coalesce((
    SELECT r.amount FROM billing_reading r WHERE r.service_id = o.service_id
       AND r.addon_id = o.addon_id AND r."on" < {day} ORDER BY r.at DESC LIMIT 1), 0) END"""
"""What was in use when a day began; what was never read is as somebody set it."""

MOST_SINCE = """coalesce((SELECT max(r.amount) FROM billing_reading r
    WHERE r.service_id = o.service_id AND r.addon_id = o.addon_id AND r."on" >= {day}), 0)"""

USED_NOW = f"""i.billing = {DAILY} AND s.status = 2 AND s.stopped_for = 0
    AND s.paid_until > {{on}} AND {LEVEL.format(day="{on}")} > i.included"""

OVER = f"CASE WHEN i.billing = {PEAK} THEN o.peak ELSE {LEVEL.format(day='{on}')} END - i.included"

PEAK_DUE = f"""i.billing = {PEAK} AND s.status IN (2, 3, 4, 5) AND (o.peak_until <= {{on}}
    OR (s.status = 4 AND s.closed_on <= {{on}} AND o.peak_until IS NOT NULL)
    OR (o.peak_from IS NULL AND EXISTS (SELECT 1 FROM billing_charge c
        WHERE c.service_id = s.id AND c.kind = 1 AND c.addon = 0 AND c."on" = {{on}})))"""
"""A peak whose period has ended, renewed or not; one of unknown begin when a period is renewed."""

PEAK_BEGINS = f"""i.billing = {PEAK} AND s.status IN (2, 3, 5) AND o.peak_until IS NULL
    AND s.paid_until > {{on}}"""

STARTS = f"""CASE WHEN i.billing = {DAILY} OR o.peak_until IS NULL THEN {{on}}
    WHEN s.status = 4 AND s.closed_on < o.peak_until THEN s.closed_on ELSE o.peak_until END"""

ENDS = """CASE WHEN s.status = 4 OR s.paid_until <= {on} THEN NULL
    WHEN p.by_months THEN s.paid_until
    ELSE coalesce((SELECT min(c.period_end) FROM billing_charge c
        LEFT JOIN billing_reversal v ON v.charge_id = c.id
        WHERE c.service_id = s.id AND c.kind IN (1, 5, 6) AND c.addon = 0
          AND c.period_end > {on} AND v.id IS NULL), s.paid_until) END"""
"""The end of the period a date is in, though later ones may be paid; none where it is not paid."""


def lay_out(scope: Scope) -> None:
    """Price the use over the included amounts of a scope's services into `due`."""
    engine.require_stamped()
    make_table()
    for statuses in CLASSES:
        engine.execute(priced(_select(scope, statuses)), scope.values)


def start_peaks_again(scope: Scope) -> None:
    """Let the peaks of periods that have ended begin again with what was in use at their end."""
    for statuses in CLASSES:
        engine.execute(_begun_again(scope, statuses), scope.values)


def ranges(scope: Scope, pace: Pace, before: int = batches.LARGEST) -> Iterator[tuple[int, int]]:
    """Give the ranges of accounts past `scope.last` with some `pace.size` add-ons each to look at.

    All in one question: which add-ons these are is known by looking at every one.
    """
    looked_at = " UNION ALL ".join(map(_looked_at, CLASSES))
    found = engine.rows(
        f"""SELECT min(account_id), max(account_id) FROM (
                SELECT account_id,
                       (row_number() OVER (ORDER BY account_id) - 1) / %(size)s AS part
                FROM ({looked_at}) AS open_and_not
            ) AS numbered GROUP BY part ORDER BY part""",
        {**scope.values, "size": pace.size, "before": before},
    )
    reached = scope.last
    for first, last in found:
        if last > reached:
            yield max(first, reached + 1), last
            reached = last


def _looked_at(statuses: str) -> str:
    """Write the accounts of the add-ons to look at, a row each, of services of a class."""
    return f"""
        SELECT s.account_id
        FROM billing_serviceaddon o
        JOIN billing_addon i ON i.id = o.addon_id AND i.billing IN ({DAILY}, {PEAK})
        JOIN billing_service s ON s.id = o.service_id
        WHERE s.account_id > %(last)s AND s.account_id < %(before)s AND s.status IN ({statuses})
          AND (({_dated(USED_NOW)}) OR ({_dated(PEAK_DUE)}) OR ({_dated(PEAK_BEGINS)}))"""


def _dated(condition: str) -> str:
    return condition.format(on=engine.day("on"))


def _begun_again(scope: Scope, statuses: str) -> str:
    """Write the peaks that begin again, of services of a class."""
    begins = f"coalesce(o.peak_until, o.peak_from, {engine.day('on')})"
    level, most = LEVEL.format(day=begins), MOST_SINCE.format(day=begins)
    return f"""UPDATE billing_serviceaddon
        SET peak = next.peak, peak_from = next.begins, peak_until = next.ends
        FROM (SELECT o.id, {begins} AS begins, {_dated(ENDS)} AS ends,
                     CASE WHEN s.status = 4 THEN 0
                          WHEN {_dated(PEAK_DUE)} THEN {engine.greatest(level, most)}
                          ELSE o.peak END AS peak
              FROM billing_service s
              JOIN billing_account a ON a.funds_id = s.account_id
              JOIN billing_serviceaddon o ON o.service_id = s.id
              JOIN billing_addon i ON i.id = o.addon_id AND i.billing = {PEAK}
              JOIN billing_product g ON g.id = s.product_id
              JOIN billing_producttype p ON p.id = g.type_id
              WHERE {scope.accounts} AND s.status IN ({statuses})
                AND {scope.provided} AND {scope.billed}
                AND (({_dated(PEAK_DUE)}) OR ({_dated(PEAK_BEGINS)}))) next
        WHERE billing_serviceaddon.id = next.id"""


def _select(scope: Scope, statuses: str) -> str:
    """Write the lines of use, for the date; a peak's for the day on which its period ended.

    They are those of services of a class.
    """
    over, starts = f"({_dated(OVER)})", f"({_dated(STARTS)})"
    figure = money.from_micro_sql("q.unit_micro", "q.exponent", over)
    return f"""
        SELECT s.id AS service_id, o.addon_id AS addon, s.account_id,
               {int(ChargeKind.OVERAGE)} AS kind, {starts} AS starts,
               {engine.day("next")} AS ends, s.generation, q.price_id, {over} AS quantity,
               p.company_id, p.type_id, p.priority, p.revenue_id, p.gross, t.tax_rate_id,
               t.tax_account_id, coalesce(t.ppm, 0) AS tax_ppm,
               {largest_discount()} AS discount_ppm,
               CASE WHEN {money.product_fits_sql(f"q.unit_micro * {over}", LARGEST_PPM)}
                    THEN {figure} END AS list_minor
        {SERVICE}
        JOIN billing_serviceaddon o ON o.service_id = s.id
        JOIN billing_addon i ON i.id = o.addon_id AND i.billing IN ({DAILY}, {PEAK})
        JOIN price_now q ON q.product_id = s.product_id AND q.addon = o.addon_id
             AND q.currency = a.currency_id AND q.months = s.months
        {TERMS}
        WHERE {scope.accounts} AND s.status IN ({statuses}) AND {scope.provided}
          AND {over} > 0 AND q.unit_micro > 0 AND {scope.billed}
          AND (({_dated(USED_NOW)}) OR ({_dated(PEAK_DUE)}))
          AND NOT EXISTS (SELECT 1 FROM billing_charge c WHERE c.service_id = s.id
              AND c.kind = {int(ChargeKind.OVERAGE)} AND c.addon = o.addon_id
              AND c.period_start = {starts} AND c.generation = s.generation)
    """
