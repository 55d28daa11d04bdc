"""Cells of files that others open in a program of tables."""

from datetime import date, datetime

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: object) -> object:
    """Give a value so that no program of tables takes a text for a formula.

    Numbers stay numbers, moments are ISO 8601, None is empty.
    """
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return "" if value is None else value
