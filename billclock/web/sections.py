"""The sections of the back office by their groups, in the order of the frame; one line a section.

To add one: declare it in a module of its own, and name it here (docs/howto/add-a-section.md).
"""

from collections.abc import Iterator

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from billclock.web.bank_entries import BANK_ENTRIES
from billclock.web.billing_runs import BILLING_RUNS
from billclock.web.catalog_addons import ADDONS
from billclock.web.catalog_modules import MODULES
from billclock.web.catalog_prices import PRICES
from billclock.web.catalog_products import PRODUCTS
from billclock.web.catalog_types import TYPES
from billclock.web.charges import CHARGES
from billclock.web.client_accounts import ACCOUNTS
from billclock.web.client_people import CLIENT_GROUPS, CONTACTS, PAYERS
from billclock.web.clients import CLIENTS
from billclock.web.company import COMPANIES, DEPARTMENTS, PROVIDERS
from billclock.web.company_taxes import TAX_RATES
from billclock.web.currencies import CURRENCIES
from billclock.web.currencies_pairs import PAIRS
from billclock.web.currencies_rates import RATES
from billclock.web.discounts import DISCOUNTS, PROMO_CODES
from billclock.web.hand_entries import HAND_ENTRIES
from billclock.web.invoices import INVOICES
from billclock.web.kit import urls
from billclock.web.kit.section import Group, Section
from billclock.web.letter_templates import TEMPLATES
from billclock.web.letters import LETTERS
from billclock.web.parked import PARKED
from billclock.web.payment_methods import PAYMENT_METHODS
from billclock.web.payment_stored import STORED_METHODS
from billclock.web.payments import PAYMENTS
from billclock.web.services import SERVICES
from billclock.web.tasks import TASKS

GROUPS = (
    Group(
        "clients",
        _("Clients"),
        (CLIENTS, ACCOUNTS, CLIENT_GROUPS, CONTACTS, PAYERS, LETTERS, TEMPLATES),
    ),
    Group("services", _("Services"), (SERVICES, TASKS, PRODUCTS, PRICES, ADDONS, TYPES, MODULES)),
    Group(
        "money",
        _("Money"),
        (
            INVOICES,
            PAYMENTS,
            BANK_ENTRIES,
            CHARGES,
            HAND_ENTRIES,
            PAYMENT_METHODS,
            STORED_METHODS,
            CURRENCIES,
            PAIRS,
            RATES,
            BILLING_RUNS,
            PARKED,
        ),
    ),
    Group("support", _("Support"), ()),
    Group("marketing", _("Marketing"), (DISCOUNTS, PROMO_CODES)),
    Group("company", _("Company"), (PROVIDERS, COMPANIES, TAX_RATES, DEPARTMENTS)),
)


def all_sections() -> Iterator[Section]:
    """Give every section."""
    for group in GROUPS:
        yield from group.sections


def patterns() -> list[URLPattern]:
    """Give the addresses of every section."""
    return [pattern for section in all_sections() for pattern in urls.patterns(section)]
