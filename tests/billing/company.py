"""A small hosting company for tests: taxed products of every cycle, accounts of every kind, money.

Money is posted through the ledger, so that the books agree at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from django.db.models import Sum

from billclock.billing import currencies, ledger, periods
from billclock.billing.catalog import AddOn, Cycle, Module, Price, Product, ProductType
from billclock.billing.charges import TILES, Charge
from billclock.billing.clients import Account, Client, ClientGroup, Contact
from billclock.billing.ledger import Cause, LedgerAccount, Move, Transfer
from billclock.billing.periods import Period
from billclock.billing.provider import Company, Department, Provider, TaxRate
from billclock.billing.services import Service, Status

LONG_AGO = date(2020, 1, 1)
TODAY = date(2026, 11, 20)


def noon(on: date) -> datetime:
    """Give the middle of a day, for `clock.at`."""
    return datetime.combine(on, time(12), UTC)


@dataclass
class House:
    """A provider with one company; its methods add what a test needs and make up the rest.

    `products` are "monthly" (10.00 a month, 100.00 a year), "calendar" (30.00, to the 1st),
    "daily" (30.00 a month), "hourly" (0.01 an hour) and "yearly-by-months"; all net, taxed 19 %.
    """

    code: str = "acme"
    currency: str = "EUR"
    zone: str = "UTC"
    tax_ppm: int = 190_000
    provider: Provider = field(init=False)
    company: Company = field(init=False)
    department: Department = field(init=False)
    module: Module = field(init=False)
    products: dict[str, Product] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        money = currencies.find(self.currency)
        money.save()
        self.provider = Provider.objects.create(
            code=self.code, name="Acme Hosting", currency=money, zone=self.zone,
            notice_email="billing@acme.example",
        )  # fmt: skip
        self.company = Company.objects.create(
            provider=self.provider, code=f"{self.code}-gmbh", name="Acme GmbH", country="DE"
        )
        self.department = Department.objects.create(provider=self.provider, name="Operations")
        self.module = Module.objects.create(
            code=f"{self.code}-panel", plugin="manual", department=self.department
        )
        if self.tax_ppm:
            TaxRate.objects.get_or_create(
                area="DE", valid_from=LONG_AGO, defaults={"ppm": self.tax_ppm}
            )
        self._stock()

    def _stock(self) -> None:
        self.product("monthly", prices={1: 10_00, 3: 30_00, 12: 100_00})
        self.product("calendar", prices={1: 30_00, 12: 360_00}, cycle=Cycle.CALENDAR)
        self.product("daily", prices={1: 30_00}, cycle=Cycle.DAILY)
        self.product("hourly", hour_micro=10_000, cycle=Cycle.HOURLY)
        slow = self.type("registry", by_months=True, priority=5)
        self.product("yearly-by-months", prices={12: 120_00}, type=slow)

    def type(self, code: str = "hosting", **given: object) -> ProductType:
        known, _ = ProductType.objects.get_or_create(
            code=code, defaults={"name": code.title(), **given}
        )
        return known

    def product(
        self,
        code: str,
        prices: dict[int, int] | None = None,
        hour_micro: int = 0,
        setup: int = 0,
        **given: object,
    ) -> Product:
        """Sell something: `prices` by months in minor units, or a price an hour."""
        facts = {"type": self.type(), "provider": self.provider, "company": self.company}
        facts |= {"module": self.module, "name": code.title()}
        made = Product.objects.create(code=f"{self.code}-{code}", **{**facts, **given})
        for months, amount in (prices or {}).items():
            self.price(made, amount, months, setup_minor=setup)
        if hour_micro:
            self.price(made, 0, 0, unit_micro=hour_micro, setup_minor=setup)
        self.products[code] = made
        return made

    def price(
        self, product: Product, amount: int, months: int = 1, *, since: date = LONG_AGO,
        **given: object,
    ) -> Price:  # fmt: skip
        """Set a price from a day on, for new and existing services alike."""
        facts = {"currency_id": self.currency, "valid_from": since, "valid_from_existing": since}
        return Price.objects.create(
            **{**facts, "product": product, "months": months, "amount_minor": amount, **given}
        )

    def addon(
        self, product: Product, code: str = "disk", unit: int = 1_00, over_micro: int = 0,
        **given: object,
    ) -> AddOn:  # fmt: skip
        """Sell more of something with a product: `unit` minor units each, whatever the period."""
        made = AddOn.objects.create(**{"product": product, "code": code, "name": code, **given})
        for price in product.prices.filter(addon=0):
            self.price(product, unit * max(price.months, 1), price.months, addon=made.pk,
                       unit_micro=over_micro)  # fmt: skip
        return made

    def client(self, *emails: str, country: str = "DE") -> Client:
        number = f"{self.code}-{Client.objects.count() + 1}"
        made = Client.objects.create(
            number=f"c{number}", name="Ada Byron", country=country, registered_on=LONG_AGO
        )
        for email in emails or (f"{number}@client.example",):
            Contact.objects.create(client=made, name="Ada", email=email)
        return made

    def account(
        self,
        money: int = 0,
        kind: Account.Kind = Account.Kind.PREPAID,
        limit: int = 0,
        client: Client | None = None,
        group: ClientGroup | None = None,
    ) -> Account:
        """Open an account, with so many minor units on it."""
        client = client or self.client()
        made = ledger.open_account(
            client, self.company, number=f"a{client.number}", currency=self.currency, kind=kind,
            limit_minor=limit,
        )  # fmt: skip
        if group:
            made.group = group
            made.save()
        if money:
            self.pay(made, money)
        return made

    def pay(self, account: Account, minor: int, on: date = TODAY) -> None:
        """Let money arrive on an account, or with minus leave it."""
        ours = ledger.account(ledger.Kind.OPENING, self.code, self.currency)
        ways = (ours, account.funds) if minor > 0 else (account.funds, ours)
        count = Transfer.objects.filter(cause=Cause.OPENING).count()
        ledger.post([Move(*ways, abs(minor), Cause.OPENING, source=count + 1)], on=on)

    def service(
        self,
        account: Account,
        product: Product | str = "monthly",
        paid_until: date = TODAY,
        months: int | None = None,
        **given: object,
    ) -> Service:
        """Give an account a running service that was paid until a day, one free charge behind it.

        Use services.order for one that is really bought.
        """
        sold = self.products[product] if isinstance(product, str) else product
        if months is None:
            months = sold.prices.filter(addon=0).earliest("months").months
        facts = {
            "number": f"{self.code}-s{Service.objects.count() + 1}",
            "status": Status.ACTIVE,
            "months": months,
            "anchor_day": 1 if sold.cycle == Cycle.CALENDAR else paid_until.day,
            "opened_on": periods.add_months(paid_until, -max(months, 1), paid_until.day),
        }
        facts |= {"account": account, "product": sold, "paid_until": paid_until, **given}
        made = Service.objects.create(**facts)
        Charge.objects.create(
            service=made, account=account, kind=1, period_start=made.opened_on,
            period_end=paid_until, list_minor=0, net_minor=0, on=made.opened_on,
        )  # fmt: skip
        return made


def balance(account: Account) -> int:
    """Give what an account has, in minor units."""
    return LedgerAccount.objects.get(pk=account.pk).balance_minor


def live(service: Service) -> list[Charge]:
    """Give a service's charges that were not taken back, in the order of time."""
    found = service.charges.filter(reversal=None)
    return list(found.order_by("period_start", "kind", "addon", "generation"))


def tiles(service: Service) -> list[Period]:
    """Give the periods of the service itself, without set-up, add-ons and overage."""
    return [
        Period(charge.period_start, charge.period_end)
        for charge in live(service)
        if charge.kind in TILES and charge.addon == 0
    ]


def assert_books_agree() -> None:
    """Assert what must hold at any moment: sums, balances, tiles, charges with their transfers."""
    for held in LedgerAccount.objects.all():
        assert held.balance_minor == ledger.balance(held, date.max), held.owner
    for row in LedgerAccount.objects.values("currency").annotate(sum=Sum("balance_minor")):
        assert row["sum"] == 0, row["currency"]
    for charge in Charge.objects.all():
        posted = Transfer.objects.filter(cause__in=(1, 2), source=charge.pk)
        moved = sum(transfer.amount_minor for transfer in posted)
        assert moved == charge.total_minor, f"charge {charge.pk}"
        taken_back = all(hasattr(transfer, "reversed_by") for transfer in posted)
        assert not hasattr(charge, "reversal") or taken_back, f"charge {charge.pk}"
    for service in Service.objects.all():
        covered = tiles(service)
        assert periods.gaps_and_overlaps(covered) == [], service.number
        if covered:
            assert covered[-1].end == service.paid_until, service.number
