"""A provider with products, clients with accounts and services: rows for tests of letters."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import F

from billclock.billing import ledger, money
from billclock.billing.catalog import Cycle, Price, Product, ProductType
from billclock.billing.clients import Account, Client, Contact
from billclock.billing.currencies import Currency
from billclock.billing.ledger import LedgerAccount
from billclock.billing.provider import Company, Provider, TaxRate
from billclock.billing.services import Service, Status

LONG_AGO = date(2020, 1, 1)


@dataclass
class Shop:
    """One provider; the methods add what a test needs, with what it does not say made up."""

    code: str = "acme"
    currency: str = "EUR"
    language: str = "en"
    zone: str = "UTC"
    count: int = field(default=0, init=False)
    provider: Provider = field(init=False)
    company: Company = field(init=False)
    type: ProductType = field(init=False)

    def __post_init__(self) -> None:
        self.money(self.currency)
        self.provider = Provider.objects.create(
            code=self.code,
            name="Acme Hosting",
            currency_id=self.currency,
            language=self.language,
            zone=self.zone,
            notice_email="billing@acme.example",
            support_email="help@acme.example",
            site="https://acme.example",
        )
        self.company = Company.objects.create(
            provider=self.provider, code=f"{self.code}-ltd", name="Acme Ltd", country="DE"
        )
        self.type, _ = ProductType.objects.get_or_create(
            code="hosting", defaults={"name": "Hosting"}
        )
        TaxRate.objects.get_or_create(area="DE", valid_from=LONG_AGO, defaults={"ppm": 0})

    def money(self, code: str) -> None:
        """See to it that a currency is known."""
        facts = {"number": 900, "exponent": money.exponent(code)}
        Currency.objects.get_or_create(code=code, defaults=facts)

    def product(self, name: str = "Web S", **given: object) -> Product:
        self.count += 1
        facts = {"type": self.type, "provider": self.provider, "company": self.company}
        code = f"{self.code}-product-{self.count}"
        return Product.objects.create(**{**facts, "code": code, "name": name, **given})

    def price(self, product: Product, amount: int, months: int = 1, **given: object) -> Price:
        facts = {"currency_id": self.currency, "valid_from": LONG_AGO}
        facts |= {"valid_from_existing": LONG_AGO}
        return Price.objects.create(
            **{**facts, "product": product, "months": months, "amount_minor": amount, **given}
        )

    def sold(
        self, amount: int = 1000, months: int = 1, cycle: Cycle = Cycle.PERIODIC, **given: object
    ) -> Product:
        """Make a product with its one price; an hourly one's `amount` is in millionths."""
        product = self.product(cycle=cycle, **given)
        if cycle == Cycle.HOURLY:
            self.price(product, 0, 0, unit_micro=amount)
        else:
            self.price(product, amount, months)
        return product

    def account(
        self,
        *emails: str,
        balance: int = 0,
        kind: Account.Kind = Account.Kind.PREPAID,
        limit: int = 0,
        language: str = "en",
    ) -> Account:
        """Open an account of a new client with a contact an address; none: ann@…."""
        self.count += 1
        number = f"{self.code}-{self.count}"
        client = Client.objects.create(
            number=f"c{number}", name="Ann Client", country="DE", registered_on=LONG_AGO
        )
        for email in emails or (f"ann{self.count}@client.example",):
            Contact.objects.create(client=client, name="Ann", email=email, language=language)
        account = ledger.open_account(
            client, self.company, number=number, currency=self.currency, kind=kind,
            limit_minor=limit,
        )  # fmt: skip
        if balance:
            self.pay(account, balance)
        return account

    def pay(self, account: Account, amount: int) -> None:
        """Move an account's balance, as if money had come or gone."""
        LedgerAccount.objects.filter(pk=account.pk).update(
            balance_minor=F("balance_minor") + amount
        )

    def service(
        self, account: Account, product: Product, paid_until: date, **given: object
    ) -> Service:
        self.count += 1
        facts = {
            "number": f"s{self.code}{self.count}",
            "name": f"site{self.count}.example",
            "status": Status.ACTIVE,
            "months": product.prices.get(addon=0).months,
            "anchor_day": paid_until.day,
            "opened_on": LONG_AGO,
        }
        return Service.objects.create(
            **{**facts, "account": account, "product": product, "paid_until": paid_until, **given}
        )
