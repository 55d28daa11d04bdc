"""The index of billing's tables."""

from billclock.billing.by_hand import HandEntry
from billclock.billing.catalog import (
    AddOn,
    Discount,
    Module,
    Price,
    Product,
    ProductType,
    PromoCode,
)
from billclock.billing.charges import Charge, Reversal
from billclock.billing.clients import Account, Client, ClientGroup, Contact, Payer
from billclock.billing.currencies import Currency, Rate, RatePair
from billclock.billing.invoices import Invoice, InvoiceLine, NumberSequence
from billclock.billing.ledger import LedgerAccount, Seal, Transfer
from billclock.billing.notifications import Notice, Subscription, Template
from billclock.billing.payments import (
    Arrival,
    Attempt,
    BankEntry,
    GatewayEvent,
    Payment,
    PaymentMethod,
    StoredMethod,
    UnsignedNotice,
)
from billclock.billing.progress import JobChunk, JobRun, Parked, Watermark
from billclock.billing.provider import Company, Department, Provider, TaxRate
from billclock.billing.reckonings import Reckoning
from billclock.billing.services import (
    Operation,
    Reading,
    RenewalSwitch,
    Service,
    ServiceAddOn,
    Suspension,
    Task,
    Verdict,
)
from billclock.billing.statistics import DailyFigure
from billclock.billing.usage import UsageRound

__all__ = [
    "Account",
    "AddOn",
    "Arrival",
    "Attempt",
    "BankEntry",
    "Charge",
    "Client",
    "ClientGroup",
    "Company",
    "Contact",
    "Currency",
    "DailyFigure",
    "Department",
    "Discount",
    "GatewayEvent",
    "HandEntry",
    "Invoice",
    "InvoiceLine",
    "JobChunk",
    "JobRun",
    "LedgerAccount",
    "Module",
    "Notice",
    "NumberSequence",
    "Operation",
    "Parked",
    "Payer",
    "Payment",
    "PaymentMethod",
    "Price",
    "Product",
    "ProductType",
    "PromoCode",
    "Provider",
    "Rate",
    "RatePair",
    "Reading",
    "Reckoning",
    "RenewalSwitch",
    "Reversal",
    "Seal",
    "Service",
    "ServiceAddOn",
    "StoredMethod",
    "Subscription",
    "Suspension",
    "Task",
    "TaxRate",
    "Template",
    "Transfer",
    "UnsignedNotice",
    "UsageRound",
    "Verdict",
    "Watermark",
]
