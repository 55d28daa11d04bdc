"""What an order or a change of one service costs, line by line: the twin of the daily statements.

Costs are list prices in minor units; `Terms.line` takes discount and tax off them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from billclock import clock
from billclock.billing import money, periods, pricing
from billclock.billing.catalog import AddOn, Cycle, Price, Product
from billclock.billing.charges import ChargeKind
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.ledger import LedgerAccount
from billclock.billing.periods import Period
from billclock.billing.pricing import CHARGE_KINDS, Amount
from billclock.billing.provider import TaxRate

BY_DAY = (Cycle.DAILY, Cycle.HOURLY)
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Line:
    """One charge to be: of the days `start` to before `end`, an empty span for what is once."""

    kind: ChargeKind
    addon: int
    start: date
    end: date
    price: Price | None
    quantity: int
    amount: Amount
    tax_rate: TaxRate | None
    revenue: LedgerAccount
    tax: LedgerAccount | None


@dataclass(frozen=True, slots=True)
class Unit:
    """What of a service is priced: its product (addon 0) or so many units of an add-on."""

    price: Price
    addon: int = 0
    quantity: int = 1

    @property
    def cost(self) -> int:
        """Give the cost of a whole period."""
        return self.price.amount_minor * self.quantity


@dataclass(frozen=True, slots=True)
class Terms:
    """How an account pays for a product on a date; `tax` is None where none is taken."""

    gross: bool
    discount_ppm: int
    tax_rate: TaxRate | None
    revenue: LedgerAccount
    tax: LedgerAccount | None

    @classmethod
    def of(cls, account: Account, product: Product, on: date, own_ppm: int = 0) -> Terms:
        """Find the terms; of the discounts that fit, `own_ppm` among them, the largest counts."""
        currency = account.currency_id
        rate = None
        if not account.reverse_charge:
            rate = TaxRate.objects.valid(on).filter(area=account.tax_area).first()
        return cls(
            gross=product.company.prices_gross,
            discount_ppm=max(own_ppm, _discount(account, product, on)),
            tax_rate=rate,
            revenue=pricing.revenue(product.company, product.type.code, currency),
            tax=pricing.tax_account(product.company, rate.area, currency) if rate else None,
        )

    def line(
        self, kind: ChargeKind, unit: Unit, span: tuple[date, date], cost: int, quantity: int = 0
    ) -> Line:
        """Give the charge of a cost; what is paid once has no discount."""
        off = 0 if kind == ChargeKind.SETUP else self.discount_ppm
        ppm = self.tax_rate.ppm if self.tax_rate else 0
        figures = pricing.amount(money.bounded(cost), off, ppm, gross=self.gross)
        return Line(
            kind, unit.addon, *span, unit.price, quantity or unit.quantity, figures,
            self.tax_rate, self.revenue, self.tax,
        )  # fmt: skip


def _discount(account: Account, product: Product, on: date) -> int:
    def fits(group: int | None, of: int | None, kind: int | None) -> bool:
        ours = of == account.pk if of is not None else group in {None, account.group_id}
        return ours and kind in {None, product.type_id}

    shares = (
        discount.ppm
        for discount in pricing.in_force(on)
        if fits(discount.group_id, discount.account_id, discount.type_id)
    )
    return max(shares, default=0)


def price(product: Product, currency: str, months: int, on: date, *, addon: int = 0) -> Price:
    """Give what an order pays; raise BillingError, with the periods there are, for no price."""
    valid = Price.objects.valid(on, renewal=False)
    found = valid.filter(product=product, currency=currency, addon=addon)
    known = {one.months: one for one in found}
    if months in known:
        return known[months]
    offered = ", ".join(str(length) for length in sorted(known))
    what = f"{product.code}{f', add-on {addon},' if addon else ''}"
    raise BillingError(
        f"{what} has no price in {currency} for {months} months on {on}",
        f"it has one for {offered} months" if offered else "choose another product",
    )


def units(
    product: Product, currency: str, months: int, on: date, amounts: Mapping[AddOn, int]
) -> list[Unit]:
    """Give what is charged by the period: the product, and ordered add-ons beyond the included."""
    found = [Unit(price(product, currency, months, on))]
    for addon, quantity in amounts.items():
        beyond = quantity - addon.included
        if addon.billing == AddOn.Billing.ORDERED and beyond > 0:
            cost = price(product, currency, months, on, addon=addon.pk)
            found.append(Unit(cost, addon.pk, beyond))
    return found


def first_period(terms: Terms, product: Product, unit: Unit, on: date) -> list[Line]:
    """Give the first period's charges of a service that begins on a date."""
    kind = kind_of(product, unit)
    if product.cycle == Cycle.HOURLY:
        hours = hours_left(on, ZoneInfo(product.provider.zone))
        micro = unit.price.unit_micro * unit.quantity
        cost = money.from_micro(micro, money.exponent(unit.price.currency_id), hours)
        quantity = unit.quantity if unit.addon else hours
        return [terms.line(kind, unit, (on, on + timedelta(days=1)), cost, quantity)]
    return [
        terms.line(kind, unit, (part.start, part.end), cost)
        for part, cost in _first_costs(product, unit.price.months, unit.cost, on)
    ]


def _first_costs(product: Product, months: int, cost: int, on: date) -> list[tuple[Period, int]]:
    if product.cycle == Cycle.DAILY:
        return [(Period(on, on + timedelta(days=1)), periods.day_price(cost, on))]
    if product.cycle == Cycle.CALENDAR:
        period = periods.calendar_first(on, product.prorata_day, months)
        return [(period, periods.calendar_first_price(cost, on, product.prorata_day, months))]
    if product.type.by_months:
        return periods.price_by_months(cost, on, months, on.day)
    return [(Period(on, periods.add_months(on, months, on.day)), cost)]


def rest_of(terms: Terms, product: Product, unit: Unit, rest: Period, anchor: int) -> list[Line]:
    """Give the charges of the days that remain of paid periods, which end where the rest ends.

    Whole periods are counted back from that end, and the rest costs its days' share of them.
    """
    kind = kind_of(product, unit)
    lines = [
        terms.line(kind, unit, (max(part.start, rest.start), part.end), cost)
        for part, cost in _parts_back(product, unit, rest, anchor)
    ]
    return lines[::-1]


def _parts_back(
    product: Product, unit: Unit, rest: Period, anchor: int
) -> Iterator[tuple[Period, int]]:
    """Give the parts of periods that a rest reaches into, the last first, each with its share."""
    end = rest.end
    while end > rest.start:
        start = periods.add_months(end, -unit.price.months, anchor)
        whole = [(Period(start, end), unit.cost)]
        if product.type.by_months and product.cycle == Cycle.PERIODIC:
            whole = periods.price_by_months(unit.cost, start, unit.price.months, anchor)
        for part, cost in reversed(whole):
            if part.end > rest.start:
                yield part, periods.unused_price(cost, part, max(part.start, rest.start))
        end = start


def once(terms: Terms, unit: Unit, on: date, cost: int) -> Iterator[Line]:
    """Give the charge of what is paid once, if it costs anything."""
    if cost:
        yield terms.line(ChargeKind.SETUP, unit, (on, on), cost)


def total(lines: Iterable[Line]) -> int:
    """Add up what an account pays for lines."""
    return sum(line.amount.total_minor for line in lines)


def kind_of(product: Product, unit: Unit) -> ChargeKind:
    """Give the kind of a unit's charges."""
    return ChargeKind.ADDON if unit.addon else CHARGE_KINDS[Cycle(product.cycle)]


def hours_left(on: date, zone: ZoneInfo) -> int:
    """Give the hours of a date that are not over, the present one included; all of another date."""
    whole = periods.hours_of(on, zone)
    now = clock.now().astimezone(zone)
    if now.date() != on:
        return whole
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    gone = int(now.timestamp() - midnight.timestamp()) // _HOUR
    return max(whole - gone, 1)
