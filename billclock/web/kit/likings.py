"""How a user likes a list: which columns he sees, which views he keeps by name."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import QueryDict

from billclock.accounts import preferences
from billclock.accounts.models import User

MOST_VIEWS = 20
LONGEST = 60  # letters of a view's name
LONGEST_QUERY = 2000


@dataclass(frozen=True)
class Likings:
    """What was chosen for a list: columns that are hidden, views as name to query."""

    hidden: frozenset[str] = frozenset()
    views: dict[str, str] = field(default_factory=dict)
    keys: bool = True


def likings(user: User, name: str, columns: Iterable[str]) -> Likings:
    """Look up what a user chose for the list `name`: one query."""
    found = preferences.kept(user, f"{name}.")
    return Likings(
        hidden=frozenset(found.get(f"{name}.hidden", ())) & frozenset(columns),
        views=dict(found.get(f"{name}.views", {})),
        keys=bool(found.get(f"{name}.keys", True)),
    )


def choose(user: User, name: str, columns: Iterable[str], given: QueryDict) -> str:
    """Keep columns, a view (or let go of it), or whether single keys act; give the way back.

    The way back is a query of the list's own address, as the form had it; empty where it is none.
    """
    back = given.get("back", "")
    back = back if back.startswith("?") else ""
    if given.get("do") == "columns":
        shown = set(given.getlist("column"))
        preferences.keep(user, f"{name}.hidden", sorted(set(columns) - shown))
    elif given.get("do") == "keys":
        preferences.keep(user, f"{name}.keys", given.get("keys") == "on")
    elif "forget" in given or given.get("do") == "view":
        _keep_view(user, name, given, back)
    return back


def _keep_view(user: User, name: str, given: QueryDict, query: str) -> None:
    views = dict(likings(user, name, ()).views)
    forget, named = given.get("forget", ""), given.get("name", "").strip()[:LONGEST]
    views.pop(forget, None)
    if not forget and named and query and len(views) < MOST_VIEWS:
        views[named] = query[:LONGEST_QUERY]
    preferences.keep(user, f"{name}.views", views)
