"""Forms of the back office: Django's, with errors at the field and on top, and amounts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.translation import get_language

from billclock.billing import money
from billclock.billing.errors import BillingError, MoneyError, UnknownCurrencyError
from billclock.web.kit.faults import said
from billclock.web.visible import visible

HIDDEN = "•••"
Part = tuple[Promise | str, Sequence[str]]


class Day(forms.DateField):
    """A date, chosen in the browser's own calendar."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Amount(forms.CharField):
    """An amount as people type it, in minor units once clean.

    `currency` names the field of the same form that gives the currency, or is a code itself.
    """

    def __init__(self, *, currency: str, **how: Any) -> None:
        super().__init__(max_length=40, **how)
        self.currency = currency
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}


class Form(forms.Form):
    """A form; `parts` groups its fields under headings, `faults` says whose fault an error is.

    `faults` are kinds of BillingError with the field where each is shown; any other one, and what
    is about no field, is shown on top. `fixed` fields can be given to a new row only.
    `noted` gives how the audit trail writes a field that may hold a secret.
    """

    parts: ClassVar[Sequence[Part]] = ()
    faults: ClassVar[Sequence[tuple[type[BillingError], str]]] = ()
    fixed: ClassVar[Sequence[str]] = ()
    noted: ClassVar[Mapping[str, Callable[[str], str]]] = MappingProxyType({})

    def fix(self) -> None:
        """Let what a row keeps for good be seen only."""
        for name in self.fixed:
            self.fields[name].disabled = True

    @classmethod
    def of(cls, row: Any) -> dict[str, Any]:
        """Give what the form shows of a row: the attribute of each field's name."""
        return {name: getattr(row, name) for name in cls.base_fields if hasattr(row, name)}

    @property
    def groups(self) -> Iterator[tuple[Promise | str, list[BoundField]]]:
        """Give headings and fields; fields of no part come last, under none."""
        left = dict.fromkeys(field.name for field in self.visible_fields())
        for title, names in self.parts:
            yield title, [self[name] for name in names if left.pop(name, "") is None]
        if left:
            yield "", [self[name] for name in left]

    @property
    def stamp(self) -> str:
        """Give a mark of what the form was filled with, to notice that the row changed since."""
        shown = repr([(name, self.begun(name)) for name in sorted(self.fields)])
        return blake2b(shown.encode("utf-8", "replace"), digest_size=12).hexdigest()

    def lines(self, *, typed: bool) -> str:
        """Give a line a field for the audit trail: as it was, or as it is typed now."""
        lines = []
        for name, field in self.fields.items():
            value = self.typed(name) if typed else self.begun(name)
            if isinstance(field.widget, forms.PasswordInput):
                value = HIDDEN if value else ""
            elif name in self.noted:
                value = self.noted[name](value)
            lines.append(f"{name}: {value}")
        return "\n".join(lines)

    def clean(self) -> dict[str, Any]:
        """Read amounts in their currencies."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if isinstance(field, Amount) and values.get(name):
                self._read_amount(name, field, values)
            elif isinstance(field, Amount) and name in values:
                values[name] = None
        return values

    def begun(self, name: str) -> str:
        """Give what a field was filled with."""
        field = self.fields[name]
        return _plain(field.prepare_value(self.get_initial_for_field(field, name)))

    def typed(self, name: str) -> str:
        """Give what is typed in a field now."""
        return _plain(self[name].value())

    def refuse(self, error: Exception) -> None:
        """Show why nothing was saved: at the fields it is about, else on top."""
        told: Mapping[str, str] = getattr(error, "faults", {})
        for name, fault in told.items():
            self.add_error(name if name in self.fields else None, visible(str(fault)))
        if not told:
            field = next((name for kind, name in self.faults if isinstance(error, kind)), None)
            self.add_error(field, said(error))

    def _read_amount(self, name: str, field: Amount, values: dict[str, Any]) -> None:
        code = values.get(field.currency, field.currency)
        try:
            read = money.parse(values[name], getattr(code, "pk", code), get_language() or "en")
        except (MoneyError, UnknownCurrencyError) as error:
            self.add_error(name, str(error))
        else:
            values[name] = read.minor


def typed_amount(minor: int | None, currency: str) -> str:
    """Give an amount as one would type it, to fill a form with."""
    return "" if minor is None else money.plain(minor, money.exponent(currency))


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple):
        return ", ".join(sorted(map(str, value)))
    return "" if value is None else str(value)
