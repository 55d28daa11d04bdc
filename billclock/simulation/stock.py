"""What the demonstration company sells: each cycle, prices in four currencies, add-ons, terms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import product as pairs

from billclock.billing import currencies
from billclock.billing.catalog import AddOn, Cycle, Discount, Module, Price, Product, ProductType
from billclock.billing.clients import ClientGroup
from billclock.billing.payments import PaymentMethod
from billclock.billing.provider import Company, Department, Provider, TaxRate

CODE = "demo"

WORTH = {"EUR": (1, 1), "USD": (11, 10), "JPY": (16, 10), "KWD": (34, 10)}
"""What a euro cent is in minor units of each currency, as a fraction; round figures."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A product: its type, cycle and price in euro cents by months (0: micro-euros an hour)."""

    code: str
    name: str
    type: str
    cycle: Cycle
    prices: dict[int, int]


PLANS = (
    Plan("web-s", "Web S", "hosting", Cycle.PERIODIC, {1: 490, 3: 1390, 12: 4900}),
    Plan("web-l", "Web L", "hosting", Cycle.PERIODIC, {1: 1290, 3: 3690, 12: 12900}),
    Plan("vps-2", "VPS 2", "vps", Cycle.CALENDAR, {1: 990, 12: 10900}),
    Plan("cloud", "Cloud node", "cloud", Cycle.HOURLY, {0: 13_700}),
    Plan("backup", "Backup space", "backup", Cycle.DAILY, {1: 300}),
    Plan("domain", "Domain name", "domain", Cycle.PERIODIC, {12: 1490}),
    Plan("metal", "Dedicated server", "metal", Cycle.PERIODIC, {1: 8900, 12: 99_000}),
)

TYPES = {
    "domain": (30, True), "hosting": (20, False), "vps": (15, False), "metal": (12, False),
    "cloud": (10, False), "backup": (0, False),
}  # fmt: skip
"""Types with their priority, and whether their price is recognised by months."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What the company has to sell, by its rows."""

    provider: Provider
    company: Company
    products: dict[str, Product]
    addons: dict[str, AddOn]
    groups: tuple[ClientGroup, ClientGroup]


def lay_in(since: date) -> Stock:
    """Make the company with its products, from a day on."""
    for code in WORTH:
        currencies.find(code).save()
    provider = Provider.objects.create(
        code=CODE, name="Demo Hosting", currency_id="EUR", zone="Europe/Berlin",
        notice_email="billing@demo.example", deletes_suspended=True,
    )  # fmt: skip
    company = Company.objects.create(
        provider=provider, code=CODE, name="Demo Hosting GmbH", country="DE",
        address="Beispielweg 1\n10115 Berlin", tax_number="DE123456788",
        bank={"iban": "DE02120300000000202051", "bic": "BYLADEM1001"},
    )  # fmt: skip
    for area, ppm in (("DE", 190_000), ("FR", 200_000)):
        TaxRate.objects.get_or_create(area=area, valid_from=since, defaults={"ppm": ppm})
    _cards(provider)
    department = Department.objects.create(provider=provider, name="Operations")
    module = Module.objects.create(code="demo-panel", plugin="simulated", department=department)
    products = _products(provider, company, module, since)
    return Stock(
        provider,
        company,
        products,
        _addons(products["metal"], since),
        _groups(provider, since),
    )


def price(cents: int, currency: str) -> int:
    """Give a price of euro cents in minor units of a currency."""
    times, parts = WORTH[currency]
    return cents * times // parts


def _products(
    provider: Provider, company: Company, module: Module, since: date
) -> dict[str, Product]:
    types = {
        code: ProductType.objects.create(
            code=code, name=code.title(), priority=priority, by_months=by_months,
            deletion_days=30, domain=code == "domain",
        )
        for code, (priority, by_months) in TYPES.items()
    }  # fmt: skip
    products = {
        plan.code: Product.objects.create(
            code=f"{CODE}-{plan.code}", name=plan.name, type=types[plan.type], cycle=plan.cycle,
            provider=provider, company=company, module=module,
        )
        for plan in PLANS
    }  # fmt: skip
    Price.objects.bulk_create(
        Price(
            product=products[plan.code], currency_id=currency, months=months,
            amount_minor=price(cents, currency) if months else 0,
            unit_micro=0 if months else cents, valid_from=since, valid_from_existing=since,
        )
        for plan, currency in pairs(PLANS, WORTH)
        for months, cents in plan.prices.items()
    )  # fmt: skip
    return products


def _addons(metal: Product, since: date) -> dict[str, AddOn]:
    """Sell addresses by order, traffic by use and disk by its peak with the dedicated server."""
    kinds = {
        "ip": (AddOn.Billing.ORDERED, "address", 1, None),
        "traffic": (AddOn.Billing.USED, "TB", 10, 100),
        "disk": (AddOn.Billing.PEAK, "GB", 100, None),
    }
    made = {
        code: AddOn.objects.create(
            product=metal, code=code, name=code, billing=billing, unit=unit, included=included,
            most=most,
        )
        for code, (billing, unit, included, most) in kinds.items()
    }  # fmt: skip
    Price.objects.bulk_create(
        Price(
            product=metal, addon=addon.pk, currency_id=currency, months=months,
            amount_minor=price(200, currency) * months, unit_micro=150_000,
            valid_from=since, valid_from_existing=since,
        )
        for addon, currency, months in pairs(made.values(), WORTH, (1, 12))
    )  # fmt: skip
    return made


def _groups(provider: Provider, since: date) -> tuple[ClientGroup, ClientGroup]:
    partners = ClientGroup.objects.create(provider=provider, name="Partners")
    friends = ClientGroup.objects.create(
        provider=provider, name="Never stopped", never_suspended=True
    )
    Discount.objects.create(name="Partners", group=partners, ppm=100_000, valid_from=since)
    return partners, friends


def _cards(provider: Provider) -> None:
    """Take cards in every currency, by a gateway that fails now and then."""
    for currency in WORTH:
        PaymentMethod.objects.create(
            code=f"demo-card-{currency.lower()}", name=f"Card ({currency})", plugin="simulated",
            provider=provider, currency_id=currency, settings={"faults": "calm", "seed": currency},
            least_minor=price(100, currency),
        )  # fmt: skip
