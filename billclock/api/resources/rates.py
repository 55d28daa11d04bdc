"""Currencies and rates over the JSON API: the lists, and a rate entered by hand."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status

from billclock.api import schemas
from billclock.api.asking import WRONG, Limit, ask
from billclock.api.documents import Row

router = Router(tags=["Currencies"])

Pair = Annotated[str, Query(description="currency/target", examples=["USD/EUR"])]


@router.get(
    "currencies", response={200: list[schemas.CurrencyOut], **WRONG}, summary="List currencies"
)
def currencies(request: HttpRequest) -> Sequence[Row]:
    """List the currencies in use."""
    return ask(request, "currency").rows


@router.get("rates", response={200: list[schemas.RateOut], **WRONG}, summary="List rates")
def rates(
    request: HttpRequest, pair: Pair, until: date | None = None, limit: Limit = 50
) -> Sequence[Row]:
    """List a pair's rates in force, the latest day first."""
    return ask(request, "currencyrate", plid=pair, until=until, limit=limit).rows


@router.post("rates", response={201: schemas.RateOut, **WRONG}, summary="Enter a rate")
def enter(request: HttpRequest, given: schemas.RateIn) -> Status[Row]:
    """Enter a rate by hand: it replaces the day's, and uploads leave it alone."""
    document = ask(request, "currencyrate.enter", plid=given.pair, value=given.value, date=given.on)
    return Status(201, document.values)
