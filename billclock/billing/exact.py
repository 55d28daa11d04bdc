"""A database field of exact decimal numbers, kept as text: SQLite would make them floating."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _Text = models.CharField[Decimal | str, Decimal]
else:
    _Text = models.CharField


class DecimalTextField(_Text):
    """A Decimal stored as plain digits; equality works in SQL, order and arithmetic do not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: object) -> Decimal | None:
        """Give what the database holds as a Decimal."""
        return None if value is None else Decimal(value)

    def to_python(self, value: Any) -> Any:
        """Give any accepted form as a Decimal."""
        return value if value is None or isinstance(value, Decimal) else Decimal(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        """Give the one text by which equal numbers are stored."""
        number = self.to_python(value)
        return None if number is None else f"{number.normalize():f}"
