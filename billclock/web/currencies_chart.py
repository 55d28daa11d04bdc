"""The rates of a pair over time, drawn, with the range that the address asks for."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.billing.currencies import Pair, Rate
from billclock.web import currencies_columns as shown
from billclock.web.kit import chart

RANGES = {"month": 31, "quarter": 92, "year": 366, "all": 0}
USUAL = "year"
MOST_DOTS = 40
MOST_PAIRS = 12

Context = dict[str, Any]


def of_pair(row: Any, request: HttpRequest) -> Context:
    """Give the drawing of a pair's settings."""
    return drawn(Pair(row.currency_id, row.target_id), request)


def of_currency(row: Any, request: HttpRequest) -> Context | None:
    """Give the drawing of a currency: of the pair that is asked for, else the one best known."""
    rates = Rate.objects.filter(Q(currency=row.pk) | Q(target=row.pk), superseded_at=None)
    counted = rates.order_by().values_list("currency_id", "target_id").annotate(n=Count("pk"))
    pairs = [Pair(one, other) for one, other, _n in counted.order_by("-n")[:MOST_PAIRS]]
    if not pairs:
        return None
    wanted = request.GET.get("pair", "")
    pair = next((known for known in pairs if str(known) == wanted), pairs[0])
    choices = [(str(known), _link(request, pair=str(known)), known == pair) for known in pairs]
    return {**drawn(pair, request), "pairs": choices if len(pairs) > 1 else ()}


def drawn(pair: Pair, request: HttpRequest) -> Context:
    """Draw a pair's rates in force over the range asked for."""
    wanted = request.GET.get("range", "")
    chosen = wanted if wanted in RANGES else USUAL
    rates = Rate.objects.of(pair).current().filter(on__lte=shown.today())
    rows = list(rates.order_by("on").values_list("on", "value", "manual"))
    first = shown.today() - timedelta(days=RANGES[chosen]) if RANGES[chosen] else date.min
    held = [row for row in rows if row[0] < first][-1:]  # the rate the range begins with
    points = [(max(on, first), float(value)) for on, value, _manual in held]
    within = [row for row in rows if row[0] >= first]
    points += [(on, float(value)) for on, value, _manual in within]
    words = {"month": _("30 days"), "quarter": _("3 months"), "year": _("a year"), "all": _("all")}
    context: Context = {
        "pair": pair,
        "ranges": [(words[name], _link(request, range=name), name == chosen) for name in RANGES],
    }
    if not points:
        return context
    start = first if RANGES[chosen] and held else points[0][0]
    by_hand = [(on, float(value), _dot(on, value)) for on, value, manual in within if manual]
    return {
        **context,
        "chart": chart.line(points, start, shown.today(), special=by_hand[-MOST_DOTS:]),
        "label": _label(pair, points),
        "by_hand": bool(by_hand),
    }


def _label(pair: Pair, points: list[chart.Point]) -> str:
    """Say what the drawing shows: how many rates, the lowest, the highest, the last."""
    values = [value for _on, value in points]
    count = ngettext("%d rate", "%d rates", len(points)) % len(points)
    return _("%(pair)s: %(count)s, lowest %(low)s, highest %(high)s, last %(last)s") % {
        "pair": pair,
        "count": count,
        "low": number_format(min(values)),
        "high": number_format(max(values)),
        "last": number_format(values[-1]),
    }


def _dot(on: date, value: Any) -> str:
    return f"{date_format(on, 'j M Y')}: {number_format(value)}, {_('by hand')}"


def _link(request: HttpRequest, **changed: str) -> str:
    given = {name: request.GET.get(name, "") for name in ("pair", "range")} | changed
    return "?" + urlencode({name: value for name, value in given.items() if value})
