"""What the demonstration company sells: each cycle, prices in four currencies, add-ons, taxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product as pairs

from billclock.billing import currencies
from billclock.billing.catalog import AddOn, Cycle, Module, Price, Product, ProductType
from billclock.billing.clients import ClientGroup
from billclock.billing.payments import PaymentMethod
from billclock.billing.provider import Company, Department, Provider, TaxRate
from billclock.billing.stocking import MEASURED

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
    by_hand: bool = False


PLANS = (
    Plan("web-s", "Web S", "hosting", Cycle.PERIODIC, {1: 490, 3: 1390, 12: 4900}),
    Plan("web-l", "Web L", "hosting", Cycle.PERIODIC, {1: 1290, 3: 3690, 12: 12900}),
    Plan("vps-2", "VPS 2", "vps", Cycle.CALENDAR, {1: 990, 12: 10900}),
    Plan("cloud", "Cloud node", "cloud", Cycle.HOURLY, {0: 13_700}),
    Plan("backup", "Backup space", "backup", Cycle.DAILY, {1: 300}),
    Plan("domain", "Domain name", "domain", Cycle.PERIODIC, {12: 1490}),
    Plan("metal", "Dedicated server", "metal", Cycle.PERIODIC, {1: 8900, 12: 99_000}),
    Plan("rack", "Rack unit", "metal", Cycle.PERIODIC, {1: 4900, 12: 54_000}, by_hand=True),
)
DOMAINS = "domain"
"""The type that the company's sister sells, in whose name its invoices are."""

DEARER = {"web-l": (60, {1: 1390, 3: 3990, 12: 13900})}
"""New prices in euro cents, by product: so many days after the founding."""

TAXES = (
    ("DE", 160_000, "USt", date(2020, 7, 1)), ("DE", 190_000, "USt", date(2021, 1, 1)),
    ("FR", 200_000, "TVA", None), ("NL", 210_000, "BTW", None),
)  # fmt: skip
"""Rates by area, in millionths, with their names and first days; None: the founding."""

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
    sister = Company.objects.create(
        provider=provider, code=f"{CODE}-domains", name="Demo Domains B.V.", country="NL",
        address="Voorbeeldkade 12\n1011 AB Amsterdam", tax_number="NL004495445B01",
        bank={"iban": "NL91ABNA0417164300", "bic": "ABNANL2A"},
        number_template="DD-{year}-{number:05}",
    )  # fmt: skip
    for area, ppm, name, begin in TAXES:
        TaxRate.objects.get_or_create(
            area=area, valid_from=begin or since, defaults={"ppm": ppm, "name": name}
        )
    _cards(provider)
    products = _products(company, sister, _modules(provider), since)
    return Stock(
        provider,
        company,
        products,
        _addons(products["metal"], since),
        _groups(provider),
    )


def price(cents: int, currency: str) -> int:
    """Give a price of euro cents in minor units of a currency."""
    times, parts = WORTH[currency]
    return cents * times // parts


def _modules(provider: Provider) -> dict[bool, Module]:
    """Make a panel that does what it is told, and people's hands: by whether it is by hand."""
    names = ("Operations", "Data centre", "Accounts")
    Department.objects.bulk_create(
        Department(provider=provider, name=name, email=f"{name.split()[0].lower()}@demo.example")
        for name in names
    )
    operations, halls = Department.objects.filter(provider=provider).order_by("pk")[:2]
    return {
        False: Module.objects.create(
            code="demo-panel", plugin="simulated", department=operations
        ),
        True: Module.objects.create(code="demo-hands", plugin="manual", department=halls),
    }  # fmt: skip


def _products(
    company: Company, sister: Company, modules: dict[bool, Module], since: date
) -> dict[str, Product]:
    types = {
        code: ProductType.objects.create(
            code=code, name=code.title(), priority=priority, by_months=by_months,
            deletion_days=30, domain=code == DOMAINS,
        )
        for code, (priority, by_months) in TYPES.items()
    }  # fmt: skip
    products = {
        plan.code: Product.objects.create(
            code=f"{CODE}-{plan.code}", name=plan.name, type=types[plan.type], cycle=plan.cycle,
            provider=company.provider, company=sister if plan.type == DOMAINS else company,
            module=modules[plan.by_hand],
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
    _raise_prices(products, since)
    return products


def _raise_prices(products: dict[str, Product], since: date) -> None:
    """Let something cost more later on; those who have it pay that two months after the others."""
    Price.objects.bulk_create(
        Price(
            product=products[code], currency_id=currency, months=months,
            amount_minor=price(cents, currency), valid_from=since + timedelta(days=days),
            valid_from_existing=since + timedelta(days=days + 61),
        )
        for (code, (days, prices)), currency in pairs(DEARER.items(), WORTH)
        for months, cents in prices.items()
    )  # fmt: skip


ADDONS = (
    ("ip", "IP address", AddOn.Billing.ORDERED, "address", 1, None, 200),
    ("traffic", "Traffic", AddOn.Billing.USED, "TB", 10, 100, 15),
    ("disk", "Disk space", AddOn.Billing.PEAK, "GB", 100, None, 15),
    ("setup", "Installation by us", AddOn.Billing.ONCE, "hour", 0, 8, 6500),
    ("watch", "Monitoring", AddOn.Billing.FREE, "", 1, 1, 0),
)
"""With dedicated servers: code, name, billing, unit, included, most, cents a month or a unit."""


def _addons(metal: Product, since: date) -> dict[str, AddOn]:
    """Sell addresses by order, traffic by use, disk by its peak, work once, and a thing free."""
    made = {
        code: AddOn.objects.create(
            product=metal, code=code, name=name, billing=billing, unit=unit, included=included,
            most=most,
        )
        for code, name, billing, unit, included, most, _cents in ADDONS
    }  # fmt: skip
    Price.objects.bulk_create(
        Price(
            product=metal, addon=made[code].pk, currency_id=currency, months=months,
            amount_minor=0 if billing in MEASURED else price(cents, currency) * months,
            unit_micro=cents * 10_000 if billing in MEASURED else 0,
            valid_from=since, valid_from_existing=since,
        )
        for (code, _name, billing, *_rest, cents), currency, months in pairs(
            ADDONS, WORTH, (1, 12)
        )
        if billing != AddOn.Billing.FREE
    )  # fmt: skip
    return made


def _groups(provider: Provider) -> tuple[ClientGroup, ClientGroup]:
    partners = ClientGroup.objects.create(provider=provider, name="Partners")
    friends = ClientGroup.objects.create(
        provider=provider, name="Never stopped", never_suspended=True
    )
    return partners, friends


def _cards(provider: Provider) -> None:
    """Take cards in every currency, by a gateway that fails now and then."""
    for currency in WORTH:
        PaymentMethod.objects.create(
            code=f"demo-card-{currency.lower()}", name=f"Card ({currency})", plugin="simulated",
            provider=provider, currency_id=currency, settings={"faults": "calm", "seed": currency},
            least_minor=price(100, currency),
        )  # fmt: skip
