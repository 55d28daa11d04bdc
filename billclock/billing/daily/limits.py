"""Limits that stop a run before its effects: prices and taxes changed beyond belief, or gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from billclock.billing import engine, progress
from billclock.billing.catalog import Price
from billclock.billing.errors import LimitError
from billclock.billing.provider import Provider, TaxRate
from billclock.billing.services import Outcome

MOST_TIMES = 3
"""A price that came to be more than so many times, or less than that part of, the one before."""

MOST_TAX_CHANGE = 100_000
"""Ten points: no country has changed its rate by more in one step."""

FEW_SERVICES = 10
"""A price list wrong for no more services than this is not worth stopping everything."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last run reckoned with: its date, and the newest rows of prices and taxes it saw."""

    on: date
    price: int
    tax: int


def newest() -> dict[str, int]:
    """Give the newest rows of prices and taxes, to be kept with a run."""
    price = Price.objects.order_by("-id").values_list("id", flat=True).first()
    tax = TaxRate.objects.order_by("-id").values_list("id", flat=True).first()
    return {"price": price or 0, "tax": tax or 0}


def check_prices(provider: Provider, on: date) -> None:
    """Raise LimitError where prices or taxes since the last run would charge the unbelievable.

    What was entered after that run is compared even where it is valid from long before; prices
    that are gone count too. The caller has laid out the date's prices (pricing.lay_out).
    """
    seen = _last_seen(provider, on)
    _require_priced(provider, seen, on)
    odd = _odd_prices(provider, seen, on)
    count = sum(_due(price, on) for price, _ in odd) if odd else 0
    if count > FEW_SERVICES:
        told = "; ".join(_told(price, was) for price, was in odd[:5])
        raise LimitError(f"{count} services due on {on} have prices beyond belief: {told}")
    known = TaxRate.objects.filter(id__lte=seen.tax, valid_from__lte=seen.on)
    for rate in TaxRate.objects.valid(on):
        old = known.filter(area=rate.area).order_by("-valid_from").first()
        if old and abs(old.ppm - rate.ppm) > MOST_TAX_CHANGE:
            raise LimitError(f"the tax of {rate.area} went from {old.ppm} to {rate.ppm} millionths")


def _require_priced(provider: Provider, seen: Seen, on: date) -> None:
    """Raise LimitError where many services would not be renewed for want of a price, newly so."""
    found = engine.rows(
        f"""SELECT p.code, s.months, a.currency_id, count(*)
            FROM billing_service s
            JOIN billing_account a ON a.funds_id = s.account_id
            JOIN billing_product p ON p.id = s.product_id
            WHERE s.paid_until <= {engine.day("on")} AND s.status IN (2, 3, 5)
              AND s.auto_renew AND (s.stopped_for & 33) = 0
              AND (s.held_until IS NULL OR s.held_until <= {engine.day("on")})
              AND a.provider_id = %(provider)s
              AND NOT EXISTS (SELECT 1 FROM price_now q WHERE q.product_id = s.product_id
                  AND q.addon = 0 AND q.currency = a.currency_id AND q.months = s.months)
              AND NOT EXISTS (SELECT 1 FROM billing_verdict v WHERE v.service_id = s.id
                  AND v."on" = {engine.day("before")} AND v.outcome = {int(Outcome.NOT_PRICED)})
            GROUP BY p.code, s.months, a.currency_id ORDER BY count(*) DESC, p.code""",
        {"provider": provider.pk, "on": on.isoformat(), "before": seen.on.isoformat()},
    )
    count = sum(row[3] for row in found)
    if count > FEW_SERVICES:
        told = "; ".join(
            f"{number} of {code} ({months} months, {currency})"
            for code, months, currency, number in found[:5]
        )
        raise LimitError(f"{count} services due on {on} have no price any more: {told}")


def _last_seen(provider: Provider, on: date) -> Seen:
    last = progress.before(None, "billdaily", provider)
    rows = (last.figures.get("seen") if last else None) or newest()
    return Seen(last.on if last else on - timedelta(days=1), rows["price"], rows["tax"])


def _odd_prices(provider: Provider, seen: Seen, on: date) -> list[tuple[Price, Price]]:
    prices = Price.objects.filter(product__provider=provider)
    known = prices.filter(id__lte=seen.price, valid_from_existing__lte=seen.on)
    old = {_key(price): price for price in known.order_by("valid_from_existing", "id")}
    now = Price.objects.valid(on).filter(product__provider=provider)
    pairs = ((price, old[_key(price)]) for price in now if _key(price) in old)
    return [(new, was) for new, was in pairs if new.pk != was.pk and _odd(new, was)]


def _key(price: Price) -> tuple[object, ...]:
    return (price.product_id, price.addon, price.currency_id, price.months)


def _odd(now: Price, was: Price) -> bool:
    return any(
        new != old and (new > MOST_TIMES * old or new * MOST_TIMES < old)
        for new, old in (
            (now.amount_minor, was.amount_minor),
            (now.unit_micro, was.unit_micro),
        )
    )


def _told(now: Price, was: Price) -> str:
    unit = "micro" if now.unit_micro != was.unit_micro else "minor units"
    old, new = (
        (was.unit_micro, now.unit_micro)
        if unit == "micro"
        else (was.amount_minor, now.amount_minor)
    )
    return f"price {now.pk} ({now.months} months, {now.currency_id}): {old} -> {new} {unit}"


def _due(price: Price, on: date) -> int:
    """Count the services due that a price is for."""
    (count,) = engine.rows(
        f"""SELECT count(*) FROM billing_service s
            JOIN billing_account a ON a.funds_id = s.account_id
            WHERE s.product_id = %(product)s AND s.months = %(months)s
              AND a.currency_id = %(currency)s
              AND s.paid_until <= {engine.day("on")} AND s.status IN (2, 3, 5)""",
        {
            "product": price.product_id,
            "months": price.months,
            "currency": price.currency_id,
            "on": on.isoformat(),
        },
    )[0]
    return int(count)
