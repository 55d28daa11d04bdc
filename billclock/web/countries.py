"""Countries by their names in the reader's language."""

from functools import lru_cache
from typing import Any

from babel import Locale
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from billclock.web.kit.columns import Column
from billclock.web.times import Wall
from billclock.web.visible import visible


@lru_cache(maxsize=8)
def names(language: str) -> dict[str, str]:
    """Give all territories of the world by their codes."""
    return dict(Locale.parse(language.replace("-", "_")).territories)


def named(code: str) -> str:
    """Name a country, or the part of one that a tax is of ("DE-books" is "Germany, books")."""
    country, _sign, part = code.partition("-")
    name = names(get_language() or "en").get(country, country)
    return f"{name}, {part}" if part else name


class Country(Column):
    """A country: its name on a page, its code in a CSV file."""

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give its name, and its code to who points."""
        return format_html(
            '<span title="{}">{}</span>', visible(str(value)), visible(named(str(value)))
        )
