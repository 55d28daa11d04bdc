"""What the books keep in English, as its reader would write it: words, dates and amounts."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language

from billclock.billing import money
from billclock.billing.errors import BillingError
from billclock.web.kit.columns import value_at
from billclock.web.retold import retold
from billclock.web.visible import visible

DATES = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
AMOUNTS = re.compile(r"(?<![\w.-])(-?[0-9]{1,15}(?:\.[0-9]{1,4})?) ([A-Z]{3})\b")


def read(text: str) -> str:
    """Give a kept sentence as its reader writes it."""
    return DATES.sub(_date, AMOUNTS.sub(_amount, visible(retold(text))))


def of(name: str) -> Callable[[Any], str]:
    """Give a column's `of` or `below`: what a path of attributes finds, as it is read."""
    return lambda row: read(str(value_at(row, name) or ""))


def day(text: str) -> date | None:
    """Give the date that an ISO 8601 text is; None for none."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year < 9000 else None  # noqa: PLR2004 - days on either side exist


def _date(found: re.Match[str]) -> str:
    on = day(found[0])
    return date_format(on, "j M Y") if on else found[0]


def _amount(found: re.Match[str]) -> str:
    try:
        places = money.exponent(found[2])
    except BillingError:
        return found[0]
    minor = Decimal(found[1]).scaleb(places)
    if minor != int(minor):
        return found[0]
    return money.Money(int(minor), found[2]).shown(get_language() or "en")
