"""What a date's prices, taxes and discounts are: laid out for set statements, or for one service.

`lay_out` fills tables of this connection's own, so that one lookup each prices a service:
`price_now` (a product's or add-on's price with all that follows from the product), `tax_now`
(what a company takes in an area), `discount_now` (the largest share off by group and type).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

from django.db.models import Q

from billclock.billing import engine, ledger, money
from billclock.billing.catalog import Cycle, Discount, Price, ProductType
from billclock.billing.charges import ChargeKind
from billclock.billing.clients import ClientGroup
from billclock.billing.provider import Company, Provider, TaxRate

CHARGE_KINDS = {
    Cycle.PERIODIC: ChargeKind.PERIOD,
    Cycle.CALENDAR: ChargeKind.PERIOD,
    Cycle.DAILY: ChargeKind.DAILY,
    Cycle.HOURLY: ChargeKind.HOURLY,
}

PRICE_COLUMNS = (
    "product_id", "addon", "currency", "months", "price_id", "amount_minor", "unit_micro",
    "exponent", "cycle", "kind", "by_months", "bills_suspended", "priority", "type_id",
    "company_id", "gross", "revenue_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Amount:
    """A charge's figures in minor units: the price before the discount, and what is posted."""

    list_minor: int
    discount_minor: int
    net_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """Give what the account pays."""
        return self.net_minor + self.tax_minor


def amount(list_minor: int, discount_ppm: int, tax_ppm: int, *, gross: bool) -> Amount:
    """Give the figures of a line; `gross`: the price list contains the tax."""
    discount = money.round_half_away(list_minor * discount_ppm, money.MILLION)
    price = list_minor - discount
    if gross:
        tax = money.tax_in_gross(price, tax_ppm)
        return Amount(list_minor, discount, price - tax, tax)
    return Amount(list_minor, discount, price, money.tax_on_net(price, tax_ppm))


def revenue(company: Company, type_code: str, currency: str) -> ledger.LedgerAccount:
    """Give the ledger account of what a company earns by a product type."""
    return ledger.account(ledger.Kind.REVENUE, f"{company.code}/{type_code}", currency)


def tax_account(company: Company, area: str, currency: str) -> ledger.LedgerAccount:
    """Give the ledger account of the tax a company owes an area."""
    return ledger.account(ledger.Kind.TAX, f"{company.code}/{area}", currency)


def lay_out(provider: Provider, on: date) -> None:
    """Fill this connection's tables with what renewals of a date cost at a provider."""
    engine.stamp()
    prices = list(
        Price.objects.valid(on)
        .filter(product__provider=provider)
        .select_related("product__type", "product__company")
    )
    _lay_out_prices(prices)
    _lay_out_taxes(provider, on, {price.currency_id for price in prices})
    _lay_out_discounts(provider, on)
    engine.analyze("price_now", "tax_now", "discount_now", "account_discount_now")


def _lay_out_prices(prices: Iterable[Price]) -> None:
    engine.scratch(
        "price_now",
        "product_id bigint, addon bigint, currency varchar(3), months integer, price_id bigint, "
        "amount_minor bigint, unit_micro bigint, exponent integer, cycle integer, kind integer, "
        "by_months integer, bills_suspended integer, priority integer, type_id bigint, "
        "company_id bigint, gross integer, revenue_id bigint, "
        "PRIMARY KEY (product_id, addon, currency, months)",
    )
    known = ledger.keys(ledger.Kind.REVENUE)
    engine.insert("price_now", PRICE_COLUMNS, [_price_row(price, known) for price in prices])


def _price_row(price: Price, known: ledger.Keys) -> tuple[object, ...]:
    sold, kind = price.product, price.product.type
    cycle = Cycle(sold.cycle)
    return (
        sold.pk,
        price.addon,
        price.currency_id,
        price.months,
        price.pk,
        price.amount_minor,
        price.unit_micro,
        money.exponent(price.currency_id),
        int(cycle),
        int(CHARGE_KINDS[cycle]) if not price.addon else int(ChargeKind.ADDON),
        int(kind.by_months),
        int(kind.bills_suspended),
        kind.priority,
        kind.pk,
        sold.company_id,
        int(sold.company.prices_gross),
        known.get((f"{sold.company.code}/{kind.code}", price.currency_id))
        or revenue(sold.company, kind.code, price.currency_id).pk,
    )


def _lay_out_taxes(provider: Provider, on: date, currencies: Iterable[str]) -> None:
    engine.scratch(
        "tax_now",
        "company_id bigint, area varchar(20), currency varchar(3), tax_rate_id bigint, "
        "ppm integer, tax_account_id bigint, PRIMARY KEY (company_id, area, currency)",
    )
    rates = list(TaxRate.objects.valid(on))
    known = ledger.keys(ledger.Kind.TAX)
    engine.insert(
        "tax_now",
        ("company_id", "area", "currency", "tax_rate_id", "ppm", "tax_account_id"),
        [
            (
                company.pk,
                rate.area,
                currency,
                rate.pk,
                rate.ppm,
                known.get((f"{company.code}/{rate.area}", currency))
                or tax_account(company, rate.area, currency).pk,
            )
            for company, rate, currency in product(
                provider.companies.all(), rates, sorted(currencies)
            )
        ],
    )


def _lay_out_discounts(provider: Provider, on: date) -> None:
    engine.scratch(
        "discount_now",
        "group_id bigint, type_id bigint, ppm integer, PRIMARY KEY (group_id, type_id)",
    )
    engine.scratch(
        "account_discount_now",
        "account_id bigint, type_id bigint, ppm integer, PRIMARY KEY (account_id, type_id)",
    )
    groups = [0, *ClientGroup.objects.filter(provider=provider).values_list("id", flat=True)]
    types = list(ProductType.objects.values_list("id", flat=True))
    by_group: dict[tuple[int, int], int] = {}
    by_account: dict[tuple[int, int], int] = {}
    for discount in in_force(on):
        of_types = [discount.type_id] if discount.type_id else types
        if discount.account_id:
            _keep_largest(by_account, product([discount.account_id], of_types), discount.ppm)
        else:
            of_groups = [discount.group_id] if discount.group_id else groups
            _keep_largest(by_group, product(of_groups, of_types), discount.ppm)
    engine.insert("discount_now", ("group_id", "type_id", "ppm"), _flat(by_group))
    engine.insert("account_discount_now", ("account_id", "type_id", "ppm"), _flat(by_account))


def in_force(on: date) -> Iterable[Discount]:
    """Give the discounts of a date."""
    until = Q(valid_until=None) | Q(valid_until__gt=on)
    return Discount.objects.filter(until, valid_from__lte=on)


def _keep_largest(
    shares: dict[tuple[int, int], int], keys: Iterable[tuple[int, int]], ppm: int
) -> None:
    for key in keys:
        shares[key] = max(shares.get(key, 0), ppm)


def _flat(shares: dict[tuple[int, int], int]) -> list[tuple[int, int, int]]:
    return [(*key, ppm) for key, ppm in shares.items()]
