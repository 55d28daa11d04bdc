"""The overview: the cards that are open to a user, by rows.

To add a card, declare it (dashboard_card.Card) and name it in CARDS; one of which there is nothing
to say yet is left out, and one that fails says so in its place.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billclock.accounts.models import Role
from billclock.web import (
    dashboard_begin,
    dashboard_changes,
    dashboard_money,
    dashboard_today,
    dashboard_usage,
)
from billclock.web.access import signed_in
from billclock.web.dashboard_card import Band, Card, Look
from billclock.web.kit.rights import reaches
from billclock.web.times import Wall

log = logging.getLogger(__name__)

CARDS = (
    Card("dial", _("Today"), Band.TODAY, "dashboard/dial.html", dashboard_today.dial, more="runs"),
    Card("next", _("Next"), Band.TODAY, "dashboard/next.html", dashboard_today.coming,
         more="timeline"),
    Card("needed", _("Needs you"), Band.TODAY, "dashboard/needed.html", dashboard_today.needed,
         more="problems"),
    Card("begin", _("Begin with the books"), Band.MONEY, "dashboard/begin.html",
         dashboard_begin.begin, sees=Role.ROOT, for_all=True, wide=True),
    Card("money", _("Money, day by day"), Band.MONEY, "dashboard/money.html",
         dashboard_money.day_by_day, for_all=True, wide=True),
    Card("books", _("The ledger"), Band.MONEY, "dashboard/books.html", dashboard_money.ledger,
         for_all=True),
    Card("tonight", _("Daily billing to come"), Band.MONEY, "dashboard/tonight.html",
         dashboard_money.tonight, for_all=True),
    Card("lasting", _("How long clients' money lasts"), Band.MONEY, "dashboard/lasting.html",
         dashboard_money.lasting, for_all=True, wide=True),
    Card("runs", _("Runs, day by day"), Band.USAGE, "dashboard/runs.html", dashboard_usage.runs,
         for_all=True, wide=True),
    Card("changes", _("Latest changes"), Band.USAGE, "dashboard/changes.html",
         dashboard_changes.latest),
    Card("busiest", _("Where the time goes"), Band.USAGE, "dashboard/busiest.html",
         dashboard_usage.busiest, for_all=True),
    Card("sizes", _("What is kept"), Band.USAGE, "dashboard/sizes.html", dashboard_usage.sizes,
         for_all=True, wide=True),
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A card with what it shows; None where it could not be made."""

    card: Card
    facts: Mapping[str, Any] | None


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the cards that are open to the user: a fixed number of queries."""
    look = Look(signed_in(request), Wall.here(), request)
    shown = [one for card in CARDS if (one := _shown(card, look)) is not None]
    bands = [(band.value, [one for one in shown if one.card.band is band]) for band in Band]
    context = {
        "day": capfirst(date_format(look.wall.now, "l, j E")),
        "bands": [(name, cards) for name, cards in bands if cards],
    }
    return render(request, "dashboard/page.html", context)


def _shown(card: Card, look: Look) -> Shown | None:
    if not reaches(look.user, card.sees) or (card.for_all and look.user.tables.split()):
        return None
    try:
        facts = card.facts(look)
    except Exception:
        log.exception("the overview's card %s", card.name)
        return Shown(card, None)
    return None if facts is None else Shown(card, facts)
