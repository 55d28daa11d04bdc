"""A row made or changed only if its facts are what its model says, with a fault for each field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from billclock.billing.errors import BillingError, DetailsError
from billclock.billing.money import MILLION

Row = TypeVar("Row", bound=models.Model)
Details = Mapping[str, Any]
Faults = dict[str, str]


def locked(row: Row) -> Row:
    """Read a row again and lock it, so that what is decided of it is true when it is saved."""
    rows: models.Manager[Row] = type(row).objects  # type: ignore[attr-defined]
    return rows.select_for_update().get(pk=row.pk)


def keep(row: Row, details: Details, faults: Mapping[str, str] | None = None) -> Row:
    """Save a row with these facts; raise DetailsError with `faults` and those of its model."""
    told = dict(faults or {})
    for name, value in details.items():
        setattr(row, name, value.strip() if isinstance(value, str) else value)
    told = _refused(row, told) | told
    if told:
        raise DetailsError(str(getattr(row, "code", "") or getattr(row, "name", "")), told)
    row.save()
    return row


def changed(row: models.Model, details: Details, names: Iterable[str]) -> list[str]:
    """Name the facts of a row, among `names`, that would change."""
    return [name for name in names if name in details and details[name] != getattr(row, name)]


def found(faults: Faults, field: str, check: Callable[[], object]) -> None:
    """Note under a field what a check raises, if anything."""
    try:
        check()
    except BillingError as error:
        faults[field] = str(error)


def share_fault(ppm: int) -> str:
    """Say what is wrong with a share in millionths, which is above nothing and no more than all."""
    return "" if 0 < ppm <= MILLION else _("Give a share above 0 and up to 100 %.")


def _refused(row: models.Model, known: Mapping[str, str]) -> Faults:
    """Give what the model says against a row; emptiness is told by the database's own rules."""
    spared = {
        field.name
        for field in row._meta.concrete_fields
        if field.name in known or _may_be_empty(field, getattr(row, field.attname))
    }
    try:
        row.full_clean(exclude=spared)
    except ValidationError as error:
        return {
            name: " ".join(_said(row, one) for one in errors)
            for name, errors in error.error_dict.items()
        }
    return {}


def _may_be_empty(field: Any, value: object) -> bool:
    return value in field.empty_values and (field.null or field.has_default())


def _said(row: models.Model, error: ValidationError) -> str:
    if error.code == "unique":
        return _("Another one has this already: choose another.")
    if error.code == "unique_together" or error.code in _once(row):
        return _("There is one like this already.")
    return " ".join(error.messages)


def _once(row: models.Model) -> set[str]:
    return {constraint.name for constraint in row._meta.constraints}
