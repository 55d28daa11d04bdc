"""Currencies and their rates as functions: the lists, and a rate entered by hand."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

from billclock import clock
from billclock.accounts.models import Role
from billclock.api import places
from billclock.api.documents import Change, Document, Kind
from billclock.api.parameters import FunctionError
from billclock.api.registry import Actor, function
from billclock.billing import currencies
from billclock.billing.currencies import Currency, Pair, Rate
from billclock.billing.errors import BillingError

Plid = Annotated[str, "the pair: currency/target, such as 153/50 or USD/EUR"]


@function("currency", title="Currencies", kind=Kind.LIST, role=Role.VIEWER)
def listing(_actor: Actor) -> Document:
    """List the currencies in use."""
    rows = [
        {
            "key": row.code,
            "number": str(row.number),
            "exponent": str(row.exponent),
            "panel_id": "" if row.panel_id is None else str(row.panel_id),
            "symbol": row.symbol,
            "active": "on" if row.active else "off",
        }
        for row in Currency.objects.order_by("code")
    ]
    return Document("currency", Kind.LIST, rows=rows)


@function("currencyrate", title="Currency rates", kind=Kind.LIST, role=Role.VIEWER)
def rates(
    _actor: Actor,
    *,
    plid: Plid,
    until: Annotated[date | None, "on this day or before it"] = None,
    limit: Annotated[int, "how many at most, up to 200"] = 50,
) -> Document:
    """List a pair's rates in force, the latest day first."""
    found = Rate.objects.of(pair(plid)).current().order_by("-on")
    if until is not None:
        found = found.filter(on__lte=until)
    return Document("currencyrate", Kind.LIST, rows=[_row(r) for r in found[: places.most(limit)]])


@function("currencyrate.enter", title="Enter a currency rate", kind=Kind.ACTION, whole=True)
def enter(
    _actor: Actor,
    *,
    plid: Plid,
    value: Annotated[str, "how many of the target one unit buys, such as 1.0842"],
    date: Annotated[date | None, "the day from which it holds, today if left out"] = None,
) -> Document:
    """Enter a rate by hand: it replaces the day's, and uploads leave it alone."""
    of, on = pair(plid), date or clock.today()
    former = Rate.objects.of(of).current().filter(on=on).first()
    before = f"{former.value:f}" if former else ""
    rate = currencies.enter(of, on, _decimal(value))
    changes = [Change(f"{of} on {on}", "", before, f"{rate.value:f}")]
    return Document("currencyrate.enter", Kind.ACTION, values=_row(rate), changes=changes)


def pair(text: str) -> Pair:
    """Read a pair of currencies; raise FunctionError."""
    try:
        return currencies.find_pair(text)
    except BillingError as error:
        raise FunctionError("value", "plid", text, str(error)) from None


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and 0 < value < Decimal(10) ** 12 and len(text) <= 40):  # noqa: PLR2004
        message = f"value: {text[:40]!r} is not a rate above zero, such as 1.0842"
        raise FunctionError("value", "value", text[:40], message)
    return value


def _row(rate: Rate) -> dict[str, str]:
    return {
        "key": str(rate.pk),
        "pair": f"{rate.currency_id}/{rate.target_id}",
        "date": rate.on.isoformat(),
        "value": f"{rate.value:f}",
        "quoted": f"{rate.quoted:f}",
        "formula": rate.formula,
        "source": rate.source,
        "manual": "on" if rate.manual else "off",
    }
