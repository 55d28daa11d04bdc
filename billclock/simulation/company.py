"""A hosting company of any size, made by set statements: every kind of account and service.

Everything follows from a row's number, so the same size gives the same company.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from billclock import clock
from billclock.billing import engine, ledger, periods
from billclock.billing.catalog import Cycle
from billclock.billing.errors import BillingError
from billclock.billing.provider import Provider
from billclock.simulation import names, offers, payers, stock
from billclock.simulation.stock import Stock

SERVICES_EACH = 4
"""Services of an account."""

HORIZON = 366
"""Days over which the first ends are spread."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many services, and for how many months of its prices accounts have money at first."""

    services: int
    months_of_money: int = 1

    @property
    def accounts(self) -> int:
        """Give the number of accounts."""
        return -(-self.services // SERVICES_EACH)


# The products by two digits that follow from a service's number: up to which, product, months.
SHARES = (
    (40, "web-s", 1), (50, "web-s", 12), (58, "web-l", 1), (62, "web-l", 3), (70, "vps-2", 1),
    (72, "vps-2", 12), (77, "cloud", 0), (82, "backup", 1), (94, "domain", 12), (99, "metal", 1),
    (100, "metal", 12),
)  # fmt: skip


SITE = ("site", ".example")
CALLED = {
    "vps-2": ("vps", ".example"), "cloud": ("node", ".example"), "backup": ("copy", ""),
    "metal": ("server", ".example"),
}  # fmt: skip
"""What stands before and behind a service's number in its name, by product."""


@transaction.atomic
def found(size: Size, since: date) -> Provider:
    """Found the company on a day, with all its clients; raises BillingError where one is there."""
    if Provider.objects.exists():
        raise BillingError(
            "there is a provider here already",
            "a demonstration needs a folder of its own: set BILLCLOCK_HOME to an empty one",
        )
    goods = stock.lay_in(since)
    offers.lay_out(goods.company, goods.groups, since)
    values = {
        "accounts": size.accounts,
        "services": size.services,
        "since": since.isoformat(),
        "now": clock.now(),
        "provider": goods.provider.pk,
        "company": goods.company.pk,
        "partners": goods.groups[0].pk,
        "friends": goods.groups[1].pk,
        "each": SERVICES_EACH,
        "months": size.months_of_money,
    }
    _number(max(size.accounts, 1), "account_numbers")
    _number(size.services, "service_numbers")
    _clients(values)
    _money(values)
    _services(goods, since, values)
    _odd_ones(goods, values)
    return goods.provider


def _number(most: int, table: str) -> None:
    engine.scratch(table, "n bigint PRIMARY KEY")
    engine.execute(
        f"""INSERT INTO {table} (n)
            WITH RECURSIVE counted(n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < %(most)s)
            SELECT n FROM counted""",
        {"most": most},
    )


CURRENCY = (
    "CASE WHEN n %% 50 = 7 THEN 'JPY' WHEN n %% 50 = 9 THEN 'KWD' WHEN n %% 10 = 3 THEN 'USD' "
    "ELSE 'EUR' END"
)
COUNTRY = "CASE n %% 10 WHEN 0 THEN 'US' WHEN 1 THEN 'FR' ELSE 'DE' END"
READS_RUSSIAN = "n %% 7 = 1"
KIND = "CASE WHEN n %% 20 IN (2, 11) THEN 2 WHEN n %% 20 IN (4, 14) THEN 3 ELSE 1 END"
PHONE = (
    "CASE WHEN n %% 4 = 0 THEN '' ELSE CASE "
    + COUNTRY
    + " WHEN 'US' THEN '+1503555' WHEN 'FR' THEN '+3347255' ELSE '+494055' END"
    " || (10000 + n %% 90000) END"
)


def _named(firm: str) -> str:
    """Give the condition that joins a number's name (w): a firm's, or a person's."""
    return (
        f"w.language = CASE WHEN {READS_RUSSIAN} THEN 'ru' ELSE {COUNTRY} END "
        f"AND w.firm = {firm} AND w.place = (n * 89) %% w.places"
    )


def _clients(values: engine.Values) -> None:
    """Open a client, a contact and an account each: prepaid, with credit, postpaid."""
    names.lay_out()
    engine.execute(
        f"""INSERT INTO billing_client (number, name, kind, country, registered_on,
                never_suspended, analytics_id, closed)
            SELECT 'C' || n, w.name, 1 + n %% 3, {COUNTRY}, {engine.day("since")},
                   FALSE, '', FALSE
            FROM account_numbers JOIN names w ON {_named("CASE n %% 3 WHEN 1 THEN 1 ELSE 0 END")}
            ORDER BY n""",
        values,
    )
    engine.execute(
        f"""INSERT INTO billing_contact (client_id, name, email, phone, sms, language)
            SELECT c.id, w.name, 'client' || n || '@client.example', {PHONE}, FALSE,
                   CASE WHEN {READS_RUSSIAN} THEN 'ru' ELSE 'en' END
            FROM account_numbers
            JOIN billing_client c ON c.number = 'C' || n
            JOIN names w ON {_named("0")} ORDER BY n""",
        values,
    )
    _bookkeepers(values)
    payers.make(values)
    engine.execute(
        f"""INSERT INTO billing_ledgeraccount
                (kind, owner, currency, exponent, balance_minor, floor_minor)
            SELECT 1, 'A' || n, {CURRENCY},
                   CASE {CURRENCY} WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 ELSE 2 END, 0,
                   CASE {KIND} WHEN 2 THEN -5000 WHEN 3 THEN {ledger.UNLIMITED} ELSE 0 END
            FROM account_numbers ORDER BY n""",
        values,
    )
    engine.execute(
        f"""INSERT INTO billing_account (funds_id, number, client_id, provider_id, company_id,
                currency_id, group_id, payer_id, kind, credit_due_days, credit_blocked, tax_area,
                reverse_charge, never_suspended)
            SELECT l.id, l.owner, c.id, %(provider)s, %(company)s, l.currency,
                   CASE WHEN n %% 25 = 4 THEN %(partners)s WHEN n %% 200 = 5 THEN %(friends)s END,
                   p.id, {KIND}, 30, FALSE, c.country,
                   c.country <> 'DE' AND p.tax_number_checked_at IS NOT NULL, FALSE
            FROM account_numbers
            JOIN billing_ledgeraccount l ON l.kind = 1 AND l.owner = 'A' || n
                 AND l.currency = {CURRENCY}
            JOIN billing_client c ON c.number = 'C' || n
            LEFT JOIN billing_payer p ON p.client_id = c.id""",
        values,
    )


def _bookkeepers(values: engine.Values) -> None:
    """Give some firms a second person, who reads each month how their finances stand."""
    engine.execute(
        f"""INSERT INTO billing_contact (client_id, name, email, phone, sms, language)
            SELECT c.id, w.name, 'books' || n || '@client.example', '', FALSE,
                   CASE WHEN {READS_RUSSIAN} THEN 'ru' ELSE 'en' END
            FROM account_numbers
            JOIN billing_client c ON c.number = 'C' || n
            JOIN names w ON w.language = {COUNTRY} AND w.firm = 0
                 AND w.place = (n * 61 + 5) %% w.places
            WHERE n %% 6 = 1 ORDER BY n""",
        values,
    )
    engine.execute(
        """INSERT INTO billing_subscription (contact_id, kind, channel, "on")
           SELECT k.id, 'finance_weekly', 'mail', TRUE FROM billing_contact k
           WHERE k.email LIKE 'books%%' ORDER BY k.id"""
    )


def _money(values: engine.Values) -> None:
    """Let most accounts begin with money for some months, and some with next to none."""
    openings = {
        currency: ledger.account(ledger.Kind.OPENING, stock.CODE, currency).pk
        for currency in stock.WORTH
    }
    source = " ".join(f"WHEN '{currency}' THEN {key}" for currency, key in openings.items())
    worth = " ".join(
        f"WHEN '{currency}' THEN {stock.price(4000, currency)}" for currency in stock.WORTH
    )
    engine.execute(
        f"""INSERT INTO billing_transfer (debit_id, credit_id, amount_minor, currency, "on", cause,
                source, sequence, posted_at)
            SELECT CASE a.currency_id {source} END, a.funds_id,
                   CASE WHEN n %% 12 = 11 THEN 500
                        ELSE %(months)s * (CASE a.currency_id {worth} END) END,
                   a.currency_id, {engine.day("since")}, {int(ledger.Cause.OPENING)}, a.funds_id,
                   0, %(now)s
            FROM account_numbers JOIN billing_account a ON a.number = 'A' || n
            WHERE a.kind <> 3 ORDER BY n""",
        values,
    )
    for side, sign in (("credit_id", ""), ("debit_id", "-")):
        engine.execute(
            f"""UPDATE billing_ledgeraccount SET balance_minor = balance_minor + moved.minor
                FROM (SELECT {side} AS id, CAST({sign}sum(amount_minor) AS bigint) AS minor
                      FROM billing_transfer WHERE cause = {int(ledger.Cause.OPENING)}
                      GROUP BY {side}) moved
                WHERE billing_ledgeraccount.id = moved.id"""
        )


def _services(goods: Stock, since: date, values: engine.Values) -> None:
    """Open services of every product, their ends spread over the year to come."""
    _lay_out_shares(goods)
    _lay_out_ends(since)
    engine.execute(
        """INSERT INTO billing_service (number, account_id, product_id, name, status, months,
                anchor_day, opened_on, paid_until, auto_renew, discount_ppm, generation,
                stopped_for, never_suspended, parameters)
           SELECT 'S' || n, a.funds_id, h.product_id, h.before || n || h.behind,
                  CASE WHEN n %% 101 = 0 THEN 1 WHEN n %% 103 = 0 THEN 4 ELSE 2 END, h.months,
                  e.anchor_day, e.opened_on, e.paid_until, n %% 13 <> 5, 0, 0, 0, FALSE, '{}'
           FROM service_numbers
           JOIN billing_account a ON a.number = 'A' || (1 + (n - 1) / %(each)s)
           JOIN shares h ON h.digits = (n * 37) %% 100
           JOIN first_ends e ON e.cycle = h.cycle AND e.months = h.months
                AND e.place = (n * 7919) %% e.places
           ORDER BY n""",
        values,
    )


def _lay_out_shares(goods: Stock) -> None:
    engine.scratch(
        "shares",
        "digits integer PRIMARY KEY, product_id bigint, cycle integer, months integer, "
        "before varchar(20), behind varchar(20)",
    )
    lines = []
    begin = 0
    for end, code, months in SHARES:
        sold = goods.products[code]
        facts = (sold.pk, int(sold.cycle), months, *CALLED.get(code, SITE))
        lines += [(digits, *facts) for digits in range(begin, end)]
        begin = end
    columns = ("digits", "product_id", "cycle", "months", "before", "behind")
    engine.insert("shares", columns, lines)


def _lay_out_ends(since: date) -> None:
    """Lay out on which days services first end: somewhere within their period."""
    engine.scratch(
        "first_ends",
        "cycle integer, months integer, place integer, places integer, paid_until date, "
        "opened_on date, anchor_day integer, PRIMARY KEY (cycle, months, place)",
    )
    lines = []
    for cycle, months in {(Cycle.PERIODIC, 1), (Cycle.PERIODIC, 3), (Cycle.PERIODIC, 12)}:
        places = (periods.add_months(since, months, since.day) - since).days
        ends = [since + timedelta(days=1 + place) for place in range(places)]
        lines += [
            (int(cycle), months, place, places, end, periods.add_months(end, -months, end.day))
            for place, end in enumerate(ends)
        ]
    first = periods.add_months(since, 1, 1)
    lines += [(int(Cycle.CALENDAR), months, 0, 1, first, since) for months in (1, 12)]
    tomorrow = since + timedelta(days=1)
    lines += [(int(Cycle.DAILY), 1, 0, 1, tomorrow, since)]
    lines += [(int(Cycle.HOURLY), 0, 0, 1, tomorrow, since)]
    engine.insert(
        "first_ends",
        ("cycle", "months", "place", "places", "paid_until", "opened_on", "anchor_day"),
        [
            (*line[:4], line[4].isoformat(), min(line[5], since).isoformat(), line[4].day)
            for line in lines
        ],
    )


def _odd_ones(goods: Stock, values: engine.Values) -> None:
    """Give servers their add-ons, and let some clients have stopped a service themselves."""
    for code, quantity, used in (("ip", 3, 0), ("traffic", 10, 12), ("disk", 100, 140)):
        engine.execute(
            f"""INSERT INTO billing_serviceaddon (service_id, addon_id, quantity, used, peak)
                SELECT id, {goods.addons[code].pk}, {quantity}, {used}, {used}
                FROM billing_service WHERE product_id = {goods.products["metal"].pk}"""
        )
    stopped = """s.status = 2 AND s.number IN (
        SELECT 'S' || n FROM service_numbers WHERE n %% 97 = 0)"""
    engine.execute(
        f"""INSERT INTO billing_suspension (service_id, reason, "on", by, lifted_why)
            SELECT s.id, 16, {engine.day("since")}, 'client', ''
            FROM billing_service s WHERE {stopped}""",
        values,
    )
    engine.execute(
        f"""UPDATE billing_service AS s SET status = 3, stopped_for = 16 WHERE {stopped}""",
        values,
    )
