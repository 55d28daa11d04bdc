"""Pages of a queryset by place, not by number: each costs the same, and none repeats a row.

A place is a row's value of the ordering field and its key, as text: "=2026-10-24~17", or "-~17"
where the value is null. Nulls come last in either direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

Rows = QuerySet[Any]


@dataclass(frozen=True)
class Order:
    """A field (a path with __, or an annotation), its direction; then the key decides."""

    field: str
    descending: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """Read "field" or "-field"."""
        return cls(text.removeprefix("-"), text.startswith("-"))


@dataclass(frozen=True)
class Page:
    """Rows in their order, and the places before the first and after the last; empty at an end."""

    rows: list[Any]
    before: str = ""
    after: str = ""


def page(
    rows: Rows,
    order: Order,
    most: int,
    *,
    after: str = "",
    before: str = "",
    whole: Rows | None = None,
) -> Page:
    """Give `most` rows after a place, or before one; a place that is none is the beginning.

    `whole` gives the same rows before they were sifted, with all that is read of them: then the
    page is found by keys first. Databases that see sifts and joins at once begin at a joined table
    of a few rows, and put a million in order.
    """
    ahead = _beyond(rows, order, after)
    back = None if ahead is not None else _beyond(rows, order, before, turned=True)
    if back is not None:
        found = _first(back, order, most + 1, whole, turned=True)
        more, found = len(found) > most, found[:most][::-1]
        return Page(found, _place(found, 0, order) if more else "", _place(found, -1, order))
    found = _first(rows if ahead is None else ahead, order, most + 1, whole)
    more, found = len(found) > most, found[:most]
    return Page(
        found,
        _place(found, 0, order) if ahead is not None else "",
        _place(found, -1, order) if more else "",
    )


def all_of(rows: Rows, order: Order, at_once: int) -> Iterator[list[Any]]:
    """Give all rows in order, some at once; every part is a query of its own."""
    place = ""
    while True:
        part = page(rows, order, at_once, after=place)
        yield part.rows
        place = part.after
        if not place:
            return


def _first(
    rows: Rows, order: Order, most: int, whole: Rows | None, *, turned: bool = False
) -> list[Any]:
    """Give the first rows in order; of `whole` those that have their keys.

    By a query of its own: as a part of the other, PostgreSQL joins all rows before it picks.
    """
    first = _ordered(rows, order, turned=turned)[:most]
    if whole is None:
        return list(first)
    keys = list(first.values_list("pk", flat=True))
    return list(_ordered(whole.filter(pk__in=keys), order, turned=turned)) if keys else []


def _ordered(rows: Rows, order: Order, *, turned: bool = False) -> Rows:
    """Put rows in order, nulls last; `turned` gives the very same order from its end."""
    down = order.descending != turned
    if order.field == "pk":
        return rows.order_by("-pk" if down else "pk")
    nulls: dict[str, Any] = {"nulls_first" if turned else "nulls_last": True}
    field = OrderBy(F(order.field), descending=down, **(nulls if _nullable(rows, order) else {}))
    return rows.order_by(field, "-pk" if down else "pk")


def _beyond(rows: Rows, order: Order, place: str, *, turned: bool = False) -> Rows | None:
    """Keep what comes after a place, `turned` what comes before it; None where it is no place."""
    read = _read(rows, order, place)
    if read is None:
        return None
    value, key = read
    way = "lt" if order.descending != turned else "gt"
    name, further = order.field, Q(**{f"pk__{way}": key})
    if name == "pk":
        return rows.filter(further)
    if value is None:  # nulls come last
        null = Q(**{f"{name}__isnull": True})
        return rows.filter(further | ~null if turned else further & null)
    beyond = Q(**{f"{name}__{way}": value}) | (Q(**{name: value}) & further)
    if not turned and _nullable(rows, order):
        return rows.filter(beyond | Q(**{f"{name}__isnull": True}))
    # the first condition says nothing new, but lets an index begin there
    return rows.filter(**{f"{name}__{way}e": value}).filter(beyond)


def _place(rows: list[Any], at: int, order: Order) -> str:
    if not rows:
        return ""
    row = rows[at]
    if order.field == "pk":
        return f"-~{row.pk}"
    value = row
    for name in order.field.split("__"):
        value = getattr(value, name) if value is not None else None
    if isinstance(value, Model):
        value = value.pk
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"-~{row.pk}" if value is None else f"={text}~{row.pk}"


def _read(rows: Rows, order: Order, place: str) -> tuple[Any, Any] | None:
    """Give value and key of a place, as their fields read them."""
    text, sign, key_text = place.rpartition("~")
    if not sign or text[:1] not in ("=", "-"):
        return None
    try:
        key = rows.model._meta.pk.to_python(key_text)
        rows.model._meta.pk.get_prep_value(key)
        if text[0] == "-":
            return None, key
        return _field(rows, order.field).to_python(text[1:]), key
    except (ValidationError, ValueError, OverflowError, FieldDoesNotExist):
        return None


def _field(rows: Rows, path: str) -> Field[Any, Any]:
    """Give the field at the end of a path."""
    annotation = rows.query.annotations.get(path)
    if annotation is not None:
        made: Field[Any, Any] = annotation.output_field
        return made
    if path == "pk":
        key: Field[Any, Any] = rows.model._meta.pk
        return key
    model: Any = rows.model
    *ways, last = path.split("__")
    for name in ways:
        model = model._meta.get_field(name).related_model
    found: Field[Any, Any] = model._meta.get_field(last)
    return found


def _nullable(rows: Rows, order: Order) -> bool:
    if order.field in rows.query.annotations or "__" in order.field:
        return True
    return _field(rows, order.field).null
