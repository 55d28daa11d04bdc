"""How users like their screens: kept by user and name, from any browser."""

from collections.abc import Mapping
from typing import Any

from billclock.accounts.models import Preference, User


def kept(user: User, prefix: str) -> Mapping[str, Any]:
    """Give what a user chose of all names that begin with `prefix`, by name: one query."""
    rows = Preference.objects.filter(user=user, name__startswith=prefix)
    return dict(rows.values_list("name", "value"))


def keep(user: User, name: str, value: Any) -> None:
    """Keep what a user chose; None forgets it."""
    if value is None:
        Preference.objects.filter(user=user, name=name).delete()
    else:
        Preference.objects.update_or_create(user=user, name=name, defaults={"value": value})
