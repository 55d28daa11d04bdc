"""Currencies, the dated rates between them, and where each pair's rates come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

import iso4217
from babel.numbers import get_currency_symbol
from django.db import models, transaction

from billclock import clock
from billclock.billing.errors import (
    BillingError,
    NoRateError,
    PairError,
    PanelNumberError,
    UnknownCurrencyError,
)
from billclock.billing.exact import DecimalTextField
from billclock.billing.rates import formula as formulas
from billclock.billing.rates import sources
from billclock.billing.rates.judging import Decision, Offer, Verdict

PANEL_IDS = {"EUR": 50, "RUB": 126, "USD": 153}
"""Numbers of currencies in the panel's list, as in `plid=153/50`; others are set by hand."""

MANUAL = "manual"
GUARD = 20
MOST_GUARD = 10_000


class Currency(models.Model):
    """A currency in use: ISO 4217's code, number and decimals, and its number in the panel."""

    code = models.CharField(max_length=3, primary_key=True)
    number = models.PositiveSmallIntegerField()
    exponent = models.PositiveSmallIntegerField()
    panel_id = models.PositiveIntegerField(null=True, unique=True)
    symbol = models.CharField(max_length=8, blank=True)
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Pair:
    """A currency and the one it is converted to: a rate says how many `target` one unit buys."""

    currency: str
    target: str

    def __str__(self) -> str:
        return f"{self.currency}/{self.target}"


class RateQuerySet(models.QuerySet["Rate"]):
    """Questions about rates."""

    def of(self, pair: Pair) -> RateQuerySet:
        """Give a pair's rates."""
        return self.filter(currency_id=pair.currency, target_id=pair.target)

    def current(self) -> RateQuerySet:
        """Give those that no later upload or entry replaced."""
        return self.filter(superseded_at=None)

    def by(self, on: date) -> RateQuerySet:
        """Give those in force on a date or before it, the latest first."""
        return self.filter(on__lte=on).order_by("-on")


class Rate(models.Model):
    """What one unit of a currency costs in another from a day on, until the next rate's day.

    Rows never change, so that a charge may refer to the one it used: a replaced rate is marked
    superseded and stays. `quoted` is the source's own figure, `value` what the formula made of it.
    """

    currency = models.ForeignKey(Currency, models.PROTECT, related_name="rates")
    target = models.ForeignKey(Currency, models.PROTECT, related_name="rates_as_target")
    on = models.DateField()
    value = DecimalTextField()
    quoted = DecimalTextField()
    formula = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=500)
    manual = models.BooleanField(default=False)
    stored_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Rate]] = RateQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("currency", "target", "on"),
                condition=models.Q(superseded_at=None),
                name="rate_once",
            ),
        )


class RatePair(models.Model):
    """Where a pair's rates come from: a source (see sources.origin), a formula, a guard.

    `guard` is the change in per cent beyond which a new rate waits for a person.
    """

    currency = models.ForeignKey(Currency, models.CASCADE, related_name="+")
    target = models.ForeignKey(Currency, models.CASCADE, related_name="+")
    source = models.CharField(max_length=500)
    formula = models.CharField(max_length=100, blank=True)
    guard = models.PositiveSmallIntegerField(default=GUARD)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("currency", "target"), name="rate_pair_once"),
        )

    @property
    def pair(self) -> Pair:
        """Give the pair these settings are for."""
        return Pair(self.currency_id, self.target_id)


def find(name: str) -> Currency:
    """Give the currency of an ISO code or a panel's number; raise UnknownCurrencyError.

    One that was never used is made from ISO 4217 and not yet saved.
    """
    text = name.strip().upper()
    if text.isdecimal():
        number = int(text)
        used = Currency.objects.filter(panel_id=number).first()
        text = next((code for code, known in PANEL_IDS.items() if known == number), text)
    else:
        used = Currency.objects.filter(code=text).first()
    return used or _from_standard(text, name)


def find_pair(text: str) -> Pair:
    """Read `currency/target`, each by code or number; raise PairError or UnknownCurrencyError."""
    parts = text.split("/")
    if len(parts) != 2:  # noqa: PLR2004 - a currency and a target
        raise PairError(text, "it has no single /")
    pair = Pair(*(find(part).code for part in parts))
    if pair.currency == pair.target:
        raise PairError(text, "both are the same currency")
    return pair


def settings_of(pair: Pair) -> RatePair:
    """Give a pair's settings; where none were made, the usual ones, not saved.

    The usual source is the Bank of Russia for roubles, else the European Central Bank.
    """
    made = RatePair.objects.filter(currency_id=pair.currency, target_id=pair.target).first()
    usual = "cbr" if "RUB" in (pair.currency, pair.target) else "ecb"
    return made or RatePair(currency_id=pair.currency, target_id=pair.target, source=usual)


def rate(pair: Pair, on: date) -> Rate:
    """Give the rate in force on a date: the last one known; raise NoRateError without one."""
    found = Rate.objects.of(pair).current().by(on).first()
    if found is None:
        raise NoRateError(str(pair), on)
    return found


@transaction.atomic
def take_up(name: str, *, symbol: str = "", panel_id: int | None = None) -> Currency:
    """Put a currency of ISO 4217 into use, with the standard's facts where none are given.

    Raise UnknownCurrencyError, and BillingError for one in use and for another's panel number.
    """
    currency = find(name)
    if Currency.objects.filter(pk=currency.pk).exists():
        raise BillingError(f"{currency.code} is in the list already", "change it there")
    return describe(
        currency,
        symbol=symbol or currency.symbol,
        panel_id=currency.panel_id if panel_id is None else panel_id,
        active=True,
    )


@transaction.atomic
def describe(currency: Currency, *, symbol: str, panel_id: int | None, active: bool) -> Currency:
    """Set what is ours to say of a currency; raise BillingError for another's panel number."""
    other = Currency.objects.filter(panel_id=panel_id).exclude(pk=currency.pk).first()
    if panel_id is not None and other is not None:
        raise PanelNumberError(panel_id, other.code)
    currency.symbol, currency.panel_id, currency.active = symbol, panel_id, active
    currency.save()
    return currency


@transaction.atomic
def configure(pair: Pair, *, source: str, formula: str, guard: int) -> RatePair:
    """Set where a pair's rates come from; raise FormulaError or SourceError for what is wrong."""
    sources.origin(source)
    formulas.steps(formula)
    _keep(pair)
    made, _ = RatePair.objects.update_or_create(
        currency_id=pair.currency,
        target_id=pair.target,
        defaults={"source": source, "formula": formula, "guard": min(guard, MOST_GUARD)},
    )
    return made


@transaction.atomic
def store(pair: Pair, decisions: Iterable[Decision], *, source: str, formula: str) -> int:
    """Store the decisions' new and replaced rates and give their number.

    A day that got its rate meanwhile is left as it is.
    """
    _keep(pair)
    stored = 0
    for decision in decisions:
        offer = decision.offer
        if decision.verdict is Verdict.REPLACED:
            _supersede(pair, offer.on)
        if decision.verdict in {Verdict.NEW, Verdict.REPLACED} and not _has_rate(pair, offer.on):
            _add(pair, offer, source=source, formula=formula)
            stored += 1
    return stored


@transaction.atomic
def enter(pair: Pair, on: date, value: Decimal) -> Rate:
    """Enter a rate by hand: it replaces the day's rate, and uploads leave it alone."""
    if not (value.is_finite() and value > 0):
        raise BillingError(f"{pair} on {on}: {value} is not a rate above zero")
    _keep(pair)
    _supersede(pair, on)
    return _add(pair, Offer(on, value, value), source=MANUAL, formula="")


def _add(pair: Pair, offer: Offer, *, source: str, formula: str) -> Rate:
    return Rate.objects.create(
        currency_id=pair.currency,
        target_id=pair.target,
        on=offer.on,
        value=offer.value,
        quoted=offer.quoted,
        formula=formula,
        source=source,
        manual=source == MANUAL,
        stored_at=clock.now(),
    )


def _has_rate(pair: Pair, on: date) -> bool:
    return Rate.objects.of(pair).current().filter(on=on).exists()


def _supersede(pair: Pair, on: date) -> None:
    Rate.objects.of(pair).current().filter(on=on).update(superseded_at=clock.now())


def _keep(pair: Pair) -> None:
    """See to it that both currencies have their rows."""
    for code in (pair.currency, pair.target):
        if not Currency.objects.filter(code=code).exists():
            find(code).save(force_insert=True)


def _from_standard(code: str, name: str) -> Currency:
    try:
        known = iso4217.Currency(code)
    except ValueError:
        raise UnknownCurrencyError(name) from None
    if known.exponent is None:
        raise UnknownCurrencyError(name)
    return Currency(
        code=known.code,
        number=known.number,
        exponent=known.exponent,
        panel_id=PANEL_IDS.get(known.code),
        symbol=get_currency_symbol(known.code, locale="en"),
    )
