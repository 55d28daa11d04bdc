"""What is due in a chunk of accounts, priced line by line, in this connection's table `due`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from billclock.billing import batches, engine, money
from billclock.billing.catalog import AddOn, Cycle
from billclock.billing.daily import spans
from billclock.billing.daily.pace import Pace
from billclock.billing.pricing import amount
from billclock.billing.provider import Provider
from billclock.billing.services import IDLE


@dataclass(frozen=True, slots=True)
class Scope:
    """The services one transaction looks at: those of accounts `first` to `last` of a provider.

    `services` narrows it to some of theirs, whose renewal somebody asked for; `early` takes them
    before their end too. `again` is for what is behind by more than a period: those refused in
    the first pass are left out.
    """

    provider: Provider
    on: date
    first: int
    last: int
    services: tuple[int, ...] = ()
    again: bool = False
    early: bool = False

    @property
    def values(self) -> dict[str, object]:
        """Give the values its statements take."""
        return {
            "provider": self.provider.pk,
            "on": self.on.isoformat(),
            "next": (self.on + timedelta(days=1)).isoformat(),
            "first": self.first,
            "last": self.last,
        }

    @property
    def due(self) -> str:
        """Give the condition on services (s) and accounts (a) that billing looks at."""
        named = f"AND s.id IN ({', '.join(map(str, self.services))})" if self.services else ""
        rest = "AND s.unfunded_since IS NULL" if self.again else ""
        return f"{self._ended} {named} {rest} AND {self.billed}"

    @property
    def _ended(self) -> str:
        ended = "" if self.early else f"AND s.paid_until <= {engine.day('on')} "
        return f"{self.accounts} {ended}AND s.status IN (2, 3, 5) AND {self.provided}"

    @property
    def accounts(self) -> str:
        """Give the condition that services (s), and their accounts (a), are of the range.

        PostgreSQL carries no range over a join, and would read all accounts for each chunk.
        """
        of_services = "s.account_id BETWEEN %(first)s AND %(last)s"
        also = " AND a.funds_id BETWEEN %(first)s AND %(last)s"
        return of_services + also if engine.on_postgresql() else of_services

    @property
    def provided(self) -> str:
        """Give the condition that accounts (a) are the provider's."""
        return f"{engine.sifted('a.provider_id')} = %(provider)s"

    @property
    def billed(self) -> str:
        """Give the condition on services (s) that nobody wants left alone."""
        return (
            f"(s.held_until IS NULL OR s.held_until <= {engine.day('on')}) "
            "AND NOT EXISTS (SELECT 1 FROM billing_parked k WHERE k.account_id = s.account_id)"
        )


RENEWED = (
    "s.auto_renew AND "
    f"((s.stopped_for & {int(IDLE)}) = 0 OR (p.bills_suspended = 1 AND (s.stopped_for & 32) = 0))"
)

SERVICE = """
  FROM billing_service s
  JOIN billing_account a ON a.funds_id = s.account_id
  JOIN price_now p ON p.product_id = s.product_id AND p.addon = 0
       AND p.currency = a.currency_id AND p.months = s.months
"""

TERMS = """
        LEFT JOIN tax_now t ON t.company_id = p.company_id AND t.area = a.tax_area
             AND t.currency = a.currency_id AND NOT a.reverse_charge
        LEFT JOIN discount_now d ON d.group_id = coalesce(a.group_id, 0) AND d.type_id = p.type_id
        LEFT JOIN account_discount_now e ON e.account_id = s.account_id AND e.type_id = p.type_id
"""

LINE_COLUMNS = """service_id, addon, account_id, kind, starts, ends, generation, price_id, quantity,
    company_id, type_id, priority, revenue_id, gross, tax_rate_id, tax_account_id, tax_ppm,
    discount_ppm, list_minor, discount_minor, net_minor, tax_minor"""

LARGEST_PPM = str(money.MILLION)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a service is priced, as expressions of a statement; an hour costs `units` of them."""

    addon: str
    quantity: str
    price: str
    cost: str
    units: str
    joined: str = ""
    only: str = ""


OF_SERVICE = Part("0", "CASE WHEN p.cycle = 4 THEN n.hours ELSE 1 END", "p", "p.amount_minor", "1")
OF_ADDONS = Part(
    "o.addon_id",
    "o.quantity - i.included",
    "q",
    "q.amount_minor * (o.quantity - i.included)",
    "(o.quantity - i.included)",
    f"""JOIN billing_serviceaddon o ON o.service_id = s.id
        JOIN billing_addon i ON i.id = o.addon_id AND i.billing = {int(AddOn.Billing.ORDERED)}
        JOIN price_now q ON q.product_id = s.product_id AND q.addon = o.addon_id
             AND q.currency = a.currency_id AND q.months = s.months""",
    "AND o.quantity > i.included",
)


def lay_out(scope: Scope, *, asked: bool = False, expired: bool = False) -> None:
    """Price all that a scope's services owe from their ends on.

    `asked`: somebody wants them; with `expired` those too that stand because their time is over.
    """
    renewed = "(s.stopped_for & 32) = 0" if asked else RENEWED
    if expired:
        renewed = "s.stopped_for >= 0"
    engine.require_stamped()
    make_table()
    spans.lay_out(_wanted(scope, renewed), ZoneInfo(scope.provider.zone))
    for part in (OF_SERVICE, OF_ADDONS):
        engine.execute(priced(_select(part, f"{scope.due} AND {renewed}")), scope.values)
    _reckon_large()


def ranges(scope: Scope, pace: Pace, before: int = batches.LARGEST) -> Iterator[tuple[int, int]]:
    """Give the ranges of accounts past `scope.last` with some `pace.size` due services each.

    Each is looked for when it is wanted, by an index: what was done until then is not due again.
    """
    while found := next_range(scope, pace.size, before):
        scope = replace(scope, last=found[1])
        yield found


def next_range(scope: Scope, size: int, before: int = batches.LARGEST) -> tuple[int, int] | None:
    """Give the first and last account of the next `size` services due past `scope.last`."""
    first, last = engine.rows(
        f"""SELECT min(account_id), max(account_id) FROM (
                SELECT account_id FROM billing_service
                WHERE account_id > %(last)s AND account_id < %(before)s
                  AND paid_until <= {engine.day("on")}
                  AND status IN (2, 3, 5)
                ORDER BY account_id LIMIT %(size)s) AS found""",
        {**scope.values, "size": size, "before": before},
    )[0]
    return None if last is None else (first, last)


def _wanted(scope: Scope, renewed: str) -> list[spans.Wanted]:
    found = engine.rows(
        "SELECT DISTINCT p.cycle, p.by_months, s.paid_until, s.anchor_day, s.months "
        f"{SERVICE} WHERE {scope.due} AND {renewed}",
        scope.values,
    )
    return [spans.Wanted(c, b, _date(until), day, months) for c, b, until, day, months in found]


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def make_table() -> None:
    """Make `due`, whose key is the id its charge will have."""
    postgresql = engine.on_postgresql()
    key = (
        "charge_id bigint DEFAULT nextval(pg_get_serial_sequence('billing_charge', 'id'))"
        if postgresql
        else "charge_id integer PRIMARY KEY AUTOINCREMENT"
    )
    engine.scratch(
        "due",
        f"{key}, service_id bigint, addon bigint, account_id bigint, kind integer, starts date, "
        "ends date, generation integer, price_id bigint, quantity bigint, company_id bigint, "
        "type_id bigint, priority integer, revenue_id bigint, gross integer, tax_rate_id bigint, "
        "tax_account_id bigint, tax_ppm integer, discount_ppm integer, list_minor bigint, "
        "discount_minor bigint, net_minor bigint, tax_minor bigint, funded integer DEFAULT 1",
    )
    if not postgresql:
        engine.execute("DELETE FROM temp.sqlite_sequence WHERE name = 'due'")
        engine.execute(
            "INSERT INTO temp.sqlite_sequence (name, seq) "
            "SELECT 'due', coalesce(max(id), 0) FROM billing_charge"
        )


def priced(select: str) -> str:
    """Write the statement that takes discount and tax off a select's lines into `due`.

    The select gives LINE_COLUMNS up to `list_minor`; figures too large for SQL stay null.
    """
    off = money.round_half_away_sql("list_minor * discount_ppm", LARGEST_PPM)
    contained = money.tax_in_gross_sql("price", "tax_ppm")
    on_top = money.tax_on_net_sql("price", "tax_ppm")
    keys = LINE_COLUMNS.partition("list_minor")[0]
    return f"""
        INSERT INTO due ({LINE_COLUMNS})
        WITH line AS MATERIALIZED ({select})
        SELECT {keys} list_minor, list_minor - price,
               CASE WHEN gross = 1 THEN price - {contained} ELSE price END,
               CASE WHEN gross = 1 THEN {contained} ELSE {on_top} END
        FROM (SELECT line.*, list_minor - {off} AS price FROM line) it
    """


def _select(part: Part, condition: str) -> str:
    cost = f"({part.cost})"
    parted = money.span_sql(cost, "n.parts", "n.part_from", "n.part_to")
    hour = f"{part.price}.unit_micro * {part.units}"
    hourly = money.from_micro_sql(hour, f"{part.price}.exponent", "n.hours")
    return f"""
        SELECT s.id AS service_id, {part.addon} AS addon, s.account_id, {part.price}.kind,
               n.starts, n.ends, s.generation, {part.price}.price_id, {part.quantity} AS quantity,
               p.company_id, p.type_id, p.priority, p.revenue_id, p.gross, t.tax_rate_id,
               t.tax_account_id, coalesce(t.ppm, 0) AS tax_ppm,
               {largest_discount()} AS discount_ppm,
               CASE WHEN p.cycle = 4 THEN
                    CASE WHEN {money.product_fits_sql(hour, LARGEST_PPM)}
                    THEN {hourly} END
               WHEN {money.product_fits_sql(cost, LARGEST_PPM)} THEN {parted} END AS list_minor
        {SERVICE}
        JOIN span_now n ON n.paid_until = s.paid_until AND n.anchor_day = s.anchor_day
             AND n.months = s.months AND n.cycle = p.cycle AND n.by_months = p.by_months
        {part.joined}
        {TERMS}
        WHERE {condition} {part.only}
    """


def largest_discount() -> str:
    """Give the expression of the one discount that counts: the service's, group's or account's."""
    own = (
        "CASE WHEN s.discount_until IS NULL OR s.paid_until < s.discount_until "
        "THEN s.discount_ppm ELSE 0 END"
    )
    return engine.greatest(own, "coalesce(d.ppm, 0)", "coalesce(e.ppm, 0)")


def _reckon_large() -> None:
    """Price in Python what is too large for 64 bits on the way (spec: 2·P·d below 2^63)."""
    found = engine.rows(
        """SELECT d.charge_id, d.quantity, d.discount_ppm, d.tax_ppm, d.gross, p.amount_minor,
                  p.unit_micro, p.exponent, p.cycle, d.addon,
                  n.part_from, n.part_to, n.parts, n.hours
           FROM due d
           JOIN price_now p ON p.price_id = d.price_id
           JOIN billing_service s ON s.id = d.service_id
           JOIN span_now n ON n.paid_until = s.paid_until AND n.anchor_day = s.anchor_day
                AND n.months = s.months AND n.cycle = p.cycle AND n.by_months = p.by_months
                AND n.starts = d.starts
           WHERE d.list_minor IS NULL"""
    )
    for charge, quantity, off, ppm, gross, price, micro, exponent, cycle, addon, *of in found:
        first, last, parts, hours = of
        if cycle == Cycle.HOURLY:
            units = quantity if addon else 1
            price_of_parts = money.from_micro(micro, exponent, hours * units)
        else:
            price_of_parts = money.span(price * quantity, parts, first, last)
        line = amount(price_of_parts, off, ppm, gross=bool(gross))
        engine.execute(
            """UPDATE due SET list_minor = %(list)s, discount_minor = %(off)s,
                              net_minor = %(net)s, tax_minor = %(tax)s
               WHERE charge_id = %(charge)s""",
            {
                "charge": charge,
                "list": money.bounded(line.list_minor),
                "off": line.discount_minor,
                "net": line.net_minor,
                "tax": line.tax_minor,
            },
        )
