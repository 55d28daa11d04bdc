"""How pairs and rates look in lists: their columns, and what is fetched for them."""

from datetime import date
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from billclock import clock
from billclock.billing.currencies import Rate, RatePair
from billclock.billing.errors import SourceError
from billclock.billing.rates import sources
from billclock.web.kit.columns import Code, Day, Moment, Number, State, Text
from billclock.web.kit.marks import Mark

STANDING = {
    "fresh": Mark("circle-check", "ok", _("up to date")),
    "stale": Mark("clock-alert", "warn", _("out of date")),
    "none": Mark("circle-dashed", "warn", _("no rate yet")),
}
KINDS = {
    "held": Mark("circle-check", "ok", _("in force")),
    "manual": Mark("user", "now", _("by hand")),
    "superseded": Mark("history", "off", _("superseded")),
}


def today() -> date:
    """Give the server's date."""
    return clock.today(clock.server_zone())


def with_latest(pairs: QuerySet[RatePair]) -> QuerySet[RatePair]:
    """Add the rate in force today to pairs: `latest` and the day `latest_on` it is of."""
    rates = Rate.objects.filter(
        currency=OuterRef("currency"),
        target=OuterRef("target"),
        superseded_at=None,
        on__lte=today(),
    ).order_by("-on")
    return pairs.annotate(
        latest=Subquery(rates.values("value")[:1]), latest_on=Subquery(rates.values("on")[:1])
    )


def pair_of(row: Any) -> str:
    """Name the pair of a rate or of settings."""
    return f"{row.currency_id}/{row.target_id}"


def source_of(pair: Any) -> str:
    """Give where a pair's rates come from, without what in an address may be secret."""
    return sources.told(pair.source)


def kind_of(rate: Any) -> str:
    """Tell whether a rate is in force, by hand or superseded."""
    if rate.superseded_at is not None:
        return "superseded"
    return "manual" if rate.manual else "held"


def standing_of(pair: Any) -> str:
    """Tell whether a pair's last rate is as young as its source's rates should be."""
    if pair.latest_on is None:
        return "none"
    try:
        longest = sources.origin(pair.source).longest_gap
    except SourceError:
        return "stale"
    return "stale" if (today() - pair.latest_on).days > longest else "fresh"


PAIR = (
    Text("pair", _("Pair"), of=pair_of),
    Number("latest", _("Rate")),
    Day("latest_on", _("Of the day")),
    State("standing", _("State"), of=standing_of, marks=STANDING),
    Code("source", _("Source"), of=source_of),
    Code("formula", _("Formula"), less=True),
    Number("guard", _("Guard, %"), less=True),
)
RATE = (
    Day("on", _("Day"), sort="on"),
    Text("pair", _("Pair"), of=pair_of),
    Number("value", _("Rate")),
    Number("quoted", _("As published"), less=True),
    Code("formula", _("Formula"), less=True),
    Code("source", _("Source"), less=True),
    State("kind", _("State"), of=kind_of, marks=KINDS),
    Moment("stored_at", _("Stored"), sort="stored_at", less=True),
)
