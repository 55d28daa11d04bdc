"""What the demonstration company offers beside its prices: discounts, codes, words, bank, rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from billclock import clock
from billclock.billing import currencies, offering
from billclock.billing.catalog import Discount, ProductType, PromoCode
from billclock.billing.clients import ClientGroup
from billclock.billing.currencies import Pair, Rate, RatePair
from billclock.billing.letters import wording
from billclock.billing.notice_kinds import INVOICE, PAYMENT_RECEIVED
from billclock.billing.payments import PaymentMethod
from billclock.billing.provider import Company, Provider
from billclock.billing.rates import formula as formulas
from billclock.billing.rates.judging import Decision, Offer, Verdict

BANK = "demo-bank"
"""The code of the method that is paid by statement."""

LAYOUT = {
    "date": "Datum", "amount": "Betrag", "party": "Name", "iban": "IBAN", "text": "Zweck",
    "bank_reference": "Referenz",
}  # fmt: skip
"""The columns of the bank's CSV, by what they say."""

SOURCE = "ecb"
PAIRS = {
    Pair("EUR", "USD"): (1.1, ""), Pair("EUR", "JPY"): (160.0, ""), Pair("EUR", "KWD"): (0.34, ""),
    Pair("USD", "EUR"): (0.909, "*1.015"),
}  # fmt: skip
"""About what a currency is worth in another, and what is done to the rate before it counts."""

DAYS_BEFORE = 180
SATURDAY = 5

OWN_WORDS = {
    (PAYMENT_RECEIVED.name, "en"): (
        "{{ amount }} arrived: thank you",
        (
            "We received {{ amount }} by {{ method }} for account {{ account }}.\n\n"
            "Your services go on by themselves. Demo Hosting"
        ),
    ),
    (PAYMENT_RECEIVED.name, "ru"): (
        "Получили {{ amount }}, спасибо",
        (
            "Поступило {{ amount }} ({{ method }}), счёт {{ account }}.\n\n"
            "Услуги продлятся сами. Demo Hosting"
        ),
    ),
    (INVOICE.name, "en"): (
        "{{ document }} {{ number }} of Demo Hosting",
        (
            "{{ document }} {{ number }} over {{ total }} is attached.\n\n"
            "{% if due_on %}Please pay it by {{ due_on }}.{% endif %}"
        ),
    ),
}
"""Letters in the company's own words, by kind and language: subject and text."""


def lay_out(company: Company, groups: tuple[ClientGroup, ClientGroup], since: date) -> None:
    """Offer it all, from a day on."""
    provider = company.provider
    _discounts(groups[0], since)
    _codes(provider, since)
    _bank(company)
    _words(provider)
    _rates(since)


def _discounts(partners: ClientGroup, since: date) -> None:
    """Give discounts that are over, that count, and that begin later."""
    types = {kind.code: kind for kind in ProductType.objects.all()}
    for name, group, type_, ppm, begin, end in (
        ("Partners", partners, None, 100_000, 0, None),
        ("Summer of hosting", None, "hosting", 150_000, -120, -30),
        ("A year with VPS", None, "vps", 200_000, 75, 89),
    ):
        Discount.objects.create(
            name=name, group=group, type=types[type_] if type_ else None, ppm=ppm,
            valid_from=since + timedelta(days=begin),
            valid_until=None if end is None else since + timedelta(days=end),
        )  # fmt: skip


def _codes(provider: Provider, since: date) -> None:
    for code, ppm, periods, most, uses, begin, end in (
        (WELCOME, 200_000, 3, None, 0, 0, None),
        ("STUDENT50", 500_000, 1, 100, 0, 0, 365),
        ("SPRING", 300_000, 1, 50, 50, -150, -60),
    ):
        PromoCode.objects.create(
            provider=provider, code=code, ppm=ppm, periods=periods, most_uses=most, uses=uses,
            valid_from=since + timedelta(days=begin),
            valid_until=None if end is None else since + timedelta(days=end),
        )  # fmt: skip


WELCOME = "WELCOME"
"""The code that clients order with."""


def _bank(company: Company) -> PaymentMethod:
    columns = {**LAYOUT, "of_currency": "EUR"}
    settings = {
        "beneficiary": company.name, "account": company.bank["iban"], "bic": company.bank["bic"],
        "currencies": "EUR",
        "layout": "; ".join(f"{ours}={theirs}" for ours, theirs in columns.items()),
    }  # fmt: skip
    currency = currencies.find("EUR")
    return offering.add_method(
        "bank_transfer", settings, code=BANK, name="Bank transfer", provider=company.provider,
        currency=currency, order=9,
    )  # fmt: skip


def _words(provider: Provider) -> None:
    for (kind, language), (subject, text) in OWN_WORDS.items():
        wording.write(
            provider=provider, kind=kind, language=language, subject=subject, text=text, html=""
        )


def _rates(since: date) -> None:
    """Have what currencies were worth each working day of the half-year before."""
    for pair, (_worth, formula) in PAIRS.items():
        RatePair.objects.create(
            currency_id=pair.currency, target_id=pair.target, source=SOURCE, formula=formula
        )
    Rate.objects.bulk_create(
        Rate(
            currency_id=pair.currency, target_id=pair.target, on=made.on, value=made.value,
            quoted=made.quoted, formula=PAIRS[pair][1], source=SOURCE, stored_at=clock.now(),
        )
        for past in range(DAYS_BEFORE, 0, -1)
        for pair, made in _offers(since - timedelta(days=past))
    )  # fmt: skip


def take_rates(on: date) -> None:
    """Take the rates that a day has, once."""
    for pair, made in _offers(on):
        decision = Decision(made, Verdict.NEW, None)
        currencies.store(pair, [decision], source=SOURCE, formula=PAIRS[pair][1])


def _offers(on: date) -> Iterator[tuple[Pair, Offer]]:
    """Give what the bank publishes for a day: nothing at weekends."""
    if on.weekday() >= SATURDAY:
        return
    day = on.toordinal()
    for place, (pair, (worth, formula)) in enumerate(PAIRS.items()):
        wave = 0.03 * math.sin(day / 37 + place) + 0.006 * math.sin(day * (2.7 + place))
        quoted = Decimal(f"{worth * (1 + wave):.5g}")
        yield pair, Offer(on, quoted, formulas.apply(formula, Fraction(quoted)))
