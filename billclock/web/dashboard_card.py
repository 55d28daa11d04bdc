"""What the overview is made of: cards, each a question of its own with its answer drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

from billclock.accounts.models import Role, User
from billclock.web.times import Wall


@dataclass(frozen=True)
class Look:
    """Who looks, and when."""

    user: User
    wall: Wall
    request: HttpRequest


class Band(Enum):
    """A row of the page: the day that goes on, money, how much is used."""

    TODAY = "today"
    MONEY = "money"
    USAGE = "usage"


@dataclass(frozen=True)
class Card:
    """One card: `facts` gives its template what it shows as `facts`, or None to be left out.

    `sees` is the lowest role that sees it; one `for_all` only who has every crontab open. `wide`
    cards take two places of their row. `more` is the name of the address that has all of it.
    """

    name: str
    title: Promise | str
    band: Band
    template: str
    facts: Callable[[Look], Mapping[str, Any] | None]
    sees: Role = Role.VIEWER
    for_all: bool = False
    wide: bool = False
    more: str = ""
