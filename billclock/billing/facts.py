"""A letter's facts: amounts and dates as plain JSON, and shown as a language writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from django.utils.functional import Promise

from billclock.billing.money import Money

Facts = Mapping[str, Any]
"""Names to text, whole numbers, Money, dates, None, and lists and mappings of these."""


def plain(value: Any) -> Any:
    """Give a fact as JSON has it; raise TypeError for what is none, floats among them."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"day": value.isoformat()}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    raise TypeError(f"{value!r} cannot be a letter's fact")


def shown(value: Any, language: str) -> Any:
    """Give what `plain` gave, or what it takes, with amounts and dates as a language has them.

    Takes translatable text besides, alone or as {"said": text with one %s, "of": its fact}; the
    language must be the active one.
    """
    if isinstance(value, Money):
        return value.shown(language)
    if isinstance(value, date):
        return format_date(value, "long", language)
    if isinstance(value, Mapping):
        if value.keys() == {"minor", "currency"}:
            return Money(value["minor"], value["currency"]).shown(language)
        if value.keys() == {"day"}:
            return format_date(date.fromisoformat(value["day"]), "long", language)
        if value.keys() == {"said", "of"}:
            return str(value["said"]) % shown(value["of"], language)
        return {name: shown(part, language) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [shown(part, language) for part in value]
    return str(value) if isinstance(value, Promise) else value
